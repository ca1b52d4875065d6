"""A person who usually comes at this hour, and the watchdog's tick, given by hand."""

import json
from datetime import UTC, datetime, timedelta

import requests

from chalicelib.agents.activity import PREFIX, hour_of_week
from chalicelib.agents.habits import PREFIX as HABIT
from chalicelib.platform.clock import MINUTE, now_ms
from local.stack import Stack
from tests.support.tables import dynamodb, table


def usually_here(stack: Stack, user_id: str) -> int:
    """The user came in this hour in each of three weeks, and their row is due; the hour's number."""
    hour, client = hour_of_week(now_ms(), "UTC"), dynamodb(stack)
    days = json.dumps([(datetime.now(UTC) - timedelta(weeks=week)).date().isoformat() for week in (3, 2, 1)])
    known = {"userId": {"S": user_id}, "key": {"S": f"{PREFIX}{hour}"}, "days": {"S": days}, "learned": {"N": "1"}}
    client.put_item(TableName=table("Settings"), Item=known)
    row = {"waking": {"S": "habit"}, "wakeAt": {"N": str(now_ms() - 1)}, "habitHour": {"N": str(hour)}}
    row["habitEnd"] = {"N": str(now_ms() + 60 * MINUTE)}
    client.put_item(TableName=table("TaskState"), Item={"userId": {"S": f"{HABIT}{user_id}"}} | row)
    return hour


def tick(stack: Stack) -> None:
    requests.post(f"{stack.internal_url}/events", json={"function": "watchdog"}, timeout=60).raise_for_status()

"""A reminder for an agent that sleeps, on the real gateway: it comes on time, and the agent sleeps again."""

import json
import time

import pytest

from local.stack import Stack
from tests.integration.outbox.conftest import GONE_WITHIN
from tests.integration.telegram.test_telegram_stack import paired
from tests.support.client import Client, eventually
from tests.support.push import PushDevice
from tests.support.tables import prefer, task_row

pytestmark = pytest.mark.timeout(200)


def reminder(seconds: int) -> str:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    payload = {"kind": "agentTurn", "message": "say: Please water the plants."}
    job = {"name": "water the plants", "schedule": {"kind": "at", "at": at}, "payload": payload}
    return f"call automations {json.dumps({'action': 'add', 'job': job})}"


def test_a_reminder_wakes_a_sleeping_agent(own_stack: Stack) -> None:
    client, person = paired(own_stack)
    client.ask("What is 1+1?")
    device = PushDevice(client)
    asked = time.time()
    client.ask(reminder(45))
    listed = eventually(lambda: client.rest("GET", "/automations").json()["automations"], 10)
    assert [job["name"] for job in listed] == ["water the plants"]
    due = listed[0]["nextRunAt"] / 1000
    client.rest("POST", "/stop-agent")
    eventually(lambda: not own_stack.pids(), 30)
    print(f"asleep {due - time.time():.0f} s before its time")
    assert client.rest("GET", "/automations").json()["automations"] == listed, "readable asleep"

    came = client.until(lambda f: f.get("reason") == "proactive", 60)
    late = time.time() - due
    print(f"shown {late:.1f} s after its time, {time.time() - asked:.0f} s after it was asked for")
    assert (came["content"], came["cause"]) == ("Please water the plants.", "Reminder: water the plants")
    assert 0 <= late < 5
    person.reply("🔔 Reminder: water the plants", 5 - late)
    (shown,) = device.shown(1, 5)
    assert (shown["title"], shown["body"]) == (came["cause"], came["content"])
    rows = [row for row in client.history() if row.get("reason") == "proactive"]
    assert [row["content"] for row in rows] == ["Please water the plants."]

    said = time.time()
    eventually(lambda: not own_stack.pids(), GONE_WITHIN)
    print(f"asleep {time.time() - said:.0f} s later")
    assert client.rest("GET", "/automations").json()["automations"] == []
    assert len([text for text in person.texts() if text.startswith("🔔")]) == 1


def test_a_heartbeat_wakes_a_sleeping_agent(own_stack: Stack) -> None:
    """Every half minute, which nobody can set: what the agent finds then arrives, and once it is off it sleeps on."""
    client = Client(own_stack)
    device = PushDevice(client)
    client.ask("on heartbeat say: The oven is hot.")
    prefer(own_stack, client.user_id, heartbeat_minutes=0.5, heartbeat_hours=None)
    client.rest("PUT", "/settings", {"autoTitle": False})
    eventually(lambda: task_row(own_stack, client.user_id).get("wakeAt"), 10)
    first = set(own_stack.pids())
    client.rest("POST", "/stop-agent")
    eventually(lambda: not first & set(own_stack.pids()), 30)  # the next one may have been woken already
    assert client.rest("GET", "/automations").json()["automations"] == [], "it is a setting, and no automation"

    came = client.until(lambda f: f.get("reason") == "proactive", 60)
    settings = client.rest("PUT", "/settings", {"heartbeatMinutes": None}).json()
    assert (settings["heartbeatMinutes"], settings["heartbeatHours"]) == (None, None)
    assert (came["content"], came["cause"]) == ("The oven is hot.", "Heartbeat")
    assert [shown["title"] for shown in device.shown()] == ["Heartbeat"]
    eventually(lambda: "wakeAt" not in task_row(own_stack, client.user_id), 10)
    eventually(lambda: not own_stack.pids(), 40)
    rows = [row for row in client.history() if row.get("reason") == "proactive"]
    assert [row["content"] for row in rows] == ["The oven is hot."]

"""Daily automations over changes of the clock: OpenClaw's own scheduler, at a time of our choice, in a foreign zone.

Our part takes the time that OpenClaw has computed: the schedule of the wake must be that moment, whatever zone the
machines are in.
"""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError

from chalicelib.agents.schedules import Schedules, schedule_name
from chalicelib.agents.tasks import Task
from chalicelib.agents.wakes import start_time
from chalicelib.platform import aws
from chalicelib.platform.settings import stage
from local import tools

DAY = 86_400_000
SCRIPT = """
import { readdirSync, readFileSync } from "node:fs";
const [folder, schedule, from, count] = process.argv.slice(1);
const names = readdirSync(folder).filter((name) => name.startsWith("schedule-") && name.endsWith(".js"));
const file = names.find((name) => readFileSync(`${folder}/${name}`, "utf8").includes("function computeNextRunAtMs("));
const next = Object.values(await import(`${folder}/${file}`)).find((one) => one.name === "computeNextRunAtMs");
const found = [];
while (found.length < Number(count)) found.push(next(JSON.parse(schedule), found.at(-1) ?? Number(from)));
console.log(JSON.stringify(found));
"""


def next_runs(schedule: dict[str, Any], since: datetime, count: int, machine: str) -> list[int]:
    """The next runs as the installed OpenClaw computes them on a machine in that zone, in ms."""
    found = tools.find()
    arguments = [
        str(found.openclaw.parent / "dist"),
        json.dumps(schedule),
        str(int(since.timestamp() * 1000)),
        str(count),
    ]
    done = subprocess.run(
        [str(found.node), "--input-type=module", "-e", SCRIPT, *arguments],
        env={"PATH": os.environ["PATH"], "TZ": machine},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    runs: list[int] = json.loads(done.stdout)
    return runs


@pytest.fixture
def new_york() -> Iterator[None]:
    """This process is in New York."""
    kept = os.environ.get("TZ")
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    yield
    if kept is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = kept
    time.tzset()


@pytest.mark.parametrize(
    ("machine", "change"),
    [("America/New_York", (2027, 3, 14)), ("America/New_York", (2026, 11, 1)), ("Europe/Berlin", (2027, 3, 28))],
)
@pytest.mark.usefixtures("cloud", "new_york")
def test_every_day_at_8_in_seoul_while_another_zone_changes_its_clock(
    machine: str, change: tuple[int, int, int]
) -> None:
    since = datetime(*change, tzinfo=UTC).timestamp() - 2 * 86_400
    daily = {"kind": "cron", "expr": "0 8 * * *", "tz": "Asia/Seoul"}
    runs = next_runs(daily, datetime.fromtimestamp(since, UTC), 5, machine)
    assert {datetime.fromtimestamp(run / 1000, ZoneInfo("Asia/Seoul")).strftime("%H:%M:%S") for run in runs} == {
        "08:00:00"
    }
    assert {after - before for before, after in pairwise(runs)} == {DAY}
    schedules = Schedules("arn:aws:lambda:us-east-1:123456789012:function:wake", "arn:aws:iam::123456789012:role/wake")
    far = runs[-1] + 3650 * DAY  # a schedule in the past would be moved to now
    start = start_time(Task("seoul", wake_at=far, start_ms=40_000), schedules.margin)
    group = f"serverless-openclaw-{stage()}"
    with contextlib.suppress(ClientError):  # another case has made it
        aws.client("scheduler").create_schedule_group(Name=group)
    schedules.set("seoul", start)
    kept = aws.client("scheduler").get_schedule(Name=schedule_name("seoul"), GroupName=group)
    when = datetime.strptime(kept["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC)
    assert when.timestamp() * 1000 == start == far - 150_000
    assert kept.get("ScheduleExpressionTimezone", "UTC") == "UTC"


def test_every_day_at_8_where_the_clock_changes() -> None:
    """New York's own: the moment moves by an hour with the zone, and no day is left out or doubled."""
    daily = {"kind": "cron", "expr": "0 8 * * *", "tz": "America/New_York"}
    runs = next_runs(daily, datetime(2027, 3, 12, tzinfo=UTC), 4, "Asia/Seoul")
    assert [datetime.fromtimestamp(run / 1000, UTC).hour for run in runs] == [13, 13, 12, 12]
    missing = {"kind": "cron", "expr": "30 2 * * *", "tz": "America/New_York"}  # no such time on March 14
    runs = next_runs(missing, datetime(2027, 3, 13, 12, tzinfo=UTC), 3, "UTC")
    assert len({datetime.fromtimestamp(run / 1000, ZoneInfo("America/New_York")).day for run in runs}) == 3

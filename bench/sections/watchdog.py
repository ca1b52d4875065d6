"""One tick of the watchdog for several numbers of tasks: time, processor and AWS calls.

DynamoDB and ECS are stubs with that many tasks. They take 5 ms a call, about as long as AWS takes for a Lambda
function. A row that was quiet for longer than the shortest idle timeout costs two more reads: its user's
settings and habits.
"""

import os
import time

from bench import cloud as clouds
from bench.cloud import Cloud
from bench.events import Json
from bench.registry import Options
from bench.rows import Row, row
from chalicelib import handlers
from chalicelib.agents.tasks import ACTIVE, RUN_LEASE, Status
from chalicelib.platform.clock import DAY, MINUTE, now_ms

SECTION = "watchdog"
CALL_SECONDS = 0.005
QUIET = 5.5 * MINUTE  # longer than the shortest idle timeout, shorter than the usual one, even after a long tick


def run(options: Options) -> list[Row]:
    small, middle, large = (10, 50, 200) if options.quick else (10, 1000, 10_000)
    with clouds.running(options.folder) as cloud:
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = cloud.stubs
        handlers.watchdog()  # an instance has its clients after the first tick
        rows: list[Row] = []
        each = {}
        for count in (small, middle, large):
            more = _rows(cloud, f"{count:,} running", count, 0, options.runs(5))
            each[count] = more[1].median / count
            rows += more
        ratio = each[large] / each[middle]
        name = f"processor a running task, {large:,} rows over {middle:,}"
        rows.append(row(SECTION, name, "×", [ratio], "watchdog-linear"))
        rows += _rows(cloud, f"{middle:,} running, all quiet for 5.5 min", middle, QUIET, options.runs(3, 1))
        rows += _rows(cloud, f"{large:,} running, all quiet for 5.5 min", large, QUIET, 1, "watchdog")
    return rows


def _item(number: int, quiet: float) -> Json:
    """A row of TaskState as a working agent leaves it."""
    now = now_ms()
    texts = {"userId": f"user-{number:05}", "status": Status.RUNNING.value, "active": ACTIVE, "phase": "ready"}
    texts |= {"taskArn": arn(number), "agentConnectionId": f"c{number}", "agentEndpoint": "https://example.com/api"}
    numbers = {"generation": 1, "startedAt": now - DAY, "readyAt": now - DAY, "lastActivity": now - round(quiet)}
    numbers |= {"leaseUntil": now + RUN_LEASE, "startMs": 9000, "failedStarts": 0, "busyUntil": 0}
    return {key: {"S": text} for key, text in texts.items()} | {key: {"N": str(n)} for key, n in numbers.items()}


def arn(number: int) -> str:
    return f"arn:aws:ecs:us-east-1:123456789012:task/serverless-openclaw-local/{number:032x}"


def _rows(cloud: Cloud, name: str, count: int, quiet: float, runs: int, bar: str = "") -> list[Row]:
    cloud.ask("tasks", [{"taskArn": arn(number), "lastStatus": "RUNNING"} for number in range(count)])
    cloud.ask("pause", CALL_SECONDS)
    walls, processor, calls = [], [], []
    for _ in range(runs):
        cloud.ask("rows", [_item(number, quiet) for number in range(count)])  # as after a heartbeat
        cloud.ask("counts")
        begun, cpu = time.perf_counter(), time.process_time()
        handlers.watchdog()
        walls.append(time.perf_counter() - begun)
        processor.append((time.process_time() - cpu) * 1000)
        counted = cloud.ask("counts")
        calls.append(sum(counted.values()))
        if "StopTask" in counted:
            raise RuntimeError("the watchdog stopped tasks that work")
    return [
        row(SECTION, f"{name}: one tick", "s", walls, bar),
        row(SECTION, f"{name}: processor", "ms", processor),
        row(SECTION, f"{name}: AWS calls, one after the other", "calls", calls),
    ]

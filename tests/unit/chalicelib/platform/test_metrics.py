"""What CloudWatch reads of our log lines, and that the gateway writes each metric where its event happens."""

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib import handlers, rest, wiring
from chalicelib.agents.runtime import StartFailed, TaskInfo
from chalicelib.agents.tasks import Task
from chalicelib.lifecycle.dispatch import MAX_FAILED_STARTS
from chalicelib.lifecycle.prewarm import Prewarm
from chalicelib.platform import metrics
from chalicelib.platform.clock import MINUTE
from chalicelib.wire.connections import Connection
from tests.support.world import World, answered

Json = dict[str, Any]
Drive = Callable[[pytest.MonkeyPatch], object]
Values = dict[str, list[float]]
# By name; CloudWatch knows both units.
TIMES = (
    "StartupTotal",
    "StartupS3Restore",
    "StartupGatewayWait",
    "StartupClientReady",
    "MessageLatency",
    "FirstResponseTime",
)


def lines(out: str) -> list[Json]:
    """The metric lines among what was printed, each in the shape of the embedded metric format."""
    found = [json.loads(line) for line in out.splitlines()]
    found = [line for line in found if "_aws" in line]
    for line in found:
        assert set(line["_aws"]) == {"Timestamp", "CloudWatchMetrics"}
        assert type(line["_aws"]["Timestamp"]) is int
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        assert all(isinstance(line[name], str) for names in directive["Dimensions"] for name in names)
        for definition in directive["Metrics"]:
            assert set(definition) == {"Name", "Unit"}
            assert definition["Unit"] == ("Milliseconds" if definition["Name"] in TIMES else "Count")
            assert type(line[definition["Name"]]) in (int, float), "a name without its number"
    return found


def counted(out: str) -> Values:
    """Every value that was written, by metric."""
    found: Values = {}
    for line in lines(out):
        for definition in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            found.setdefault(definition["Name"], []).append(line[definition["Name"]])
    return found


def test_a_line_is_what_cloudwatch_reads(capsys: pytest.CaptureFixture[str]) -> None:
    before = time.time() * 1000
    metrics.emit({"Model": "openai/gpt"}, MessageLatency=12.5, DeadLetter=1)
    out = capsys.readouterr().out
    assert out.count("\n") == 1, "CloudWatch reads line by line"
    [line] = lines(out)
    head = line.pop("_aws")
    assert before - 1 <= head["Timestamp"] <= time.time() * 1000, "in ms: hours off, and the line is dropped"
    named = [{"Name": "MessageLatency", "Unit": "Milliseconds"}, {"Name": "DeadLetter", "Unit": "Count"}]
    assert head["CloudWatchMetrics"] == [
        {"Namespace": "ServerlessOpenClaw", "Dimensions": [["Stage"]], "Metrics": named}
    ]
    assert line == {"Stage": "test", "Model": "openai/gpt", "MessageLatency": 12.5, "DeadLetter": 1}


def test_a_name_that_nobody_watches_is_refused() -> None:
    with pytest.raises(ValueError, match="DeadLettre"):
        metrics.emit(DeadLettre=1)


def broken(*_: object) -> None:
    raise TimeoutError


def failed_start(_: pytest.MonkeyPatch) -> None:
    world = World()
    world.containers.fail = [StartFailed("START_FAILED", "the task definition is inactive")]
    world.send()


def failed_restart(_: pytest.MonkeyPatch) -> None:
    world = World()
    world.inbox.put(world.message())
    world.containers.fail = [StartFailed("CAPACITY", "RESOURCE:CPU")]
    world.watchdog.tick()


def broken_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.inbox.put(world.message())
    monkeypatch.setattr(world.containers, "start", broken)
    world.watchdog.tick()


def given_up(_: pytest.MonkeyPatch) -> None:
    world = World()
    world.inbox.put(world.message("message-1"))
    world.inbox.put(world.message("message-2"))
    world.tasks.rows["ann"] = Task("ann", generation=4, failed_starts=MAX_FAILED_STARTS)
    world.watchdog.tick()


def orphans(failing: int) -> Drive:
    def drive(_: pytest.MonkeyPatch) -> None:
        world = World()
        for number in range(3):
            arn = f"arn:task/{number}"
            world.containers.tasks[arn] = TaskInfo(arn, "nobody", 7, 0)
        world.containers.failing_stops = failing
        world.watchdog.tick()

    return drive


def broken_row(_: pytest.MonkeyPatch) -> None:
    world = answered()
    world.clock.step(60 * MINUTE)
    world.tasks.heartbeat("ann", 1)
    world.containers.failing_stops = 1
    world.watchdog.tick()


def prewarm(ticks: int, fail: bool = False) -> Drive:
    def drive(_: pytest.MonkeyPatch) -> None:
        world = World()
        world.containers.fail = [StartFailed("CAPACITY", "RESOURCE:CPU")] if fail else []
        for _tick in range(ticks):
            Prewarm(world.tasks, world.containers, 60, world.clock).tick()

    return drive


def doubled_prewarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other call's row is not in the index yet."""
    world = World()
    world.tasks.begin_start(f"prewarm#{world.clock() // MINUTE}")
    monkeypatch.setattr(world.tasks, "prewarmed", list)
    Prewarm(world.tasks, world.containers, 60, world.clock).tick()


def broken_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    world, tab = World(), Connection("tab", "ann", "https://api")
    monkeypatch.setattr(world.tasks, "get", broken)
    monkeypatch.setattr(wiring, "dispatch", lambda: world.dispatch)
    monkeypatch.setattr(wiring, "connections", lambda: SimpleNamespace(owner=lambda _: tab))
    handlers.message({"requestContext": {"connectionId": "tab"}, "body": '{"action": "getStatus"}'})
    assert [frame["code"] for _, frame in world.post.frames] == ["INTERNAL"]


def broken_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "request", lambda: SimpleNamespace(headers={"authorization": "Bearer x"}, context={}))
    monkeypatch.setattr(wiring, "identity", lambda: SimpleNamespace(user_id=lambda _: "ann"))
    assert rest.signed_in(broken).status_code == 500


def broken_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "request", lambda: SimpleNamespace(headers={}, raw_body=b""))
    monkeypatch.setattr(rest, "_links", broken)
    assert rest.telegram().status_code == 500


PATHS: dict[str, tuple[Drive, Values]] = {
    "a start that fails": (failed_start, {"StartFailed": [1]}),
    "a restart that fails": (failed_restart, {"StartFailed": [1]}),
    "a restart that breaks": (broken_restart, {"HandlerFailed": [1]}),
    "an agent that never starts": (given_up, {"StartFailed": [1], "DeadLetter": [1, 1]}),
    "orphans": (orphans(failing=0), {"OrphanStopped": [3]}),
    "an orphan that is not stopped": (orphans(failing=1), {"HandlerFailed": [1], "OrphanStopped": [2]}),
    "a row that breaks": (broken_row, {"HandlerFailed": [1]}),
    "a prewarmed start": (prewarm(1), {"PrewarmTriggered": [1]}),
    "one that waits already": (prewarm(2), {"PrewarmTriggered": [1], "PrewarmSkipped": [1]}),
    "a doubled event": (doubled_prewarm, {"PrewarmSkipped": [1]}),
    "a prewarmed start that fails": (prewarm(1, fail=True), {"StartFailed": [1]}),
    "a frame": (broken_frame, {"HandlerFailed": [1]}),
    "a request": (broken_request, {"HandlerFailed": [1]}),
    "a webhook": (broken_webhook, {"HandlerFailed": [1]}),
}


@pytest.mark.parametrize("path", PATHS)
def test_what_happens_in_the_gateway_is_counted_once(
    path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drive, expected = PATHS[path]
    drive(monkeypatch)
    assert counted(capsys.readouterr().out) == expected

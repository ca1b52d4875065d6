"""What a heartbeat may conclude: only a lost lease on the task ends it."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.life.heartbeats import Heartbeats, each_beat
from chalicelib.agents.tasks import LeaseLost, Status, Task
from chalicelib.messages.inbox import Message


class FakeRow:
    """Tasks and inbox at once; each call refuses when told to."""

    def __init__(
        self, heartbeat: bool = True, renew: bool = True, status: Status = Status.RUNNING, generation: int = 1
    ) -> None:
        self._answers = {"heartbeat": heartbeat, "renew": renew}
        self.status, self.generation = status, generation
        self.calls: list[str] = []

    def _answer(self, name: str) -> None:
        self.calls.append(name)
        if not self._answers[name]:
            raise LeaseLost("ann")

    def heartbeat(self, _: str, __: int, busy: int, active: bool) -> Task:
        self._answer("heartbeat")
        self.noted = (busy > 0, active)
        return Task("ann", self.status, self.generation)

    def get(self, user_id: str) -> Task:
        return Task(user_id, self.status, self.generation)

    def renew(self, *_: Any) -> None:
        self._answer("renew")


def heartbeats_of(row: FakeRow, message: Message | None = None, alive: bool = True, failure: str | None = None) -> Any:
    turns = SimpleNamespace(running=lambda: [message] if message else [], lost=threading.Event())
    out = SimpleNamespace(working=bool, beating=bool, pause=float, finished=bool, early=int)
    openclaw = SimpleNamespace(alive=lambda: alive)
    memory: Any = SimpleNamespace(failure=failure)
    rows: Any = row
    parts: Any = (openclaw, memory, turns, out)
    return Heartbeats(("ann", 1), (rows, rows), parts, threading.Event())


def beat(row: FakeRow, message: Message | None) -> Any:
    heartbeats = heartbeats_of(row, message)
    heartbeats.beat()
    return heartbeats


MESSAGE = Message("ann", "message-1", "hi", "main", 0)


def test_a_turn_that_ends_while_the_heart_beats_is_no_lost_lease() -> None:
    """Its message is closed before the turns say so: seen to end an active chat's container half a minute later."""
    heartbeats = beat(FakeRow(renew=False), MESSAGE)
    assert not heartbeats._turns.lost.is_set()
    assert not heartbeats._stop.is_set()


def test_a_lost_lease_ends_the_task_at_once() -> None:
    for message in (MESSAGE, None):
        row = FakeRow(heartbeat=False)
        heartbeats = beat(row, message)
        assert heartbeats._turns.lost.is_set()
        assert heartbeats._stop.is_set()
        assert row.calls == ["heartbeat"]


def test_a_claim_is_renewed_while_its_turn_runs() -> None:
    row = FakeRow()
    beat(row, MESSAGE)
    assert row.calls == ["heartbeat", "renew"]


def test_a_row_that_says_stopping_is_a_signal_to_stop() -> None:
    """Whoever wrote it may not have reached ECS: without this the lease would be renewed for ever."""
    heartbeats = beat(FakeRow(status=Status.STOPPING), None)
    assert heartbeats._stop.is_set()
    assert not heartbeats._turns.lost.is_set(), "there is a memory to save"


@pytest.mark.parametrize("status", [Status.STOPPING, Status.RUNNING])
def test_a_claim_that_is_lost_is_no_lost_lease(status: Status) -> None:
    """A stop refused it, or its message had ended: no newer task writes, and there is a memory to save."""
    assert heartbeats_of(FakeRow(status=status)).still_ours()
    assert not heartbeats_of(FakeRow(status=status, generation=2)).still_ours()


@pytest.mark.parametrize(("failure", "revived"), [(None, 1), ("damaged", 0)])
def test_an_agent_without_its_memory_is_not_started_on_an_empty_one(failure: str | None, revived: int) -> None:
    heartbeats = heartbeats_of(FakeRow(), alive=False, failure=failure)
    calls: list[int] = []
    heartbeats._revive = lambda: calls.append(1)
    beats = iter([False, True])
    heartbeats._stop = SimpleNamespace(wait=lambda _: next(beats))
    heartbeats.run()
    assert len(calls) == revived


@pytest.mark.parametrize(
    ("message", "working", "beating", "noted"),
    [
        (MESSAGE, True, True, (True, True)),
        (None, True, False, (True, True)),
        (None, True, True, (True, False)),
        (None, False, False, (False, True)),
    ],
)
def test_openclaws_own_heartbeat_is_not_cut_off_and_is_nobodys_use(
    message: Message | None, working: bool, beating: bool, noted: tuple[bool, bool]
) -> None:
    """One every half hour would keep an agent awake that goes to sleep after half an hour."""
    row = FakeRow()
    heartbeats = heartbeats_of(row, message)
    heartbeats._out = SimpleNamespace(working=lambda _: working, beating=lambda: beating)
    heartbeats.beat()
    assert row.noted == noted


def test_edits_that_nobody_told_of_are_looked_for_now_and_then() -> None:
    done: list[str] = []
    beat = each_beat(lambda: done.append("asked"), lambda: done.append("edits"))
    for _ in range(6):
        beat()
    assert done == ["asked", "asked", "asked", "edits"] * 2

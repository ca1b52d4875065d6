"""What a heartbeat may conclude: only a lost lease on the task ends it."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.agent import Agent
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

    def heartbeat(self, *_: Any) -> Task:
        self._answer("heartbeat")
        return Task("ann", self.status, self.generation)

    def get(self, user_id: str) -> Task:
        return Task(user_id, self.status, self.generation)

    def renew(self, *_: Any) -> None:
        self._answer("renew")


def agent_of(row: FakeRow, message: Message | None = None) -> Any:
    agent: Any = object.__new__(Agent)
    agent._config = SimpleNamespace(user_id="ann", generation=1)
    agent._turns = SimpleNamespace(running=lambda: [message] if message else [], lost=threading.Event())
    agent._tasks = agent._inbox = row
    agent._out = SimpleNamespace(working=bool, pause=float, finished=bool)
    agent._stop = threading.Event()
    return agent


def beat(row: FakeRow, message: Message | None) -> Any:
    agent = agent_of(row, message)
    agent._beat()
    return agent


MESSAGE = Message("ann", "message-1", "hi", "main", 0)


def test_a_turn_that_ends_while_the_heart_beats_is_no_lost_lease() -> None:
    """Its message is closed before the turns say so: seen to end an active chat's container half a minute later."""
    agent = beat(FakeRow(renew=False), MESSAGE)
    assert not agent._turns.lost.is_set()
    assert not agent._stop.is_set()


def test_a_lost_lease_ends_the_task_at_once() -> None:
    for message in (MESSAGE, None):
        row = FakeRow(heartbeat=False)
        agent = beat(row, message)
        assert agent._turns.lost.is_set()
        assert agent._stop.is_set()
        assert row.calls == ["heartbeat"]


def test_a_claim_is_renewed_while_its_turn_runs() -> None:
    row = FakeRow()
    beat(row, MESSAGE)
    assert row.calls == ["heartbeat", "renew"]


def test_a_row_that_says_stopping_is_a_signal_to_stop() -> None:
    """Whoever wrote it may not have reached ECS: without this the lease would be renewed for ever."""
    agent = beat(FakeRow(status=Status.STOPPING), None)
    assert agent._stop.is_set()
    assert not agent._turns.lost.is_set(), "there is a memory to save"


@pytest.mark.parametrize("status", [Status.STOPPING, Status.RUNNING])
def test_a_claim_that_is_lost_is_no_lost_lease(status: Status) -> None:
    """A stop refused it, or its message had ended: no newer task writes, and there is a memory to save."""
    assert agent_of(FakeRow(status=status))._still_ours()
    assert not agent_of(FakeRow(status=status, generation=2))._still_ours()


@pytest.mark.parametrize(("failure", "revived"), [(None, 1), ("damaged", 0)])
def test_an_agent_without_its_memory_is_not_started_on_an_empty_one(failure: str | None, revived: int) -> None:
    agent = agent_of(FakeRow())
    agent._memory = SimpleNamespace(failure=failure)
    agent._openclaw = SimpleNamespace(alive=lambda: False)
    calls: list[int] = []
    agent._revive = lambda: calls.append(1)
    beats = iter([False, True])
    agent._stop = SimpleNamespace(wait=lambda _: next(beats))
    agent._heartbeats()
    assert len(calls) == revived

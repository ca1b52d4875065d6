"""What a heartbeat may conclude: only a lost lease on the task ends it."""

import threading
from types import SimpleNamespace
from typing import Any

from bridge.agent import Agent
from chalicelib.inbox import Message
from chalicelib.tasks import LeaseLost


class FakeRow:
    """Tasks and inbox at once; each call refuses when told to."""

    def __init__(self, heartbeat: bool = True, renew: bool = True) -> None:
        self._answers = {"heartbeat": heartbeat, "renew": renew}
        self.calls: list[str] = []

    def _answer(self, name: str) -> None:
        self.calls.append(name)
        if not self._answers[name]:
            raise LeaseLost("ann")

    def heartbeat(self, *_: Any) -> None:
        self._answer("heartbeat")

    def renew(self, *_: Any) -> None:
        self._answer("renew")


def beat(row: FakeRow, message: Message | None) -> Any:
    agent: Any = object.__new__(Agent)
    agent._config = SimpleNamespace(user_id="ann", generation=1)
    agent._turns = SimpleNamespace(current=message, lost=threading.Event())
    agent._tasks = agent._inbox = row
    agent._stop = threading.Event()
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

"""What else a start does comes behind the first words to whoever woke the agent."""

import threading
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from bridge import agent
from bridge.agent import Agent


class World:
    def __init__(self, looks: int) -> None:
        self.looks, self.stop = looks, threading.Event()
        self.begun: list[str] = []
        made: Any = Agent.__new__(Agent)
        made._stop, made._config = self.stop, SimpleNamespace(routes=(), model="")
        works = {"out": "start", "asked": "settle", "chores": "wake", "edits": "wake", "skills": "start"}
        parts = {name: SimpleNamespace(**{method: partial(self.begun.append, name)}) for name, method in works.items()}
        made._parts = SimpleNamespace(turns=SimpleNamespace(unheard=self.unheard), **parts)
        self.settle = made._settle

    def unheard(self) -> bool:
        assert not self.begun, "others ask OpenClaw while somebody waits for its first words"
        self.looks -= 1
        return self.looks >= 0


ALL = ["out", "asked", "chores", "edits", "skills"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(agent, "publish", lambda routes, model: None)


@pytest.mark.parametrize("looks", [0, 5])
def test_it_waits_for_the_first_words(looks: int) -> None:
    world = World(looks)
    world.settle()
    assert (world.begun, world.looks) == (ALL, -1)


def test_it_does_not_wait_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(1_000)
    world.settle()
    assert world.begun == ALL
    assert world.looks == 1_000 - agent.SETTLE_LOOKS


def test_a_container_that_is_told_to_stop_does_not_wait() -> None:
    """It closes the outbox, which has to be begun for that."""
    world = World(5)
    world.stop.set()
    world.settle()
    assert (world.begun, world.looks) == (["out"], 5)

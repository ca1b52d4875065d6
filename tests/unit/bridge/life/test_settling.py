"""What the Bridge asks OpenClaw by itself at a start comes behind the first words to whoever woke the agent."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from bridge import agent
from bridge.agent import Agent


class World:
    def __init__(self, looks: int) -> None:
        self.looks, self.stop, self.begun = looks, threading.Event(), False
        made: Any = Agent.__new__(Agent)
        made._stop = self.stop
        made._parts = SimpleNamespace(turns=SimpleNamespace(unheard=self.unheard), out=self)
        self.settle = made._settle

    def unheard(self) -> bool:
        assert not self.begun, "the outbox asks OpenClaw while somebody waits for its first words"
        self.looks -= 1
        return self.looks >= 0

    def start(self) -> None:
        self.begun = True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "LOOK_SECONDS", 0.001)


@pytest.mark.parametrize("looks", [0, 5])
def test_the_outbox_waits_for_the_first_words(looks: int) -> None:
    world = World(looks)
    world.settle()
    assert (world.begun, world.looks) == (True, -1)


def test_it_does_not_wait_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(1_000)
    world.settle()
    assert world.begun
    assert world.looks == 1_000 - agent.SETTLE_LOOKS


def test_a_container_that_is_told_to_stop_does_not_wait() -> None:
    """What is begun is closed: the hand-over counts on it."""
    world = World(5)
    world.stop.set()
    world.settle()
    assert (world.begun, world.looks) == (True, 5)

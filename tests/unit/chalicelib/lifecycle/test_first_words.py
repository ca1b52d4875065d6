"""When a message gets a first answer while its agent wakes up."""

from dataclasses import replace

import pytest

from chalicelib.agents.runtime import StartFailed
from chalicelib.agents.tasks import Task
from chalicelib.lifecycle.first_words import SOON
from chalicelib.messages.inbox import Message
from tests.support.world import World


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def world(asked: list[str]) -> World:
    world = World()
    world.dispatch = replace(world.dispatch, first_words=Function(asked))
    return world


class Function:
    """Takes messages over for those who let it decide about a start."""

    def __init__(self, asked: list[str], decides: bool = False) -> None:
        self.asked, self.decides = asked, decides

    def alone(self, message: Message, task: Task) -> bool:
        return self.decides

    def ask(self, message: Message) -> None:
        self.asked.append(message.id)


def test_a_message_that_starts_the_agent_gets_them(world: World, asked: list[str]) -> None:
    world.send("m1")
    assert asked == ["m1"]
    assert world.tasks.get("ann").status == "Starting", "and the agent starts all the same"


def test_a_message_to_an_agent_that_is_awake_does_not(world: World, asked: list[str]) -> None:
    world.send("m1")
    world.boot()
    world.send("m2")
    assert asked == ["m1"]


def test_nor_does_an_agent_that_will_be_ready_in_a_moment(world: World, asked: list[str]) -> None:
    world.send("m1")
    world.clock.now += 10_000
    world.boot()
    world.tasks.released("ann", world.tasks.get("ann").generation)
    world.send("m2")
    world.clock.now += 10_000 - SOON - 1_000
    world.send("m3")
    world.clock.now += 2_000
    world.send("m4")
    assert asked == ["m1", "m2", "m3"], "the last start took ten seconds"


def test_a_message_that_comes_again_asks_for_nothing(world: World, asked: list[str]) -> None:
    world.send("m1")
    world.send("m1")
    assert asked == ["m1"]


@pytest.mark.parametrize(
    "message",
    [
        Message("ann", "m1", "/status", "main", 0),
        Message("ann", "m1", "Build 7 failed", "main", 0, route={"cause": "Hook: GitHub"}),
        Message("ann", "m1", "What is in it?", "main", 0, attachments=[{"mimeType": "text/plain"}]),
        Message("ann", "m1", "", "main", 0, route={"telegram": {"chat": "1", "album": "a"}}),
    ],
)
def test_commands_programs_and_files_wait_for_the_agent(world: World, asked: list[str], message: Message) -> None:
    world.dispatch.accept(message)
    assert asked == []


def test_a_start_that_fails_is_told_all_the_same(world: World, asked: list[str]) -> None:
    world.containers.fail = [StartFailed("CAPACITY", "none")]
    done = world.send("m1")
    assert (done.error is not None, asked) == (True, ["m1"])


def test_small_talk_leaves_the_start_to_the_function(world: World, asked: list[str]) -> None:
    world.dispatch = replace(world.dispatch, first_words=Function(asked, decides=True))
    world.send("m1")
    assert (world.tasks.get("ann").status, world.containers.runs, asked) == ("Idle", [], [])
    assert [message.id for message in world.inbox.waiting("ann")] == ["m1"], "a tick of the watchdog would start it"

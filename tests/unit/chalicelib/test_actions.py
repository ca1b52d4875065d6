"""Actions that a user takes, on fakes."""

from dataclasses import replace

import pytest

from chalicelib import actions, endings, handlers, wiring
from chalicelib.agents.runtime import StartFailed
from chalicelib.agents.tasks import Status, Task
from chalicelib.lifecycle.anew import tick
from chalicelib.wire.connections import Connection
from chalicelib.wire.protocol import ProtocolError
from tests.support.world import World, answered


def test_an_agent_put_to_sleep_is_told_so_before_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its next container would begin again what the stop cuts off."""
    world = answered()
    monkeypatch.setattr(wiring, "dispatch", lambda: world.dispatch)
    actions.stop_agent("ann")
    assert world.post.frames[-1] == ("agent-1", {"type": "sleep"})
    assert [reason for _, reason in world.containers.stops] == ["stopped by the user"]


def test_the_row_says_so_whatever_reaches_the_container_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes down from the row who has ended it: ECS's signal may overtake the frame."""
    world = answered()
    monkeypatch.setattr(wiring, "dispatch", lambda: world.dispatch)
    running = world.tasks.get("ann")
    world.post.gone.add("agent-1")
    assert actions.stop_agent("ann")["status"] == "Stopping"
    assert world.tasks.get("ann").status is Status.STOPPING
    world.tasks.rows["ann"] = replace(running, status=Status.STARTING)
    actions.stop_agent("ann")
    assert world.tasks.get("ann").status is Status.STARTING, "one that starts may not be taken for one that ran"
    assert len(world.containers.stops) == 2


class Wishes:
    """The row of the wish, in memory."""

    wanted: dict[str, int]

    def ask(self, user_id: str, generation: int) -> None:
        self.wanted[user_id] = generation

    def take(self, user_id: str, generation: int) -> bool:
        return self.wanted.get(user_id) == generation and self.wanted.pop(user_id) == generation

    def overdue(self) -> list[tuple[str, int]]:
        return list(self.wanted.items())


class NothingOwed:
    """To no chat and no device."""

    def bring_forward(self, task: Task) -> Task:
        return task


def anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Wishes.wanted = {}
    monkeypatch.setattr(wiring, "dispatch", lambda: world.dispatch)
    monkeypatch.setattr(wiring, "owed", NothingOwed)
    for place in (actions, endings):
        monkeypatch.setattr(place, "Anew", Wishes)


def ended(generation: int) -> dict[str, object]:
    """ECS's event."""
    names = [{"name": "USER_ID", "value": "ann"}, {"name": "GENERATION", "value": str(generation)}]
    return {"detail": {"overrides": {"containerOverrides": [{"name": "agent", "environment": names}]}}}


def test_an_agent_that_begins_anew_ends_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """It saves before the next one starts. Its end may be told twice, and what waits is answered by the next."""
    world = answered()
    anew(world, monkeypatch)
    assert actions.restart_agent("ann")["status"] == "Stopping"
    world.inbox.put(world.message("waiting"))
    assert [generation for _, generation in world.containers.runs] == [1]
    world.kill()
    world.tasks.released("ann", 1)
    for _ in range(2):
        handlers.task_stopped(ended(1))
    assert [generation for _, generation in world.containers.runs] == [1, 2]
    world.boot()
    assert world.answer_all() == ["waiting"]


def test_an_end_that_nobody_tells_of_is_found_by_the_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    """ECS's event was lost. What runs yet is left alone, and the late event starts no third one."""
    world = answered()
    anew(world, monkeypatch)
    world.connections.rows["tab"] = Connection("tab", "ann", "https://api")
    actions.restart_agent("ann")
    assert tick(world.dispatch, Wishes()) == 0, "it has not ended yet"
    world.kill()
    world.tasks.released("ann", 1)
    assert tick(world.dispatch, Wishes()) == 1
    handlers.task_stopped(ended(1))
    assert tick(world.dispatch, Wishes()) == 0
    assert [generation for _, generation in world.containers.runs] == [1, 2]
    assert world.post.frames[-1][1]["status"] == "Starting"


def test_a_wish_that_was_fulfilled_otherwise_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = answered()
    anew(world, monkeypatch)
    actions.restart_agent("ann")
    world.kill()
    world.tasks.released("ann", 1)
    world.dispatch.ensure_running("ann")
    assert tick(world.dispatch, Wishes()) == 0
    assert Wishes.wanted == {}
    assert [generation for _, generation in world.containers.runs] == [1, 2]


def test_one_that_sleeps_just_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    anew(world, monkeypatch)
    assert actions.restart_agent("ann")["status"] == "Starting"
    assert (world.containers.stops, Wishes.wanted) == ([], {})
    world.tasks.released("ann", 1)
    world.containers.fail = [StartFailed("CAPACITY", "x"), StartFailed("CAPACITY", "x")]
    with pytest.raises(ProtocolError) as refused:
        actions.restart_agent("ann")
    assert refused.value.code == "CAPACITY"
    assert "message to it starts it" in refused.value.message


def test_to_wake_an_agent_starts_one_that_sleeps_and_leaves_one_that_is_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another tab or an automation may have been first: what runs goes on."""
    world = World()
    anew(world, monkeypatch)
    assert actions.wake("ann")["status"] == "Starting"
    assert actions.wake("ann")["status"] == "Starting"
    world.boot()
    assert actions.wake("ann")["status"] == "Running"
    assert (world.containers.stops, Wishes.wanted) == ([], {})
    assert [generation for _, generation in world.containers.runs] == [1]


def test_to_wake_an_agent_that_goes_to_sleep_starts_it_after_that(monkeypatch: pytest.MonkeyPatch) -> None:
    world = answered()
    anew(world, monkeypatch)
    world.tasks.begin_stop(world.tasks.get("ann"))
    assert actions.wake("ann")["status"] == "Stopping"
    world.kill()
    world.tasks.released("ann", 1)
    for _ in range(2):
        handlers.task_stopped(ended(1))
    assert [generation for _, generation in world.containers.runs] == [1, 2]


def test_a_wake_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    anew(world, monkeypatch)
    world.containers.fail = [StartFailed("CAPACITY", "x")]
    with pytest.raises(ProtocolError) as refused:
        actions.wake("ann")
    assert refused.value.code == "CAPACITY"
    assert world.tasks.get("ann").status is Status.IDLE


def test_one_that_is_dead_starts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row still says that it runs, and no end will be told any more."""
    world = answered()
    anew(world, monkeypatch)
    world.kill()
    assert actions.restart_agent("ann")["status"] == "Starting"
    assert [generation for _, generation in world.containers.runs] == [1, 2]


def test_a_start_that_fails_then_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = answered()
    anew(world, monkeypatch)
    world.connections.rows["tab"] = Connection("tab", "ann", "https://api")
    actions.restart_agent("ann")
    world.kill()
    world.tasks.released("ann", 1)
    world.containers.fail = [StartFailed("START_FAILED", "x")]
    handlers.task_stopped(ended(1))
    assert world.tasks.get("ann").status is Status.IDLE
    assert ("notice", "START_FAILED") in [(frame["type"], frame.get("code")) for _, frame in world.post.frames]

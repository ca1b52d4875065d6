"""A stage gets another engine while people use it: nothing is stuck, cut off or started twice."""

import pytest

from chalicelib import actions, wiring
from chalicelib.agents.moved import Moved
from chalicelib.agents.runtime import TaskGone
from chalicelib.agents.tasks import RUN_LEASE, LeaseLost, Status, Task
from chalicelib.lifecycle import suspending
from chalicelib.platform.clock import MINUTE
from tests.support.fakes import FakeContainers
from tests.support.world import World, answered

HOUR = 60 * MINUTE
OLD = "arn:task/ann-1"


def changed(suspended: bool = False) -> World:
    """Ann's agent has answered on the engine of before. The functions know the new one only."""
    world = answered()
    world.clock.step(HOUR)
    if suspended:
        world.tasks.suspended("ann", 1, world.clock() + 7 * HOUR)
        world.tasks.agent_gone("ann", 1, "agent-1")
    else:
        world.tasks.heartbeat("ann", 1)
    world.containers.change()
    return world


def row(world: World) -> Task:
    return world.tasks.get("ann")


def test_one_that_runs_goes_on_as_long_as_it_holds_its_lease() -> None:
    """It may be in the middle of a turn."""
    world = changed()
    world.tasks.heartbeat("ann", 1, 100_000)
    for _ in range(3):
        assert world.watchdog.tick()["kept"] == 1
        world.clock.step(MINUTE)
        world.tasks.heartbeat("ann", 1, 100_000)
    outcome = world.send("message-2")
    assert (outcome.task.generation, outcome.started) == (1, False)
    assert world.post.frames[-1][0] == "agent-1"  # it is woken by its socket
    assert len(world.containers.runs) == 1


def test_one_that_died_is_found_by_its_lease() -> None:
    world = changed()
    world.post.gone.add("agent-1")
    assert not world.send("message-2").started
    world.clock.step(RUN_LEASE + 1)
    done = world.watchdog.tick()
    assert (done["stale"], done["restarted"]) == (1, 1)
    assert (row(world).generation, row(world).status) == (2, Status.STARTING)
    assert world.containers.runs[1:] == [("ann", 2)]


def test_one_that_is_suspended_is_replaced_by_the_next_message() -> None:
    """Nobody can resume it, and it has saved. Should it go on all the same, it may not write."""
    world = changed(suspended=True)
    outcomes = [world.send("message-2"), world.send("message-3")]
    assert [(one.task.generation, one.started) for one in outcomes] == [(2, True), (2, False)]
    assert world.containers.runs[1:] == [("ann", 2)]
    with pytest.raises(LeaseLost):
        world.tasks.resumed("ann", 1)


def test_the_watchdog_frees_one_that_is_suspended() -> None:
    world = changed(suspended=True)
    assert world.watchdog.tick()["dead"] == 1
    assert row(world).status is Status.IDLE
    assert len(world.containers.runs) == 1


def test_an_idle_one_is_told_by_its_row() -> None:
    world = changed()
    world.clock.step(HOUR)
    world.tasks.heartbeat("ann", 1)
    assert world.watchdog.tick()["idle"] == 1
    assert world.tasks.heartbeat("ann", 1).status is Status.STOPPING  # the Bridge ends
    world.tasks.released("ann", 1)
    assert world.send("message-2").started


def test_it_asks_to_be_suspended_and_is_freed() -> None:
    world = changed()
    world.tasks.suspended("ann", 1, world.clock() + 7 * HOUR)
    assert suspending.suspend(world.dispatch, "ann", 1) == "gone"
    assert row(world).status is Status.IDLE


@pytest.mark.parametrize("suspended", [False, True], ids=["runs", "suspended"])
def test_its_person_stops_it(suspended: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    world = changed(suspended)
    monkeypatch.setattr(wiring, "dispatch", lambda: world.dispatch)
    actions.stop_agent("ann")
    assert row(world).status is (Status.IDLE if suspended else Status.STOPPING)


@pytest.mark.parametrize("suspended", [False, True], ids=["runs", "suspended"])
def test_its_person_begins_anew(suspended: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that runs hands over first; the row names who is next."""
    world = changed(suspended)
    asked: list[tuple[str, int]] = []

    class Wishes:
        def ask(self, user_id: str, generation: int) -> None:
            asked.append((user_id, generation))

    monkeypatch.setattr(wiring, "dispatch", lambda: world.dispatch)
    monkeypatch.setattr(actions, "Anew", Wishes)
    actions.restart_agent("ann")
    assert asked == [("ann", 1)]
    assert (row(world).generation, row(world).status) == ((2, Status.STARTING) if suspended else (1, Status.STOPPING))


def test_its_person_is_removed() -> None:
    """The fence refuses all that it writes: nobody waits for it."""
    world = changed()
    fenced = Task("ann", status=Status.REMOVED, generation=2, task_arn=OLD, started_at=world.clock())
    assert world.dispatch.dead(fenced, world.containers.states([OLD]))


class TestMoved:
    """MicroVMs now, and ECS before: both are asked, each for its own."""

    def made(self) -> tuple[Moved, FakeContainers, FakeContainers]:
        clock = World().clock
        machines, tasks = FakeContainers(clock), FakeContainers(clock)
        tasks.start("ann", 1)
        machines.foreign |= set(tasks.tasks)
        machines.start("bob", 4)
        return Moved(machines, tasks), machines, tasks

    def test_each_is_asked_for_its_own(self) -> None:
        both, machines, tasks = self.made()
        names = [OLD, "arn:task/bob-4"]
        assert both.states(names) == dict.fromkeys(names, True)
        assert sorted(both.all()) == names
        assert [info.arn for info in both.describe(names)] == names[::-1]
        for name in names:
            both.stop(name, "idle")
        assert (tasks.stops, machines.stops) == ([(OLD, "idle")], [(names[1], "idle")])
        assert both.states([names[1]]) == {names[1]: True}
        assert tasks.describe_calls == [1]  # not without a row that names one

    def test_new_ones_are_machines(self) -> None:
        both, machines, tasks = self.made()
        both.start("cid", 1)
        both.follow("cid", 1)
        assert (machines.runs[-1], machines.follows, len(tasks.runs)) == (("cid", 1), [("cid", 1)], 1)

    def test_only_machines_are_suspended(self) -> None:
        both, machines, _ = self.made()
        both.suspend("arn:task/bob-4")
        both.resume("arn:task/bob-4")
        assert machines.resumes == ["arn:task/bob-4"]
        for call in (both.suspend, both.resume):
            with pytest.raises(TaskGone):
                call(OLD)

"""When a sleeping agent is woken for an automation, and when not."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.agents.runtime import StartFailed
from chalicelib.agents.schedules import Schedules
from chalicelib.agents.tasks import Status, Task
from chalicelib.agents.wakes import start_time
from chalicelib.lifecycle.wake import AHEAD, Wake
from chalicelib.platform.clock import MINUTE, SECOND
from tests.support.fake_tables import FakeClock

MARGIN, HOUR = 90 * SECOND, 60 * MINUTE


class World:
    """One user's row and what is done with it."""

    def __init__(self, due_in: int, **task: Any) -> None:
        self.clock = FakeClock()
        self.task = Task("ann", generation=3, start_ms=40_000, wake_at=self.clock() + due_in, **task)
        self.woken_today, self.over, self.fails = 0, False, False
        self.scheduled: list[int] = []
        self.told: list[str] = []
        self.seen: set[str] = set()

    def get(self, _: str) -> Task:
        return self.task

    def ensure_running(self, _: str, seen: Task) -> Task:
        if self.fails:
            raise StartFailed("CAPACITY", "none")
        if not self.task.live(self.clock()):
            lease = self.clock() + HOUR
            self.task = replace(seen, status=Status.STARTING, generation=seen.generation + 1, lease_until=lease)
        return self.task

    def tell_once(self, _: str, what: str) -> bool:
        new = what not in self.seen
        self.seen.add(what)
        return new

    def count(self, _: str) -> None:
        self.woken_today += 1

    def give_up(self, _: Task) -> None:
        self.task = replace(self.task, wake_at=0)

    def wake(self) -> Wake:
        nothing = SimpleNamespace(get=self.get, forgive=lambda *_: None)
        dispatch: Any = SimpleNamespace(tasks=nothing, ensure_running=self.ensure_running, tell=lambda *_: None)
        wakes: Any = SimpleNamespace(
            today=lambda _: self.woken_today,
            count=self.count,
            tell_once=self.tell_once,
            give_up=self.give_up,
            due_before=lambda until: ["ann"] if 0 < self.task.wake_at <= until else [],
        )
        schedules: Any = SimpleNamespace(margin=MARGIN, set=lambda _, at: self.scheduled.append(at))
        return Wake(
            dispatch, wakes, schedules, lambda _: self.over, lambda _, text: self.told.append(text), 48, self.clock
        )


def test_the_start_leaves_time_for_one_and_a_half_starts_and_the_margin() -> None:
    task = Task("ann", start_ms=40_000, wake_at=1_000_000)
    assert start_time(task, MARGIN) == 1_000_000 - 60_000 - 90_000
    assert start_time(replace(task, start_ms=0), MARGIN) == 1_000_000 - 90_000 - 90_000


def test_it_is_started_once_when_it_is_time() -> None:
    world = World(due_in=2 * MINUTE)
    assert world.wake().fire("ann") == "started"
    assert world.wake().fire("ann") == "nothing"
    assert (world.task.generation, world.woken_today) == (4, 1)


def test_a_schedule_of_an_older_list_is_replaced() -> None:
    world = World(due_in=HOUR)
    assert world.wake().fire("ann") == "scheduled"
    assert world.scheduled == [world.task.wake_at - 150 * SECOND]


@pytest.mark.parametrize("task", [{"status": Status.RUNNING, "lease_until": 10**15}, {"failed_starts": 0}])
def test_one_that_is_awake_or_has_no_automation_is_left_alone(task: dict[str, Any]) -> None:
    world = World(due_in=0, **task)
    if not task.get("status"):
        world.give_up(world.task)
    assert world.wake().fire("ann") == "nothing"


def test_the_watchdog_starts_what_is_overdue_and_schedules_what_is_near() -> None:
    overdue, near, far = World(due_in=-HOUR), World(due_in=AHEAD - SECOND), World(due_in=AHEAD + MINUTE)
    assert [world.wake().tick() for world in (overdue, near, far)] == [1, 0, 0]
    assert [len(world.scheduled) for world in (overdue, near, far)] == [0, 1, 0]


def test_a_start_that_fails_is_tried_again_at_each_tick() -> None:
    world = World(due_in=0)
    world.fails = True
    assert world.wake().tick() == 0
    world.fails = False
    assert (world.wake().tick(), world.woken_today) == (1, 1)


def test_the_days_limit_is_told_once_and_holds_until_the_next_day() -> None:
    world = World(due_in=0)
    world.woken_today = 48
    assert [world.wake().fire("ann") for _ in range(3)] == ["limit"] * 3
    assert len(world.told) == 1
    assert "48 times" in world.told[0]
    world.woken_today = 0
    assert world.wake().fire("ann") == "started"


def test_a_spent_month_is_told_once_and_starts_nothing() -> None:
    world = World(due_in=0)
    world.over = True
    assert [world.wake().fire("ann") for _ in range(3)] == ["budget"] * 3
    assert (len(world.told), world.task.generation) == (1, 3)
    world.over = False
    assert world.wake().fire("ann") == "started"


def test_an_agent_that_never_gets_ready_is_given_up() -> None:
    world = World(due_in=0, failed_starts=4)
    assert world.wake().fire("ann") == "start"
    assert world.wake().fire("ann") == "nothing"
    assert len(world.told) == 1


def test_a_job_every_minute_is_woken_as_often_as_allowed_and_told_once_a_day() -> None:
    """Two days of a watchdog; each container is gone before the next minute."""
    world = World(due_in=0)
    for day in (1, 2):
        world.woken_today, world.seen = 0, set()  # these rows are named by their day
        woken = 0
        for _ in range(24 * 60):
            world.clock.step(MINUTE)
            if world.wake().tick():
                woken += 1
                world.task = replace(world.task, status=Status.IDLE, wake_at=world.clock() + MINUTE)
        assert (woken, len(world.told)) == (48, day)


def test_a_start_that_never_succeeds_is_tried_on_ticks_then_told_and_left_to_the_person() -> None:
    """Each container dies before it is ready; the fifth start does not happen."""
    world = World(due_in=0)
    outcomes = []
    for _ in range(8):
        outcomes.append(world.wake().tick())
        if outcomes[-1]:
            failed = world.task.failed_starts + 1
            world.task = replace(world.task, status=Status.IDLE, failed_starts=failed)
        world.clock.step(5 * MINUTE)
    assert outcomes == [1, 1, 1, 1, 0, 0, 0, 0]
    assert len(world.told) == 1
    assert "did not start" in world.told[0]


def test_without_a_target_nothing_is_scheduled() -> None:
    schedules = Schedules.from_env({})
    schedules.set("ann", 1)
    schedules.clear("ann")

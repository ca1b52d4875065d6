"""The watchdog's tick, on fakes."""

import time

import pytest

from chalicelib.agents.activity import QUIET_TIMEOUT, USUAL, USUAL_TIMEOUT, hour_of_week, idle_timeout
from chalicelib.agents.runtime import StartFailed, TaskInfo
from chalicelib.agents.tasks import RUN_LEASE, START_LEASE, Status
from chalicelib.people.preferences import Choice
from chalicelib.platform.clock import DAY, MINUTE
from tests.support.world import World, answered

TICK = 5 * MINUTE
HOUR = 60 * MINUTE


def idle_for(world: World, ms: int, user: str = "ann") -> None:
    """Time passes with heartbeats and without messages."""
    world.clock.step(ms)
    world.tasks.heartbeat(user, world.tasks.get(user).generation)


def test_an_idle_container_is_stopped_after_its_timeout_and_not_before() -> None:
    world = answered()
    idle_for(world, QUIET_TIMEOUT - 1)
    world.watchdog.tick()
    assert world.containers.stops == []
    idle_for(world, 1)
    world.watchdog.tick()
    assert world.containers.stops == [("arn:task/ann-1", "idle")]
    assert world.tasks.get("ann").status is Status.STOPPING


def test_a_running_turn_is_never_cut() -> None:
    world = answered()
    world.send("message-2")
    message = world.inbox.waiting("ann")[0]
    world.inbox.claim(message, 1, {})
    for _ in range(60):
        world.clock.step(MINUTE)
        world.tasks.heartbeat("ann", 1, busy_for=2 * MINUTE)
        world.watchdog.tick()
    assert world.containers.stops == []


def test_a_message_between_the_look_and_the_stop_keeps_the_container() -> None:
    world = answered()
    idle_for(world, QUIET_TIMEOUT)
    stale = world.tasks.get("ann")
    world.send("message-2")
    world.inbox.claim(world.inbox.waiting("ann")[0], 1, {})
    world.tasks.active = lambda: [stale]  # type: ignore[method-assign]
    world.watchdog.tick()
    assert world.containers.stops == []


def test_usual_hours_are_learned_in_the_users_own_time_zone() -> None:
    world = answered()
    zone = "Asia/Seoul"
    hour = hour_of_week(world.clock(), zone)
    assert hour != hour_of_week(world.clock(), "UTC")
    assert idle_timeout(Choice(time_zone=zone), {hour: 3}, world.clock()) == USUAL_TIMEOUT
    assert idle_timeout(Choice(time_zone=zone), {(hour + 1) % 168: 3}, world.clock()) == USUAL_TIMEOUT
    assert idle_timeout(Choice(time_zone=zone), {(hour + 2) % 168: 3}, world.clock()) == QUIET_TIMEOUT
    assert idle_timeout(Choice(time_zone=zone), {hour: 2}, world.clock()) == QUIET_TIMEOUT


def test_the_users_own_timeout_wins() -> None:
    world = answered()
    world.choices.choices["ann"] = Choice(idle_timeout_minutes=60)
    idle_for(world, 59 * MINUTE)
    world.watchdog.tick()
    assert world.containers.stops == []
    idle_for(world, MINUTE)
    world.watchdog.tick()
    assert world.containers.stops == [("arn:task/ann-1", "idle")]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul"])
def test_a_container_is_kept_longer_in_an_hour_in_which_its_user_was_here_before(zone: str) -> None:
    """Three messages last week in the same hour of the user's week."""
    world = answered()
    world.choices.choices["ann"] = Choice(time_zone=zone)
    world.clock.step(-7 * DAY)
    for _ in range(USUAL):
        world.habits.record("ann", zone)
    world.clock.step(7 * DAY)
    idle_for(world, 11 * MINUTE)
    world.watchdog.tick()
    assert world.containers.stops == []
    idle_for(world, 19 * MINUTE - 1)
    world.watchdog.tick()
    assert world.containers.stops == []
    idle_for(world, 1)
    world.watchdog.tick()
    assert world.containers.stops == [("arn:task/ann-1", "idle")]


@pytest.mark.parametrize(("user", "earlier", "times"), [("ann", 0, USUAL - 1), ("ann", 2, USUAL), ("bob", 0, USUAL)])
def test_use_that_is_rare_or_of_another_hour_or_user_keeps_no_container(user: str, earlier: int, times: int) -> None:
    world = answered()
    world.clock.step(-earlier * HOUR)
    for _ in range(times):
        world.habits.record(user, "UTC")
    world.clock.step(earlier * HOUR)
    idle_for(world, 11 * MINUTE)
    world.watchdog.tick()
    assert world.containers.stops == [("arn:task/ann-1", "idle")]


def test_the_users_own_timeout_wins_over_habits_and_may_be_short() -> None:
    world = answered()
    world.choices.choices["ann"] = Choice(idle_timeout_minutes=5)
    for _ in range(USUAL):
        world.habits.record("ann", "UTC")
    idle_for(world, 5 * MINUTE)
    world.watchdog.tick()
    assert world.containers.stops == [("arn:task/ann-1", "idle")]


def test_a_stale_start_is_stopped_and_started_again() -> None:
    world = World()
    world.send()
    world.clock.step(START_LEASE + 1)
    world.watchdog.tick()
    assert ("arn:task/ann-1", "lease expired") in world.containers.stops
    assert world.tasks.get("ann").generation == 2
    world.boot()
    assert world.answer_all() == ["message-1"]


def test_a_dead_container_with_waiting_messages_is_started_again() -> None:
    world = World()
    world.send()
    world.boot()
    world.kill()
    world.watchdog.tick()
    assert world.tasks.get("ann").generation == 2
    world.boot()
    assert world.answer_all() == ["message-1"]


def test_a_dead_container_without_messages_frees_its_row() -> None:
    world = answered()
    world.kill()
    world.watchdog.tick()
    assert world.tasks.get("ann").status is Status.IDLE
    assert len(world.containers.runs) == 1


def test_a_container_that_stopped_renewing_its_lease_is_stopped() -> None:
    world = answered()
    world.clock.step(RUN_LEASE + 1)
    world.watchdog.tick()
    assert world.containers.stops == [("arn:task/ann-1", "lease expired")]
    assert world.tasks.get("ann").status is Status.IDLE


@pytest.mark.parametrize("user", ["ann", "nobody", None])
def test_an_orphan_is_stopped(user: str | None) -> None:
    world = answered()
    arn = "arn:task/orphan"
    world.containers.tasks[arn] = TaskInfo(arn, user, 7, world.clock())
    world.watchdog.tick()
    assert world.containers.stops == []  # it may be a start that is not recorded yet
    idle_for(world, TICK)
    world.watchdog.tick()
    assert world.containers.stops == [(arn, "orphan")]


def test_a_start_whose_arn_was_not_recorded_is_no_orphan() -> None:
    world = World()
    task = world.tasks.begin_start("ann")
    arn = world.containers.start("ann", task.generation)
    world.clock.step(3 * MINUTE)
    world.watchdog.tick()
    assert world.containers.stops == []
    assert arn in world.containers.tasks


def test_a_stranded_message_is_started_for_and_a_failing_start_stops_nobody_else() -> None:
    world = World()
    world.inbox.put(world.message("message-1", "ann"))
    world.inbox.put(world.message("message-1", "bob"))
    world.containers.fail = [StartFailed("CAPACITY", "RESOURCE:CPU")]
    assert world.watchdog.tick()["restarted"] == 1
    assert world.watchdog.tick()["restarted"] == 1
    assert {user for user, _ in world.containers.runs} == {"ann", "bob"}


def test_a_prewarmed_container_is_kept_until_its_time_is_up() -> None:
    world = World()
    world.tasks.begin_start("prewarm#0", world.clock() + 60 * MINUTE)
    world.tasks.launched("prewarm#0", 1, world.containers.start("prewarm#0", 1))
    world.boot("prewarm#0")
    idle_for(world, 59 * MINUTE, "prewarm#0")
    world.watchdog.tick()
    assert world.containers.stops == []
    idle_for(world, 2 * MINUTE, "prewarm#0")
    world.watchdog.tick()
    assert [reason for _, reason in world.containers.stops] == ["idle"]


def test_ten_thousand_rows_in_one_tick() -> None:
    """Far within the function's 240 s, and ECS is asked for all of them at once."""
    world = World()
    for number in range(10_000):
        user = f"user-{number}"
        world.tasks.begin_start(user)
        world.tasks.launched(user, 1, world.containers.start(user, 1))
        world.boot(user)
    begun = time.monotonic()
    done = world.watchdog.tick()
    assert time.monotonic() - begun < 5
    assert done["kept"] == 10_000
    assert world.containers.describe_calls == [10_000], "one call of ours; Containers asks for 100 in each of ECS's"

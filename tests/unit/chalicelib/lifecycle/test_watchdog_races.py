"""What may happen between the watchdog's look at a row and what it does about it."""

from typing import Any

import pytest

from chalicelib.agents.activity import QUIET_TIMEOUT
from chalicelib.agents.runtime import StartFailed, TaskInfo
from chalicelib.agents.tasks import RUN_LEASE, LeaseLost, Status, Task
from chalicelib.lifecycle.dispatch import UNKNOWN_FOR
from chalicelib.lifecycle.watchdog import ORPHAN_AGE
from chalicelib.platform.clock import MINUTE
from tests.support.world import World, answered


def reads(world: World, *rows: Task) -> None:
    """What the watchdog's query returns, however old."""
    world.tasks.active = lambda: list(rows)  # type: ignore[method-assign]


def test_a_task_that_renews_its_lease_during_a_long_tick_is_not_stopped() -> None:
    """10,000 rows take minutes: the last of them are looked at long after they were read."""
    world = answered()
    read, now = world.tasks.get("ann"), world.clock()
    world.clock.step(RUN_LEASE + MINUTE)
    world.tasks.heartbeat("ann", 1)
    assert world.watchdog._look_at(read, world.containers.states([str(read.task_arn)]), now) == "kept"
    reads(world, read)  # and even a row that looks expired is asked first
    assert world.watchdog.tick()["kept"] == 1
    assert world.containers.stops == []
    assert world.tasks.get("ann").status is Status.RUNNING


def test_a_stop_that_ecs_did_not_hear_of_is_told_again() -> None:
    world = answered()
    world.clock.step(QUIET_TIMEOUT)
    world.tasks.heartbeat("ann", 1)
    world.containers.failing_stops = 1
    assert world.watchdog.tick()["failed"] == 1
    assert world.tasks.get("ann").status is Status.STOPPING
    world.clock.step(MINUTE)
    world.tasks.heartbeat("ann", 1)
    assert world.watchdog.tick()["stopping"] == 1
    assert world.containers.stops == [("arn:task/ann-1", "stopping")]


def test_one_users_error_does_not_keep_the_next_from_being_started() -> None:
    world = World()
    for user in ("ann", "bob"):
        world.inbox.put(world.message("message-1", user))
    run = world.containers.start
    failed: list[str] = []

    def run_once_broken(user_id: str, generation: int, spot_only: bool = False) -> str:
        if not failed:
            failed.append(user_id)
            raise TimeoutError
        return run(user_id, generation)

    world.containers.start = run_once_broken  # type: ignore[method-assign]
    assert world.watchdog.tick()["restarted"] == 1
    assert {"ann", "bob"} - {user for user, _ in world.containers.runs} == set(failed)


def test_an_orphan_that_cannot_be_stopped_keeps_nobody_waiting() -> None:
    world = World()
    for user in ("ann", "bob"):
        arn = f"arn:task/{user}-7"
        world.containers.tasks[arn] = TaskInfo(arn, user, 7, 0)
    world.inbox.put(world.message("message-1", "eve"))
    world.containers.failing_stops = 1
    done = world.watchdog.tick()
    assert (done["orphan"], done["restarted"]) == (1, 1)
    assert world.watchdog.tick()["orphan"] == 2  # those that ECS has not ended yet are asked again


def test_a_prewarmed_container_that_was_just_claimed_is_not_stopped() -> None:
    world = World()
    world.tasks.begin_start("prewarm#0", world.clock() + MINUTE)
    world.tasks.launched("prewarm#0", 1, world.containers.start("prewarm#0", 1))
    world.boot("prewarm#0")
    world.clock.step(10 * MINUTE)
    world.tasks.heartbeat("prewarm#0", 1)
    read = world.tasks.get("prewarm#0")
    ann = world.tasks.begin_start("ann")
    world.tasks.claim_prewarmed(read, "ann", ann.generation)
    reads(world, read)
    assert world.watchdog.tick()["kept"] == 1
    assert world.containers.stops == []
    with pytest.raises(LeaseLost):
        world.tasks.begin_stop(read)


def test_a_task_that_ecs_does_not_know_yet_is_not_taken_for_dead() -> None:
    world = World()
    world.send()
    world.containers.unknown.add("arn:task/ann-1")
    world.send("message-2")
    assert world.watchdog.tick()["kept"] == 1
    assert world.containers.runs == [("ann", 1)]
    world.clock.step(UNKNOWN_FOR + 1)
    world.send("message-3")
    assert world.containers.runs == [("ann", 1), ("ann", 2)]


def test_a_start_that_fails_while_another_begins_is_told_as_what_it_was() -> None:
    world = World()

    def refused(user_id: str, generation: int, spot_only: bool = False) -> str:
        world.tasks.released(user_id, generation)
        world.tasks.begin_start(user_id)
        raise StartFailed("CAPACITY", "RESOURCE:CPU")

    world.containers.start = refused  # type: ignore[method-assign]
    done = world.send()
    assert done.error is not None
    assert done.error.code == "CAPACITY"
    assert world.tasks.get("ann").generation == 2


def test_a_wake_that_fails_is_a_wake_that_is_lost() -> None:
    """The message is in the inbox, its sender is told so, and no second container is started."""
    from botocore.exceptions import ReadTimeoutError

    world = answered()

    def slow(*_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://api")

    world.post.to = slow  # type: ignore[method-assign,assignment]
    done = world.send("message-2")
    assert done.error is None
    assert len(world.containers.runs) == 1


def test_a_task_whose_owner_only_its_row_knows_is_no_orphan() -> None:
    """A MicroVM's: its row may have been written after the tick has read the rows."""
    world = answered()
    mine = world.tasks.get("ann").task_arn
    for arn in (str(mine), "vm-of-nobody"):
        world.containers.tasks[arn] = TaskInfo(arn, None, 0, world.clock())
    world.clock.step(ORPHAN_AGE)
    assert world.watchdog._stop_orphans(set()) == 1
    assert world.containers.stops == [("vm-of-nobody", "orphan")]

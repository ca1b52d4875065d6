"""Lambda and container disagree about the time: liveness may suffer, correctness may not."""

import pytest

from chalicelib.agents.tasks import RUN_LEASE, LeaseLost, Status
from chalicelib.platform.clock import SECOND
from tests.support.fake_tables import FakeClock, FakeInbox, FakeTasks
from tests.support.world import World

HEARTBEAT = 30 * SECOND


def skewed(world: World, ms: int) -> tuple[FakeClock, FakeTasks, FakeInbox]:
    """The same tables, seen by a container with a clock that is wrong by that much."""
    clock = FakeClock(world.clock.now + ms)
    tasks = FakeTasks(clock)
    tasks.rows, tasks.lock = world.tasks.rows, world.tasks.lock
    inbox = FakeInbox(clock, tasks)
    inbox.rows, inbox.answers = world.inbox.rows, world.inbox.answers
    return clock, tasks, inbox


@pytest.mark.parametrize("skew", [-60, -30, 30, 60])
def test_a_minute_of_skew_takes_no_living_container_away(skew: int) -> None:
    world = World()
    world.send()
    clock, tasks, inbox = skewed(world, skew * SECOND)
    arn = str(world.tasks.get("ann").task_arn)
    tasks.phase("ann", 1, "booting", arn)
    tasks.running("ann", 1, arn)
    claimed = inbox.claim(inbox.waiting("ann")[0], 1, {})
    for _ in range(20):
        for each in (world.clock, clock):
            each.step(HEARTBEAT)
        tasks.heartbeat("ann", 1, busy_for=RUN_LEASE)
        inbox.renew("ann", claimed.id, 1)
        world.watchdog.tick()
        world.send("message-2")
    assert world.containers.stops == []
    assert world.containers.runs == [("ann", 1)]
    inbox.finish(claimed, 1, [])


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_an_hour_of_skew_costs_a_restart_but_answers_once(skew: int) -> None:
    """A clock far behind makes a lease look expired: the next generation wins, the old one can write nothing."""
    world = World()
    world.send()
    _, tasks, inbox = skewed(world, skew * SECOND)
    arn = str(world.tasks.get("ann").task_arn)
    tasks.running("ann", 1, arn)
    claimed = inbox.claim(inbox.waiting("ann")[0], 1, {})
    world.watchdog.tick()
    if skew < 0:
        assert world.tasks.get("ann").generation == 2
        with pytest.raises(LeaseLost):
            inbox.finish(claimed, 1, [])
        world.boot()
        world.clock.step(1)
        assert world.answer_all() == ["message-1"]
    else:
        assert world.tasks.get("ann").status is Status.RUNNING
        inbox.finish(claimed, 1, [])
    assert [message_id for message_id, _ in world.inbox.answers] == ["message-1"]

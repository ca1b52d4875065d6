"""A container started before it is needed, and who gets it."""

import threading
from dataclasses import replace

from chalicelib.agents.runtime import StartFailed
from chalicelib.agents.tasks import PREWARM, Status
from chalicelib.lifecycle.prewarm import Prewarm
from chalicelib.platform.clock import MINUTE
from tests.support.world import World


def prewarming() -> tuple[World, Prewarm]:
    world = World()
    world.dispatch = replace(world.dispatch, claim_prewarmed=True)
    return world, Prewarm(world.tasks, world.containers, 60, world.clock)


def waiting(world: World) -> str:
    """Boot the prewarmed container; its row's key."""
    name = next(row.user_id for row in world.tasks.active() if row.user_id.startswith(PREWARM))
    world.boot(name)
    return name


def test_one_container_is_started_and_a_second_tick_starts_none() -> None:
    world, prewarm = prewarming()
    assert prewarm.tick()
    assert not prewarm.tick()
    waiting(world)
    world.clock.step(5 * MINUTE)
    row = world.tasks.prewarmed()[0]
    world.tasks.heartbeat(row.user_id, row.generation)
    assert not prewarm.tick()
    assert len(world.containers.runs) == 1


def test_a_doubled_schedule_event_starts_one() -> None:
    world, prewarm = prewarming()
    threads = [threading.Thread(target=prewarm.tick) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.containers.runs) == 1


def test_the_first_user_gets_it_and_no_other_is_started() -> None:
    world, prewarm = prewarming()
    prewarm.tick()
    name = waiting(world)
    world.send()
    assert [user for user, _ in world.containers.runs] == [name]
    row = world.tasks.get(name)
    assert (row.prewarm_user, row.prewarm_generation) == ("ann", 1)
    assert world.tasks.get("ann").task_arn == row.task_arn
    assert world.post.frames[-1][1] == {"type": "claimed"}
    world.tasks.released(name, row.generation)
    world.boot()
    assert world.answer_all() == ["message-1"]


def test_a_doubled_event_that_comes_after_the_claim_starts_none() -> None:
    world, prewarm = prewarming()
    prewarm.tick()
    name = waiting(world)
    world.send()
    world.tasks.released(name, 1)
    assert not prewarm.tick()
    assert world.containers.runs == [(name, 1)]
    world.clock.step(MINUTE)
    assert prewarm.tick()


def test_two_users_racing_for_one_container_have_one_winner() -> None:
    for _ in range(30):
        world, prewarm = prewarming()
        prewarm.tick()
        name = waiting(world)
        barrier = threading.Barrier(2)

        def send(user: str, world: World = world, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            world.send(user_id=user)

        threads = [threading.Thread(target=send, args=(user,)) for user in ("ann", "bob")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        arns = {world.tasks.get(user).task_arn for user in ("ann", "bob")}
        assert len(arns) == 2
        assert world.tasks.get(name).task_arn in arns
        assert world.tasks.get(name).prewarm_user in ("ann", "bob")
        assert len(world.containers.runs) == 2


def test_a_failed_prewarm_leaves_no_row_behind() -> None:
    world, prewarm = prewarming()
    world.containers.fail = [StartFailed("CAPACITY", "RESOURCE:CPU")]
    assert not prewarm.tick()
    assert [row for row in world.tasks.active() if row.status is not Status.IDLE] == []


def test_a_prewarmed_container_that_died_is_passed_over() -> None:
    world, prewarm = prewarming()
    prewarm.tick()
    name = waiting(world)
    world.kill(name)
    world.tasks.agent_gone(name, 1, "agent-1")
    world.send()
    assert world.containers.runs[-1] == ("ann", 1)

"""The one path of a message, on fakes."""

import threading

import pytest

from chalicelib.agents.runtime import StartFailed
from chalicelib.agents.tasks import START_LEASE, Status
from chalicelib.platform.clock import MINUTE
from chalicelib.wire.connections import Connection
from chalicelib.wire.protocol import ProtocolError
from tests.support.world import World


def test_a_cold_message_is_kept_and_starts_one_task() -> None:
    world = World()
    done = world.send()
    assert done.task.status is Status.STARTING
    assert world.containers.runs == [("ann", 1)]
    assert [m.id for m in world.inbox.waiting("ann")] == ["message-1"]


def test_messages_while_starting_wait_in_order_and_start_nothing_more() -> None:
    world = World()
    for number in range(5):
        world.send(f"message-{number}")
        world.clock.step(10)
    assert len(world.containers.runs) == 1
    world.boot()
    assert world.answer_all() == [f"message-{number}" for number in range(5)]


def test_a_warm_message_is_woken_with_the_message_itself() -> None:
    world = World()
    world.send()
    world.boot()
    world.answer_all()
    world.send("message-2")
    connection, frame = world.post.frames[-1]
    assert connection == "agent-1"
    assert frame["type"] == "wake"
    assert frame["message"]["id"] == "message-2"
    assert len(world.containers.runs) == 1


def test_a_message_too_large_for_a_frame_wakes_without_it() -> None:
    world = World()
    world.send()
    world.boot()
    world.dispatch.accept(world.message("message-2", text="x" * 30_000))
    assert world.post.frames[-1][1] == {"type": "wake"}


def test_twenty_concurrent_first_messages_start_exactly_one_task() -> None:
    for _ in range(50):
        world = World()
        barrier = threading.Barrier(20)

        def send(number: int, world: World = world, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            world.send(f"message-{number:02}")

        threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert world.containers.runs == [("ann", 1)]
        assert len(world.inbox.waiting("ann")) == 20


def test_a_repeated_id_is_accepted_once() -> None:
    world = World()
    assert not world.send().duplicate
    assert world.send().duplicate
    assert len(world.inbox.waiting("ann")) == 1
    world.boot()
    assert world.answer_all() == ["message-1"]
    world.send()
    assert world.inbox.waiting("ann") == []


def test_a_dead_container_is_replaced_when_its_socket_is_gone() -> None:
    world = World()
    world.send()
    world.boot()
    world.answer_all()
    world.kill()
    done = world.send("message-2")
    assert done.task.status is Status.STARTING
    assert done.task.generation == 2
    world.boot()
    assert world.answer_all() == ["message-2"]


def test_a_lost_socket_of_a_living_container_starts_no_second_one() -> None:
    world = World()
    world.send()
    world.boot()
    world.post.gone.add("agent-1")
    done = world.send("message-2")
    assert done.task.status is Status.RUNNING
    assert len(world.containers.runs) == 1
    assert [m.id for m in world.inbox.waiting("ann")] == ["message-1", "message-2"]


@pytest.mark.parametrize("code", ["START_FAILED", "CAPACITY"])
def test_a_failed_start_is_told_and_the_message_kept(code: str) -> None:
    world = World()
    world.containers.fail = [StartFailed(code, "no")]
    done = world.send()
    assert done.error is not None
    assert done.error.code == code
    assert done.error.message_id == "message-1"
    assert world.tasks.get("ann").status is Status.IDLE
    world.watchdog.tick()
    world.boot()
    assert world.answer_all() == ["message-1"]


def test_a_start_that_shows_no_life_is_started_again_by_the_next_message() -> None:
    world = World()
    world.send()
    world.clock.step(START_LEASE + 1)
    world.send("message-2")
    assert world.tasks.get("ann").generation == 2
    assert world.containers.stops == [("arn:task/ann-1", "lease expired")]


def test_a_message_in_a_stop_is_answered_by_the_next_container() -> None:
    world = World()
    world.send()
    generation = world.boot()
    world.answer_all()
    world.clock.step(60 * MINUTE)
    world.tasks.heartbeat("ann", generation)
    world.watchdog.tick()
    assert world.tasks.get("ann").status is Status.STOPPING
    world.send("message-2")
    assert len(world.containers.runs) == 1
    world.tasks.released("ann", generation)
    world.containers.ended("arn:task/ann-1")
    world.dispatch.restart_if_waiting("ann")
    world.boot()
    assert world.answer_all() == ["message-2"]


def test_over_the_rate_a_message_is_refused_and_not_kept() -> None:
    world = World(rate_limit=2)
    world.send("message-1")
    world.send("message-2")
    with pytest.raises(ProtocolError) as refused:
        world.send("message-3")
    assert refused.value.code == "RATE_LIMITED"
    assert [m.id for m in world.inbox.waiting("ann")] == ["message-1", "message-2"]


def test_the_ack_does_not_wait_for_the_start() -> None:
    world = World()
    order: list[str] = []
    world.dispatch.accept(world.message(), lambda: order.append("ack"))
    assert order == ["ack"]


def test_users_do_not_share_a_container() -> None:
    world = World()
    world.send("message-1", "ann")
    world.send("message-1", "bob")
    assert world.containers.runs == [("ann", 1), ("bob", 1)]


def test_a_container_that_never_becomes_ready_is_not_started_for_ever() -> None:
    """Once more at once, then on ticks, then the sender is told and nothing costs any more."""
    world = World()
    world.connections.rows["tab"] = Connection("tab", "ann", "https://api")
    world.send()

    def dies() -> None:
        task = world.tasks.get("ann")
        world.containers.ended(str(task.task_arn))
        world.dispatch.lost(task)

    dies()
    world.dispatch.restart_if_waiting("ann")
    assert len(world.containers.runs) == 2
    dies()
    world.dispatch.restart_if_waiting("ann")
    assert len(world.containers.runs) == 2, "not at once again"
    for expected in (3, 4):
        world.watchdog.tick()
        assert len(world.containers.runs) == expected
        dies()
    for _ in range(5):
        world.watchdog.tick()
    assert len(world.containers.runs) == 4
    told = [frame for tab, frame in world.post.frames if tab == "tab" and frame.get("code") == "MESSAGE_DEAD"]
    assert [frame["id"] for frame in told] == ["message-1"]
    assert world.conversations.failures == {"message-1": "START_FAILED"}, "a reload shows it too"
    assert world.told_in_chat == ["message-1"]
    assert world.inbox.waiting("ann") == []
    world.send("message-2")
    world.boot()
    assert world.answer_all() == ["message-2"]
    assert world.tasks.get("ann").failed_starts == 0

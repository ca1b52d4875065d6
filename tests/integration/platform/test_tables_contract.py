"""The fakes and the real tables (PynamoDB on moto over HTTP) answer the same questions alike."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.agents.tasks import RUN_LEASE, START_LEASE, AlreadyActive, LeaseLost, Status
from chalicelib.messages.conversations import answer_row
from chalicelib.messages.inbox import BACK_OFF, CLAIM_LEASE, MAX_ATTEMPTS, NotClaimable
from chalicelib.platform.clock import SECOND
from tests.integration.platform.conftest import Tables

RUN = {"runId": "r", "conversationId": "main", "replyTo": "m"}


def test_an_unknown_user_is_idle(tables: Tables) -> None:
    task = tables.tasks.get(tables.user)
    assert (task.status, task.generation, task.live(tables.clock())) == (Status.IDLE, 0, False)


def test_a_start_is_won_once_and_counts_generations(tables: Tables) -> None:
    assert tables.tasks.begin_start(tables.user).generation == 1
    with pytest.raises(AlreadyActive):
        tables.tasks.begin_start(tables.user)
    tables.tasks.released(tables.user, 1)
    assert tables.tasks.begin_start(tables.user).generation == 2
    tables.clock.step(START_LEASE + 1)
    assert tables.tasks.begin_start(tables.user).generation == 3


def test_twenty_at_once_win_one_start(tables: Tables) -> None:
    wins: list[int] = []
    barrier = threading.Barrier(20)

    def start() -> None:
        barrier.wait()
        try:
            wins.append(tables.tasks.begin_start(tables.user).generation)
        except AlreadyActive:
            return

    threads = [threading.Thread(target=start) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wins == [1]


def _writes(tables: Tables, generation: int) -> list[Callable[[], Any]]:
    tasks, user = tables.tasks, tables.user
    return [
        lambda: tasks.launched(user, generation, "arn:x"),
        lambda: tasks.phase(user, generation, "booting", "arn:x"),
        lambda: tasks.running(user, generation, "arn:x"),
        lambda: tasks.heartbeat(user, generation),
        lambda: tasks.heartbeat(user, generation, 1000),
        lambda: tasks.turn_ended(user, generation),
        lambda: tasks.agent_connected(user, generation, "c", "e"),
        lambda: tasks.stopping(user, generation),
        lambda: tasks.released(user, generation),
        lambda: tasks.expired(user, generation),
    ]


def test_an_old_generation_can_write_nothing(tables: Tables) -> None:
    tables.run()
    tables.clock.step(RUN_LEASE + 1)
    tables.run()
    before = tables.tasks.get(tables.user)
    for write in _writes(tables, 1):
        with pytest.raises(LeaseLost):
            write()
    tables.tasks.agent_gone(tables.user, 1, "c")
    assert tables.tasks.get(tables.user) == before


def test_a_whole_life(tables: Tables) -> None:
    user, tasks = tables.user, tables.tasks
    generation = tables.run()
    tasks.agent_connected(user, generation, "agent", "https://api")
    task = tasks.get(user)
    assert task.wakeable(tables.clock())
    assert (task.status, task.phase, task.task_arn) == (Status.RUNNING, "ready", "arn:1")
    assert [row.user_id for row in tasks.active() if row.user_id == user] == [user]
    tasks.agent_gone(user, generation, "another")
    assert tasks.get(user).agent_connection_id == "agent"
    tasks.agent_gone(user, generation, "agent")
    assert not tasks.get(user).wakeable(tables.clock())
    assert tasks.begin_stop(tasks.get(user)).status is Status.STOPPING
    idle = tasks.released(user, generation)
    assert (idle.status, idle.task_arn, idle.generation) == (Status.IDLE, None, generation)
    assert [row for row in tasks.active() if row.user_id == user] == []
    with pytest.raises(LeaseLost):
        tasks.released(user, generation)


def test_only_an_unused_task_is_stopped(tables: Tables) -> None:
    generation = tables.run()
    seen = tables.tasks.get(tables.user)
    tables.clock.step(SECOND)
    before = tables.tasks.get(tables.user).last_activity
    tables.clock.step(SECOND)
    tables.tasks.heartbeat(tables.user, generation, 5 * SECOND, False)
    assert tables.tasks.get(tables.user).last_activity == before, "work of its own is nobody's use"
    tables.tasks.heartbeat(tables.user, generation, 10 * SECOND)
    with pytest.raises(LeaseLost):
        tables.tasks.begin_stop(seen)
    with pytest.raises(LeaseLost):
        tables.tasks.begin_stop(tables.tasks.get(tables.user))  # busy
    tables.clock.step(11 * SECOND)
    tables.tasks.begin_stop(tables.tasks.get(tables.user))


def test_a_row_is_taken_only_from_a_task_that_let_its_lease_expire(tables: Tables) -> None:
    generation = tables.run()
    with pytest.raises(LeaseLost):
        tables.tasks.expired(tables.user, generation)
    tables.clock.step(RUN_LEASE + 1)
    with pytest.raises(LeaseLost):
        tables.tasks.expired(tables.user, generation + 1)
    assert tables.tasks.expired(tables.user, generation).status is Status.IDLE
    with pytest.raises(LeaseLost):
        tables.tasks.expired(tables.user, generation)


def test_a_row_of_a_prewarmed_task_is_used_once(tables: Tables) -> None:
    """Its first user stands in it: a second container would take itself for that user's."""
    name, until = f"prewarm#{tables.user}", tables.clock() + 60_000
    assert tables.tasks.begin_start(name, until).generation == 1
    tables.tasks.released(name, 1)
    tables.clock.step(START_LEASE + 1)
    with pytest.raises(AlreadyActive):
        tables.tasks.begin_start(name, until)


def test_a_prewarmed_task_that_was_claimed_is_not_stopped(tables: Tables) -> None:
    generation = tables.run()
    waiting, other = tables.tasks.get(tables.user), uuid.uuid4().hex
    tables.tasks.begin_start(other)
    tables.tasks.claim_prewarmed(waiting, other, 1)
    with pytest.raises(LeaseLost):
        tables.tasks.begin_stop(waiting)
    assert tables.tasks.get(tables.user).generation == generation


def test_a_message_is_accepted_once(tables: Tables) -> None:
    message = tables.message()
    assert tables.inbox.put(message)
    assert not tables.inbox.put(message)
    assert [m.id for m in tables.inbox.waiting(tables.user)] == [message.id]
    assert tables.user in tables.inbox.users_waiting()


def test_messages_wait_in_the_order_they_were_accepted(tables: Tables) -> None:
    for name in ("message-c", "message-a", "message-b"):
        tables.inbox.put(tables.message(name))
        tables.clock.step(1)
    assert [m.id for m in tables.inbox.waiting(tables.user)] == ["message-c", "message-a", "message-b"]
    assert [m.id for m in tables.inbox.waiting(tables.user, limit=1)] == ["message-c"]


def test_a_claim_is_exclusive_and_makes_the_task_busy(tables: Tables) -> None:
    generation = tables.run()
    tables.inbox.put(tables.message())
    message = tables.inbox.waiting(tables.user)[0]
    claimed = tables.inbox.claim(message, generation, RUN)
    assert (claimed.attempts, claimed.claims, claimed.claimed_by) == (1, 1, generation)
    task = tables.tasks.get(tables.user)
    assert task.busy_until == tables.clock() + CLAIM_LEASE
    assert task.active_runs == (RUN,)
    with pytest.raises(NotClaimable):
        tables.inbox.claim(message, generation, RUN)
    with pytest.raises(NotClaimable):
        tables.inbox.claim(tables.inbox.waiting(tables.user)[0], generation, RUN)


def test_a_claim_needs_the_current_running_generation(tables: Tables) -> None:
    tables.inbox.put(tables.message())
    message = tables.inbox.waiting(tables.user)[0]
    generation = tables.tasks.begin_start(tables.user).generation
    with pytest.raises(LeaseLost):
        tables.inbox.claim(message, generation, RUN)  # Starting
    tables.tasks.running(tables.user, generation, "arn:1")
    with pytest.raises(LeaseLost):
        tables.inbox.claim(message, generation - 1, RUN)
    tables.tasks.stopping(tables.user, generation)
    with pytest.raises(LeaseLost):
        tables.inbox.claim(message, generation, RUN)
    assert tables.inbox.waiting(tables.user)[0].status == "queued"


def test_a_newer_generation_takes_over_a_claim_and_the_old_one_cannot_finish(tables: Tables) -> None:
    old = tables.run()
    tables.inbox.put(tables.message())
    claimed = tables.inbox.claim(tables.inbox.waiting(tables.user)[0], old, RUN)
    tables.clock.step(RUN_LEASE + 1)
    new = tables.run()
    again = tables.inbox.claim(tables.inbox.waiting(tables.user)[0], new, RUN)
    assert (again.attempts, again.claims) == (2, 2)
    writes: list[Callable[[], Any]] = [
        lambda: tables.inbox.finish(claimed, old, []),
        lambda: tables.inbox.finish(claimed, old, [answer_row(claimed, "late", "final", tables.clock())]),
        lambda: tables.inbox.fail(claimed, old, "X"),
        lambda: tables.inbox.hand_back(claimed, old),
        lambda: tables.inbox.renew(tables.user, claimed.id, old),
    ]
    for write in writes:
        with pytest.raises(LeaseLost):
            write()
    tables.inbox.finish(again, new, [])
    assert tables.inbox.waiting(tables.user) == []
    assert tables.tasks.get(tables.user).busy_until == 0
    assert not tables.inbox.put(tables.message())  # its id stays known


def test_a_failing_message_backs_off_then_dies_and_blocks_nobody(tables: Tables) -> None:
    generation = tables.run()
    tables.inbox.put(tables.message("message-1"))
    tables.clock.step(1)
    tables.inbox.put(tables.message("message-2"))
    for attempt in range(1, MAX_ATTEMPTS + 1):
        message = tables.inbox.waiting(tables.user)[0]
        claimed = tables.inbox.claim(message, generation, RUN)
        assert claimed.attempts == attempt
        dead = tables.inbox.fail(claimed, generation, "PROVIDER_ERROR")
        assert dead == (attempt == MAX_ATTEMPTS)
        assert (tables.tasks.get(tables.user).busy_until, tables.tasks.get(tables.user).active_runs) == (0, ())
        if not dead:
            with pytest.raises(NotClaimable):
                tables.inbox.claim(tables.inbox.waiting(tables.user)[0], generation, RUN)
            tables.clock.step(BACK_OFF[attempt - 1])
            tables.tasks.heartbeat(tables.user, generation)
    assert [m.id for m in tables.inbox.waiting(tables.user)] == ["message-2"]
    tables.inbox.claim(tables.inbox.waiting(tables.user)[0], generation, RUN)


def test_a_message_handed_back_uses_up_no_try(tables: Tables) -> None:
    generation = tables.run()
    tables.inbox.put(tables.message())
    claimed = tables.inbox.claim(tables.inbox.waiting(tables.user)[0], generation, RUN)
    tables.inbox.hand_back(claimed, generation)
    again = tables.inbox.claim(tables.inbox.waiting(tables.user)[0], generation, RUN)
    assert (again.attempts, again.claims) == (1, 2)


def test_an_expired_claim_is_free_again(tables: Tables) -> None:
    generation = tables.run()
    tables.inbox.put(tables.message())
    tables.inbox.claim(tables.inbox.waiting(tables.user)[0], generation, RUN)
    tables.clock.step(CLAIM_LEASE + 1)
    tables.tasks.heartbeat(tables.user, generation)
    assert tables.inbox.claim(tables.inbox.waiting(tables.user)[0], generation, RUN).attempts == 2


def test_a_message_taken_back_is_gone_unless_it_is_claimed(tables: Tables) -> None:
    generation = tables.run()
    tables.inbox.put(tables.message("message-1"))
    assert tables.inbox.take_back(tables.user, "message-1")
    assert tables.inbox.waiting(tables.user) == []
    tables.inbox.put(tables.message("message-2"))
    tables.inbox.claim(tables.inbox.waiting(tables.user)[0], generation, RUN)
    assert not tables.inbox.take_back(tables.user, "message-2")
    assert not tables.inbox.take_back(tables.user, "unknown-1")

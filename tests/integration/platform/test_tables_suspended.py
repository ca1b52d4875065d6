"""A task that sleeps or is suspended: the fakes and the real tables answer alike."""

import pytest

from chalicelib.agents.tasks import RUN_LEASE, LeaseLost, Status
from chalicelib.platform.clock import MINUTE, SECOND
from tests.integration.platform.conftest import Tables

RUN = {"runId": "r", "conversationId": "main", "replyTo": "m"}
HOUR = 60 * MINUTE


def test_the_person_stops_an_agent_that_runs(tables: Tables) -> None:
    generation = tables.run()
    seen = tables.tasks.get(tables.user)
    tables.tasks.heartbeat(tables.user, generation, 10 * SECOND)  # busy as it is
    assert tables.tasks.put_to_sleep(seen).status is Status.STOPPING
    with pytest.raises(LeaseLost):
        tables.tasks.put_to_sleep(seen)
    tables.tasks.released(tables.user, generation)
    with pytest.raises(LeaseLost):
        tables.tasks.put_to_sleep(seen)


def test_a_suspended_task_keeps_its_lease_until_its_end(tables: Tables) -> None:
    generation, until = tables.run(), tables.clock() + 7 * HOUR
    task = tables.tasks.suspended(tables.user, generation, until)
    assert (task.status, task.lease_until, task.wakeable(tables.clock())) == (Status.SUSPENDED, until, False)
    tables.clock.step(6 * HOUR)
    assert tables.tasks.get(tables.user).near(tables.clock())
    with pytest.raises(LeaseLost):
        tables.tasks.expired(tables.user, generation)
    tables.clock.step(HOUR + 1)
    assert tables.tasks.expired(tables.user, generation).status is Status.IDLE


def test_a_task_that_runs_a_turn_is_not_suspended(tables: Tables) -> None:
    generation = tables.run()
    tables.inbox.put(tables.message())
    claimed = tables.inbox.claim(tables.message(), generation, RUN)
    with pytest.raises(LeaseLost):
        tables.tasks.suspended(tables.user, generation, tables.clock() + HOUR)
    tables.inbox.finish(claimed, generation, [])
    tables.tasks.suspended(tables.user, generation, tables.clock() + HOUR)
    tables.inbox.put(tables.message("message-2"))
    with pytest.raises(LeaseLost):  # nothing is claimed by what is about to be frozen
        tables.inbox.claim(tables.message("message-2"), generation, RUN)


def test_a_resumed_task_has_a_short_lease_again(tables: Tables) -> None:
    generation = tables.run()
    tables.tasks.suspended(tables.user, generation, tables.clock() + HOUR)
    for _ in range(2):  # by whoever wakes it, and by itself
        task = tables.tasks.resumed(tables.user, generation)
        assert (task.status, task.lease_until) == (Status.RUNNING, tables.clock() + RUN_LEASE)


def test_who_lost_the_row_does_not_go_on(tables: Tables) -> None:
    generation = tables.run()
    tables.tasks.suspended(tables.user, generation, tables.clock() + HOUR)
    tables.clock.step(HOUR + 1)
    tables.tasks.expired(tables.user, generation)
    with pytest.raises(LeaseLost):
        tables.tasks.resumed(tables.user, generation)
    tables.run()
    for write in (tables.tasks.resumed, lambda *old: tables.tasks.suspended(*old, 0)):
        with pytest.raises(LeaseLost):
            write(tables.user, generation)


def test_a_suspended_agent_can_be_put_to_sleep(tables: Tables) -> None:
    task = tables.tasks.suspended(tables.user, tables.run(), tables.clock() + HOUR)
    assert tables.tasks.put_to_sleep(task).status is Status.STOPPING

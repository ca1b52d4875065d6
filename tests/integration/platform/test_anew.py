"""The wish to begin anew, in the table: one caller takes it, and the watchdog finds it when nobody has."""

import uuid

import pytest

from chalicelib.agents.anew import DUE, KEPT, LATE, Anew
from chalicelib.platform.models import TaskRow
from tests.support.fake_tasks import FakeClock

pytestmark = pytest.mark.usefixtures("cloud")


def test_one_caller_takes_it_and_only_for_its_generation() -> None:
    user, clock = uuid.uuid4().hex, FakeClock(1_000_000)
    wishes = Anew(clock)
    wishes.ask(user, 3)
    assert [wishes.take(user, generation) for generation in (2, 4, 3, 3)] == [False, False, True, False]
    wishes.ask(user, 4)
    clock.step(KEPT + 2_000)
    assert not wishes.take(user, 4), "too late: the person has gone on"


def test_the_watchdog_finds_it_after_a_while_until_it_is_taken_or_over() -> None:
    user, clock = uuid.uuid4().hex, FakeClock(2_000_000)
    wishes = Anew(clock)
    wishes.ask(user, 3)

    def found() -> list[int]:
        return [generation for name, generation in wishes.overdue() if name == user]

    assert found() == []
    clock.step(LATE)
    assert found() == [3]
    assert wishes.take(user, 3)
    assert found() == []
    wishes.ask(user, 4)
    clock.step(KEPT + 2_000)
    assert found() == []


def test_a_row_that_expired_meanwhile_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index follows the table a moment later."""
    user, clock = uuid.uuid4().hex, FakeClock(3_000_000)
    wishes = Anew(clock)
    wishes.ask(user, 3)
    clock.step(LATE)
    rows = [TaskRow("anew#nobody"), *TaskRow.by_wake.query(DUE)]
    monkeypatch.setattr(TaskRow.by_wake, "query", lambda *_: rows)
    assert (user, 3) in wishes.overdue()

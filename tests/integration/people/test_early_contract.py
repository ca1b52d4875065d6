"""The rows of early starts: the fakes and the real tables answer alike, and no race exceeds a budget."""

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bridge.life.arrivals import Arrivals
from bridge.turns.choices import Choices
from chalicelib.agents.activity import Activity
from chalicelib.agents.habits import Habit, Habits, Moved, Visit
from chalicelib.agents.tasks import LeaseLost, Tasks
from chalicelib.messages.inbox import Message
from chalicelib.people.early import EarlyBudget, TooDear
from chalicelib.people.machine_price import microvm, nano_usd
from chalicelib.people.rate import Intents
from chalicelib.people.spending import NANO
from chalicelib.platform.clock import DAY, MINUTE
from tests.support.fake_early import FakeEarlyBudget, FakeHabitRows
from tests.support.fake_tables import FakeClock, FakeTasks
from tests.support.judges import TABLE_SERVERS, OnTables

HOUR = 60 * MINUTE
LIMIT = 0.30


@dataclass
class Rows:
    clock: FakeClock
    budget: Any
    habits: Any
    tasks: Any
    user: str


@pytest.fixture(params=["fake", *TABLE_SERVERS])
def rows(request: pytest.FixtureRequest, on_tables: OnTables) -> Iterator[Rows]:
    clock, user = FakeClock(), uuid.uuid4().hex
    if request.param == "fake":
        yield Rows(clock, FakeEarlyBudget(clock), FakeHabitRows(clock), FakeTasks(clock), user)
        return
    with on_tables(request.param):
        yield Rows(clock, EarlyBudget(clock), Habits(clock), Tasks(clock), user)


def at_once(count: int, work: Callable[[], object]) -> None:
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait()
        work()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_twenty_starts_at_once_never_exceed_the_budget(rows: Rows) -> None:
    paid: list[Any] = []

    def reserve() -> None:
        try:
            paid.append(rows.budget.reserve(rows.user, "UTC", rows.clock() + HOUR, LIMIT))
        except TooDear:
            return

    at_once(20, reserve)
    month = rows.budget.month(rows.user, "UTC")
    assert len(paid) == month.starts == int(LIMIT * NANO / nano_usd(62 * MINUTE))
    assert month.usd <= LIMIT


def test_what_was_not_used_is_given_back(rows: Rows) -> None:
    budget, user = rows.budget, rows.user
    receipt = budget.reserve(user, "UTC", rows.clock() + HOUR, LIMIT)
    budget.came(user, receipt, 20 * MINUTE, True)
    assert (budget.month(user, "UTC").starts, budget.month(user, "UTC").ready) == (1, 1)
    assert budget.month(user, "UTC").usd == pytest.approx(nano_usd(20 * MINUTE) / NANO)
    late = budget.reserve(user, "UTC", rows.clock() + HOUR, LIMIT)
    budget.came(user, late, 90 * MINUTE, False)
    budget.cancel(user, budget.reserve(user, "UTC", rows.clock() + HOUR, LIMIT))
    budget.cancel(user, budget.reserve(user, "UTC", rows.clock() + 2 * HOUR, LIMIT, since=rows.clock() + HOUR))
    month = budget.month(user, "UTC")
    assert (month.starts, month.ready) == (2, 1)
    assert month.usd == pytest.approx((nano_usd(20 * MINUTE) + nano_usd(62 * MINUTE)) / NANO)


def test_a_microvm_is_reserved_and_given_back_at_its_own_price(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour of it is six hours of Spot, and each start reads a snapshot: $0.30 are two waits of an hour."""
    monkeypatch.setenv("RUNTIME", "microvm")
    budget, user, price = rows.budget, rows.user, microvm()
    receipt = budget.reserve(user, "UTC", rows.clock() + HOUR, LIMIT)
    assert receipt["nano"] / NANO == pytest.approx(price.start + price.hour * 62 / 60)
    longer = budget.reserve(user, "UTC", rows.clock() + HOUR + 10 * MINUTE, LIMIT, since=rows.clock() + HOUR)
    assert longer["nano"] / NANO == pytest.approx(price.hour / 6)  # the same machine goes on
    budget.cancel(user, longer)
    budget.came(user, receipt, 20 * MINUTE, True)
    assert budget.month(user, "UTC").usd == pytest.approx(price.start + price.hour / 3)
    budget.reserve(user, "UTC", rows.clock() + HOUR, 0.30)
    with pytest.raises(TooDear):  # beside the third of an hour there is room for one
        budget.reserve(user, "UTC", rows.clock() + HOUR, 0.30)
    assert budget.month(user, "UTC").usd <= 0.30


def test_a_month_is_the_users_own_and_what_it_has_left_ends_with_it(rows: Rows) -> None:
    rows.clock.now = 1_796_043_600_000  # 30 November 2026, 13:00 UTC: 22:00 in Seoul
    budget, user = rows.budget, rows.user
    receipt = budget.reserve(user, "Asia/Seoul", rows.clock() + HOUR, LIMIT)
    rows.clock.step(3 * HOUR)
    assert receipt["month"] == "2026-11"
    assert budget.month(user, "Asia/Seoul").starts == 0, "December"
    assert budget.month(user, "UTC").starts == 1
    with pytest.raises(TooDear):
        budget.reserve(user, "Asia/Seoul", rows.clock() + HOUR, 0.0)


def test_of_two_ticks_one_changes_a_habit(rows: Rows) -> None:
    habits, user, now = rows.habits, rows.user, rows.clock()
    assert habits.get(user) is None
    habits.project(user, Visit(9, now - MINUTE, now + HOUR))
    assert user in habits.due(10_000)
    seen = habits.get(user)
    assert seen == Habit(user, now - MINUTE, 9, now + HOUR)
    begun = habits.begin(seen)
    with pytest.raises(Moved):
        habits.begin(seen)
    with pytest.raises(Moved):
        habits.move(seen, None)
    assert habits.get(user) == begun == Habit(user, now + HOUR, 9, now + HOUR, True)
    assert user not in habits.due(10_000)
    habits.later(begun, now + MINUTE)
    later = habits.get(user)
    assert later == Habit(user, now + MINUTE, 9, now + HOUR)
    habits.move(later, Visit(10, now + DAY, now + DAY + HOUR))
    assert habits.get(user) == Habit(user, now + DAY, 10, now + DAY + HOUR)
    habits.project(user, None)
    assert habits.get(user) is None


def test_an_early_start_is_on_the_row_until_a_person_writes_or_it_is_over(rows: Rows) -> None:
    tasks, user, receipt = rows.tasks, rows.user, {"month": "2026-11", "nano": 5}
    task = tasks.begin_start(user, early=(rows.clock() + HOUR, receipt))
    tasks.launched(user, 1, "arn:1")
    tasks.phase(user, 1, "booting", "arn:1")
    ready = tasks.running(user, 1, "arn:1")
    assert (task.early_until, ready.early_until, ready.early) == (ready.early_until, rows.clock() + HOUR, receipt)
    tasks.extend_early(ready, rows.clock() + 2 * HOUR, receipt | {"nano": 7})
    with pytest.raises(LeaseLost):
        tasks.extend_early(ready, rows.clock() + 3 * HOUR, receipt)
    longer = tasks.get(user)
    assert (longer.early_until, longer.early["nano"]) == (rows.clock() + 2 * HOUR, 12)
    tasks.settle_early(ready)
    with pytest.raises(LeaseLost):
        tasks.settle_early(ready)
    tasks.stopping(user, 1)
    with pytest.raises(LeaseLost):
        tasks.extend_early(longer, rows.clock() + 3 * HOUR, receipt)
    tasks.released(user, 1)
    assert (tasks.get(user).early_until, tasks.get(user).early) == (0, None)
    assert tasks.begin_start(user).early is None
    with pytest.raises(LeaseLost):
        tasks.settle_early(ready)


def test_one_sign_in_ten_minutes_counts(table_server: str) -> None:
    clock, user, won = FakeClock(), uuid.uuid4().hex, []
    at_once(8, lambda: won.append(Intents(clock).first(user, 10 * MINUTE)))
    assert won.count(True) == 1
    clock.step(10 * MINUTE - 1)
    assert not Intents(clock).first(user, 10 * MINUTE)
    clock.step(1)
    assert Intents(clock).first(user, 10 * MINUTE)


def test_the_first_message_settles_an_early_start_and_names_the_next_visit(table_server: str) -> None:
    """Ready ten minutes before: counted once, the rest is given back, and the habit's row is for next week."""
    clock, user = FakeClock(), uuid.uuid4().hex
    clock.now = 1_796_029_200_000  # a Monday, 09:00 UTC
    tasks, budget = Tasks(clock), EarlyBudget(clock)
    for week in (2, 1):
        Activity(clock).came(user, "UTC", clock() - week * 7 * DAY)
    receipt = budget.reserve(user, "UTC", clock() + HOUR, LIMIT)
    tasks.begin_start(user, early=(clock() + HOUR, receipt))
    clock.step(MINUTE)
    tasks.running(user, 1, "arn:1")
    clock.step(10 * MINUTE)
    arrivals = Arrivals(user, 1, tasks, Choices(user), clock)
    for number in range(2):
        arrivals.wrote(Message(user, f"message-{number}", "hello", "main", clock() + number * MINUTE))
    month = budget.month(user, "UTC")
    assert (month.starts, month.ready) == (1, 1)
    assert month.usd == pytest.approx(nano_usd(11 * MINUTE) / NANO)
    assert Activity(clock).hours(user)[9].habit
    nine = 1_796_029_200_000 + 7 * DAY
    assert Habits(clock).get(user) == Habit(user, nine - 7 * MINUTE, 9, nine + HOUR)


def test_a_message_before_it_was_ready_is_no_success(table_server: str) -> None:
    clock, user = FakeClock(), uuid.uuid4().hex
    tasks, budget = Tasks(clock), EarlyBudget(clock)
    tasks.begin_start(user, early=(clock() + HOUR, budget.reserve(user, "UTC", clock() + HOUR, LIMIT)))
    asked = clock() + MINUTE
    clock.step(2 * MINUTE)
    tasks.running(user, 1, "arn:1")
    Arrivals(user, 1, tasks, Choices(user), clock).wrote(Message(user, "message-1", "hello", "main", asked))
    assert (budget.month(user, "UTC").starts, budget.month(user, "UTC").ready) == (1, 0)

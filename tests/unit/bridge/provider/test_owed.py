"""A charge that DynamoDB does not take is not forgotten: it counts at once, and is written with the next one."""

import threading

import pytest
from pynamodb.exceptions import UpdateError

from bridge.provider.budget import REACHED, Budget
from chalicelib.people.preferences import Choice
from chalicelib.people.spending import EVERYBODY, Charge, Limits, Month
from chalicelib.providers.routes import KNOWN
from chalicelib.providers.usage import Reader
from chalicelib.wire.protocol import Frame
from tests.support.fake_spending import FakeSpending


class Refusing(FakeSpending):
    """Throttled for the rows named in `closed`."""

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__(limits=limits)
        self.closed: set[str] = set()
        self.error: Exception = UpdateError("throttled")

    def add(self, user_id: str, time_zone: str, charge: Charge) -> Month:
        if user_id in self.closed:
            raise self.error
        return super().add(user_id, time_zone, charge)


@pytest.fixture
def spending() -> Refusing:
    return Refusing(Limits(user_usd=5, total_usd=20))


@pytest.fixture
def told() -> list[Frame]:
    return []


@pytest.fixture
def budget(spending: Refusing, told: list[Frame]) -> Budget:
    budget = Budget(spending)
    budget.serve("ann", Choice, told.append)
    budget.look()
    return budget


def spend(budget: Budget, dollars: float) -> None:
    used = Reader(0, counts={"prompt_tokens": 1}, usd=dollars, ended=True)
    budget.charge(KNOWN[0], "claude-sonnet-5", used)


def test_what_is_owed_is_written_with_the_next_charge(budget: Budget, spending: Refusing) -> None:
    spending.closed = {"ann"}
    spend(budget, 1)
    spend(budget, 1)
    assert spending.month("ann").usd == 0
    assert spending.month(EVERYBODY).usd == 2, "the other row is written all the same"
    spending.closed = set()
    spend(budget, 1)
    assert (spending.month("ann").usd, spending.month("ann").requests) == (3, 3)
    assert spending.month(EVERYBODY).usd == 3


def test_what_is_owed_counts_for_the_limit(budget: Budget, spending: Refusing) -> None:
    spending.closed = {"ann", EVERYBODY}
    spend(budget, 4)
    room = budget.room()
    assert room == pytest.approx(1)
    assert budget.may_call() is None
    spend(budget, 1)
    refusal = budget.may_call()
    assert refusal is not None
    assert (refusal.code, "$5.00 spent" in refusal.text) == (REACHED, True)


def test_everybodys_row_alone_may_fail(budget: Budget, spending: Refusing, told: list[Frame]) -> None:
    spending.closed = {EVERYBODY}
    spend(budget, 4.5)
    assert [frame["code"] for frame in told] == ["BUDGET_NEAR"]
    assert budget.room() == pytest.approx(0.5)


@pytest.mark.parametrize("moment", [Budget.look, Budget.settle])
def test_the_next_message_and_the_end_of_the_task_write_it(budget: Budget, spending: Refusing, moment: object) -> None:
    spending.closed = {"ann", EVERYBODY}
    spend(budget, 2)
    spending.closed = set()
    assert callable(moment)
    moment(budget)
    moment(budget)
    assert [spending.month(row).usd for row in ("ann", EVERYBODY)] == [2, 2]
    assert budget.room() == pytest.approx(3)


def test_an_error_that_nobody_foresaw_loses_no_charge(budget: Budget, spending: Refusing) -> None:
    spending.closed, spending.error = {"ann"}, RuntimeError("not foreseen")
    with pytest.raises(RuntimeError):
        spend(budget, 2)
    assert budget.room() == pytest.approx(3)
    spending.closed = set()
    budget.settle()
    assert spending.month("ann").usd == 2


def test_charges_at_the_same_moment_are_owed_once_each(budget: Budget, spending: Refusing) -> None:
    spending.closed = {"ann"}
    threads = [threading.Thread(target=spend, args=(budget, 0.1)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spending.closed = set()
    budget.settle()
    assert spending.month("ann").usd == pytest.approx(2)
    assert spending.month("ann").requests == 20

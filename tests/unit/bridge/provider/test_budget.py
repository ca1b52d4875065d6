"""The month's limit: told once when it is near, refused before the call when it is reached."""

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pynamodb.exceptions import GetError

from bridge.provider.budget import OVERRUN, REACHED, UNKNOWN, Budget
from bridge.turns.budgeted import Budgeted
from bridge.turns.delivery import Delivery, Run, Stream
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import HOPELESS, Message
from chalicelib.people.preferences import Choice
from chalicelib.people.spending import EVERYBODY, Limits, Month
from chalicelib.providers.routes import KNOWN, Route
from chalicelib.providers.usage import Reader
from chalicelib.wire.protocol import Frame
from tests.support.fake_spending import FakeSpending
from tests.support.fake_tables import FakeClock
from tests.support.fakes import FakeConnections, FakePost

ANTHROPIC = KNOWN[0]


def at(month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(2026, month, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


def used(dollars: float) -> Reader:
    """A call that cost so much, by the provider's own count."""
    return Reader(0, counts={"prompt_tokens": 1}, usd=dollars, ended=True)


class House:
    """A deployment with its clock; each user's Budget is another container's."""

    def __init__(self, limits: Limits | None = None, now: int = at(11, 23)) -> None:
        self.clock = FakeClock(now)
        self.spending = FakeSpending(self.clock, limits)
        self.told: list[Frame] = []

    def budget(self, user: str = "ann", choice: Choice | None = None) -> Budget:
        budget = Budget(self.spending, self.clock)
        budget.serve(user, lambda: choice or Choice(), self.told.append)
        budget.look()
        return budget


def spend(budget: Budget, dollars: float, route: Route = ANTHROPIC) -> None:
    budget.charge(route, "claude-sonnet-5", used(dollars))


def test_below_the_limit_calls_are_made_and_at_it_refused_with_how_to_raise_it() -> None:
    budget = House(Limits(user_usd=5, total_usd=20)).budget()
    spend(budget, 4.99)
    assert budget.may_call() is None
    spend(budget, 0.01)
    refusal = budget.may_call()
    assert refusal is not None
    assert refusal.code == REACHED
    for part in ("$5.00", "Settings", "up to $20.00", "2026-12-01"):
        assert part in refusal.text


def test_the_user_is_told_once_at_eighty_percent() -> None:
    house = House(Limits(user_usd=5))
    budget, second = house.budget(), house.budget()
    spend(budget, 3.9)
    assert house.told == []
    spend(budget, 0.2)
    spend(second, 0.2)  # the next container of the same user
    assert [notice["code"] for notice in house.told] == ["BUDGET_NEAR"]
    assert "82 %" in house.told[0]["message"]


def test_everybodys_limit_stops_everybody() -> None:
    house = House(Limits(user_usd=5, total_usd=6))
    ann, bob = house.budget("ann"), house.budget("bob")
    spend(ann, 3)
    spend(bob, 3)
    ann.look()
    refusal = ann.may_call()
    assert refusal is not None
    assert "everybody" in refusal.text


def test_two_containers_never_pass_the_limit_by_more_than_the_turns_already_running() -> None:
    """Both begin a turn below the limit; both may end it; neither begins another."""
    house = House(Limits(user_usd=5, total_usd=5))
    ann, bob = house.budget("ann"), house.budget("bob")
    spend(ann, 2.4)
    spend(bob, 2.4)
    for budget in (ann, bob):
        budget.look()
        assert budget.refusal() is None
    with ann.turn(), bob.turn():
        for budget in (ann, bob):
            assert budget.may_call() is None
            spend(budget, 0.5)
        assert ann.may_call() is None, "a turn that runs is let to end"
    for budget in (ann, bob):
        budget.look()
        assert budget.refusal() is not None
    assert house.spending.month(EVERYBODY).usd == pytest.approx(5.8)


def test_a_turn_that_goes_in_circles_is_ended() -> None:
    budget = House(Limits(user_usd=1)).budget()
    with budget.turn():
        spend(budget, OVERRUN - 0.01)
        assert budget.may_call() is None
        spend(budget, 0.02)
        assert budget.may_call() is not None
        assert budget.cut_off


def test_what_the_agent_does_between_turns_is_refused_at_the_limit_at_once() -> None:
    budget = House(Limits(user_usd=1)).budget()
    with budget.turn():
        spend(budget, 1.2)
    assert budget.may_call() is not None
    assert not budget.cut_off


def test_the_month_rolls_over_in_the_users_time_zone() -> None:
    """In Seoul December begins at 15:00 UTC on the 30th; the user's month is new, everybody's is not."""
    house = House(Limits(user_usd=5, total_usd=20), now=at(11, 30, 14, 59))
    seoul = house.budget("ann", Choice(time_zone="Asia/Seoul"))
    lisbon = house.budget("bob", Choice(time_zone="Europe/Lisbon"))
    for budget in (seoul, lisbon):
        spend(budget, 5)
        assert budget.may_call() is not None
    house.clock.step(60_000)
    assert seoul.may_call() is None
    assert lisbon.may_call() is not None
    assert house.spending.month("ann", "Asia/Seoul").name == "2026-12"
    house.clock.step(9 * 3_600_000)
    assert lisbon.may_call() is None


def test_a_users_own_limit_counts_but_never_above_everybodys() -> None:
    limits = Limits(user_usd=5, total_usd=20)
    assert limits.of(Choice()) == 5
    assert limits.of(Choice(budget_usd=2)) == 2
    assert limits.of(Choice(budget_usd=500)) == 20


def test_a_model_without_a_price_is_counted_and_marked() -> None:
    house = House()
    budget = house.budget()
    budget.charge(ANTHROPIC, "claude-99", Reader(0, counts={"input_tokens": 10, "output_tokens": 5}, ended=True))
    month = house.spending.month("ann")
    assert (month.usd, month.input_tokens, month.output_tokens, month.inexact) == (0, 10, 5, 1)


def test_without_a_user_nothing_is_called() -> None:
    assert Budget(FakeSpending()).may_call() is not None


def test_the_room_is_what_the_nearer_limit_leaves() -> None:
    house = House(Limits(user_usd=5, total_usd=6))
    ann, bob = house.budget("ann"), house.budget("bob")
    spend(ann, 1)
    assert ann.room() == pytest.approx(4)
    spend(bob, 4)
    ann.look()
    assert ann.room() == pytest.approx(1)
    with ann.turn():
        assert ann.room() == pytest.approx(OVERRUN * 6 - 5)
    house.clock.step(30 * 24 * 3_600_000)
    assert ann.room() is None, "another month: not known before it is read"


class Throttled(FakeSpending):
    """Refuses the next reads, or answers them with what was true before."""

    refuse = 0
    old: Month | None = None

    def month(self, user_id: str, time_zone: str = "UTC") -> Month:
        if self.refuse:
            self.refuse -= 1
            raise GetError("ProvisionedThroughputExceededException")
        return self.old or super().month(user_id, time_zone)


def test_what_is_read_late_does_not_undo_what_is_known() -> None:
    """Calls end beside each other: an older count must not replace a newer one."""
    spending = Throttled(limits=Limits(user_usd=5))
    budget = Budget(spending)
    budget.serve("ann", Choice, lambda _: None)
    budget.look()
    spending.old = spending.month("ann")
    spend(budget, 5)
    budget.look()
    assert budget.may_call() is not None


class FakeAnswerer:
    """Spends while it answers."""

    def __init__(self, budget: Budget, dollars: float, outcome: Outcome) -> None:
        self.budget, self.dollars, self.outcome, self.asked = budget, dollars, outcome, 0

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        self.asked += 1
        spend(self.budget, self.dollars)
        self.budget.may_call()
        return self.outcome

    def steer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        return self.answer(message, stream, delivery)

    def abort(self, message_id: str) -> None: ...
    def interrupt(self) -> None: ...


def ask(budget: Budget, answerer: FakeAnswerer) -> Outcome:
    message, delivery = Message("ann", "m", "hi", "main", 0), Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
    budgeted = Budgeted(answerer, budget)
    budgeted.expect()
    return budgeted.answer(message, Stream(Run("r", "m", "main"), delivery), delivery)


FINAL = Outcome("final", "yes", 1)


def test_a_turn_is_answered_while_another_message_is_being_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is about to start cannot be joined: seen under load, one failed try in a hundred messages."""
    budget = House(Limits(user_usd=10)).budget()
    budgeted = Budgeted(FakeAnswerer(budget, 0.0, FINAL), budget)
    message, delivery = Message("ann", "m", "hi", "main", 0), Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
    start, answered = threading.Thread.start, []

    def slow(thread: threading.Thread) -> None:
        answered.append(budgeted.answer(message, Stream(Run("r", "m", "main"), delivery), delivery))
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", slow)
    budgeted.expect()
    assert answered == [FINAL]


def test_a_turn_is_refused_before_the_agent_is_asked() -> None:
    budget = House(Limits(user_usd=1)).budget()
    answerer = FakeAnswerer(budget, 1.0, FINAL)
    assert ask(budget, answerer) == FINAL
    outcome = ask(budget, answerer)
    assert (outcome.reason, outcome.code, answerer.asked) == ("error", "BUDGET_REACHED", 1)


def test_a_turn_that_was_cut_off_may_go_on_when_the_limit_was_raised_meanwhile() -> None:
    house = House(Limits(user_usd=1))
    budget = house.budget()
    failed = Outcome("error", "half", 1, "PROVIDER_ERROR", "402")

    class Raised(FakeAnswerer):
        def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
            outcome = super().answer(message, stream, delivery)
            house.spending.allowed = Limits(user_usd=5)
            budget.look()
            return outcome

    assert ask(budget, Raised(budget, 2.0, failed)) == failed, "an error to try again, not a reached limit"


def test_a_month_that_could_not_be_read_is_no_reached_limit() -> None:
    """The first look of a container fails: the try fails, the message waits, and the next try looks again."""
    spending = Throttled()
    spending.refuse = 2  # the user's month and everybody's
    budget = Budget(spending)
    budget.serve("ann", Choice, lambda _: None)
    answerer = FakeAnswerer(budget, 0.1, FINAL)
    outcome = ask(budget, answerer)
    assert (outcome.reason, outcome.code, answerer.asked) == ("error", UNKNOWN, 0)
    assert outcome.code not in HOPELESS
    assert ask(budget, answerer) == FINAL


def test_a_failed_look_leaves_what_was_known() -> None:
    spending = Throttled(limits=Limits(user_usd=5))
    budget = Budget(spending)
    budget.serve("ann", Choice, lambda _: None)
    budget.look()
    spending.refuse = 2
    assert ask(budget, FakeAnswerer(budget, 0.1, FINAL)) == FINAL


def test_a_turn_that_was_cut_off_says_why_and_keeps_what_was_said() -> None:
    budget = House(Limits(user_usd=1)).budget()
    failed = Outcome("error", "half", 1, "PROVIDER_ERROR", "402")
    outcome = ask(budget, FakeAnswerer(budget, 2.0, failed))
    assert outcome == replace(failed, code="BUDGET_REACHED", error=outcome.error)
    assert "$1.00" in outcome.error

"""What each call of a model is counted for."""

from bridge.provider.budget import Budget
from chalicelib.people.preferences import Choice
from tests.support.fake_spending import FakeSpending
from tests.support.fake_tasks import FakeClock
from tests.unit.bridge.provider.test_budget import ANTHROPIC, at, used


class FakeShares:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str, str, int]] = []

    def add(self, user_id: str, month: str, cause: str, model: str, nano: int) -> None:
        self.seen.append((user_id, month, cause, model, nano))


def test_a_call_is_counted_for_what_it_was_made_for() -> None:
    """While a message is answered it is the answer's; else the agent works by itself."""
    clock, shares = FakeClock(at(11, 23)), FakeShares()
    budget = Budget(FakeSpending(clock), clock, shares)  # type: ignore[arg-type]
    budget.serve("ann", Choice, lambda _: None)
    causes = [budget.cause()]
    with budget.turn():
        causes.append(budget.cause())
    for cause, dollars in zip(causes, (0.01, 0.02), strict=True):  # counted when the turn may be over
        budget.charge(ANTHROPIC, "claude-sonnet-5", used(dollars), cause)
    name = "anthropic/claude-sonnet-5"
    assert shares.seen == [
        ("ann", "2026-11", "itself", name, 10_000_000),
        ("ann", "2026-11", "answers", name, 20_000_000),
    ]

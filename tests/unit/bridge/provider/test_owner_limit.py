"""The highest limit that an owner sets for a user, at the proxy's budget."""

from chalicelib.people.preferences import Choice
from chalicelib.people.spending import Limits
from tests.unit.bridge.provider.test_budget import House, spend


def test_the_owners_limit_is_the_highest_and_the_refusal_says_who_can_raise_it() -> None:
    """The smaller of both holds; a user who has chosen nothing has what the owner has set."""
    capped = Limits(user_usd=5, total_usd=20, cap_usd=3)
    assert [capped.of(Choice(budget_usd=usd)) for usd in (None, 1, 3, 500)] == [3, 1, 3, 3]
    assert Limits(user_usd=5, total_usd=20, cap_usd=50).of(Choice()) == 20
    house = House(capped)
    budget = house.budget("ann", Choice(budget_usd=500))
    spend(budget, 3)
    refused = budget.may_call()
    assert refused is not None
    assert "limit of $3.00 is reached" in refused.text
    assert "Whoever runs this deployment can raise it" in refused.text
    own = house.budget("bob", Choice(budget_usd=1))
    spend(own, 1)
    refused = own.may_call()
    assert refused is not None
    assert "Raise the limit in Settings on the web page (up to $3.00)" in refused.text

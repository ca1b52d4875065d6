"""The cost of models this month, and the limits on it.

Each model call adds its tokens and price to the user's month in one atomic update, and to the
deployment's (`*`). A user's month follows their time zone; the deployment's month follows UTC.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from pynamodb.exceptions import UpdateError

from chalicelib.people.preferences import DEPLOYMENT, Choice, Preferences
from chalicelib.platform.clock import DAY, SECOND, Clock, now_ms, ttl
from chalicelib.platform.models import SettingItem, SpendingItem
from chalicelib.platform.parallel import both

EVERYBODY = DEPLOYMENT
NANO = 1_000_000_000
KEEP = 400 * DAY
# The user is told once when this share of a limit is reached.
NEAR = 0.8
LIMITS_KEY = "budget"
# A row of the user's that no route of theirs writes.
CAP_KEY = "owner-limit"


@dataclass(frozen=True)
class Charge:
    """Model calls, one as a rule. `exact` is False when a price or a count had to be guessed or is not known."""

    input_tokens: int = 0  # without the cached ones
    output_tokens: int = 0
    cached_tokens: int = 0
    nano_usd: int = 0
    exact: bool = True
    requests: int = 1

    def plus(self, more: "Charge") -> "Charge":
        return Charge(
            self.input_tokens + more.input_tokens,
            self.output_tokens + more.output_tokens,
            self.cached_tokens + more.cached_tokens,
            self.nano_usd + more.nano_usd,
            self.exact and more.exact,
            self.requests + more.requests,
        )


@dataclass(frozen=True)
class Month:
    """The sum of a month's charges."""

    name: str  # as 2026-11
    usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    requests: int = 0
    inexact: int = 0
    told: bool = False


@dataclass(frozen=True)
class Limits:
    """US dollars a month: for each user without a limit of their own, and for all together."""

    user_usd: float = 5.0
    total_usd: float = 20.0
    cap_usd: float | None = None  # what the deployment's owner has set for one user

    @property
    def highest(self) -> float:
        """What a user may set themselves at most."""
        return self.total_usd if self.cap_usd is None else min(self.cap_usd, self.total_usd)

    def of(self, choice: Choice) -> float:
        """A user's own limit, or what the owner has set for them; never more than the highest."""
        usual = self.user_usd if self.cap_usd is None else self.cap_usd
        return min(usual if choice.budget_usd is None else choice.budget_usd, self.highest)


class SpendingService(Protocol):
    def month(self, user_id: str, time_zone: str = "UTC") -> Month: ...
    def add(self, user_id: str, time_zone: str, charge: Charge) -> Month: ...
    def tell(self, user_id: str, month: str) -> bool: ...
    def limits(self, user_id: str | None = None) -> Limits: ...


def month_name(at_ms: int, time_zone: str) -> str:
    return datetime.fromtimestamp(at_ms / SECOND, ZoneInfo(time_zone)).strftime("%Y-%m")


class Spending:
    """Month rows and limits in the Settings table."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def month(self, user_id: str, time_zone: str = "UTC") -> Month:
        """This month so far, strongly consistent."""
        name = month_name(self._clock(), time_zone)
        try:
            return _month(name, SpendingItem.get(user_id, _key(name), consistent_read=True))
        except SpendingItem.DoesNotExist:
            return Month(name)

    def add(self, user_id: str, time_zone: str, charge: Charge) -> Month:
        """Count a charge; the month with it."""
        now = self._clock()
        name = month_name(now, time_zone)
        row = SpendingItem(user_id, _key(name))
        row.update(
            [
                SpendingItem.nano_usd.add(charge.nano_usd),
                SpendingItem.input_tokens.add(charge.input_tokens),
                SpendingItem.output_tokens.add(charge.output_tokens),
                SpendingItem.cached_tokens.add(charge.cached_tokens),
                SpendingItem.requests.add(charge.requests),
                SpendingItem.inexact.add(0 if charge.exact else 1),
                SpendingItem.expires_at.set(ttl(now + KEEP)),
            ]
        )
        return _month(name, row)

    def tell(self, user_id: str, month: str) -> bool:
        """True for the one caller who may tell the user that the limit is near."""
        try:
            SpendingItem(user_id, _key(month)).update(
                [SpendingItem.told.set(1)], condition=SpendingItem.told.does_not_exist()
            )
        except UpdateError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def limits(self, user_id: str | None = None) -> Limits:
        """The deployment's, and for a user what the owner has set for them: one call."""
        names = [(EVERYBODY, LIMITS_KEY), *([(user_id, CAP_KEY)] if user_id is not None else [])]
        rows = {row.key: row.value for row in SettingItem.batch_get(names)}
        return replace(Limits(**rows.get(LIMITS_KEY, {})), cap_usd=rows.get(CAP_KEY, {}).get("usd"))

    def limit(self, limits: Limits) -> None:
        """Set the deployment's limits (`make budget`)."""
        value = {"user_usd": limits.user_usd, "total_usd": limits.total_usd}
        SettingItem(EVERYBODY, LIMITS_KEY).update([SettingItem.value.set(value)])

    def cap(self, user_id: str, usd: float | None) -> None:
        """The owner sets a user's highest limit, or takes it away."""
        row = SettingItem(user_id, CAP_KEY)
        if usd is None:
            row.delete()
        else:
            row.update([SettingItem.value.set({"usd": usd})])


def summary(user_id: str, spending: SpendingService | None = None) -> dict[str, Any]:
    """`cost` of GET /status. `complete` is False when some call's price was not known."""
    spending = spending or Spending()
    choice, limits = both(lambda: Preferences().get(user_id), lambda: spending.limits(user_id))
    month = spending.month(user_id, choice.time_zone)
    usd = round(month.usd, 4)
    cost = {"month": month.name, "usd": usd, "complete": month.inexact == 0, "limitUsd": limits.of(choice)}
    return cost if limits.cap_usd is None else cost | {"capUsd": limits.cap_usd}


def used_up(user_id: str) -> bool:
    """Whether a user's month, or everybody's, is over its limit."""
    spending = Spending()
    choice, limits = both(lambda: Preferences().get(user_id), lambda: spending.limits(user_id))
    mine, all_ = both(
        lambda: spending.month(user_id, choice.time_zone).usd, lambda: spending.month(EVERYBODY, "UTC").usd
    )
    return mine >= limits.of(choice) or all_ >= limits.total_usd


def _key(month: str) -> str:
    return f"spending#{month}"


def _month(name: str, row: SpendingItem) -> Month:
    return Month(
        name,
        (row.nano_usd or 0) / NANO,
        int(row.input_tokens or 0),
        int(row.output_tokens or 0),
        int(row.cached_tokens or 0),
        int(row.requests or 0),
        int(row.inexact or 0),
        bool(row.told),
    )

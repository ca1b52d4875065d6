"""The monthly budget of early starts: what they cost AWS, how many there were, how many were ready in time.

The price is reserved before a start, up to the end of the wait, in one conditional update: a month never holds more
than its limit. When the user comes, what was not used is given back. After a crash it is not, so the sum is never
too small.
"""

from dataclasses import dataclass
from typing import Any

from chalicelib.people.machine_price import nano_usd
from chalicelib.people.preferences import Preferences
from chalicelib.people.spending import KEEP, NANO, month_name
from chalicelib.platform.clock import MINUTE, Clock, now_ms, ttl
from chalicelib.platform.models import EarlyItem
from chalicelib.platform.writes import update

# The wait is over at a heartbeat, and the container saves its memory before it ends.
ENDING = 2 * MINUTE
DEFAULT_USD = 0.30


class TooDear(Exception):
    """This start would exceed the month's budget."""


@dataclass(frozen=True)
class Early:
    """A month's early starts. `usd` holds what is reserved now, too."""

    starts: int = 0
    ready: int = 0
    usd: float = 0.0


class EarlyBudget:
    """Rows `early#<month>` in the Settings table."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def month(self, user_id: str, time_zone: str) -> Early:
        try:
            row = EarlyItem.get(user_id, _key(month_name(self._clock(), time_zone)))
        except EarlyItem.DoesNotExist:
            return Early()
        return Early(int(row.starts or 0), int(row.ready or 0), (row.nano_usd or 0) / NANO)

    def reserve(
        self, user_id: str, time_zone: str, until: int, limit_usd: float, since: int | None = None
    ) -> dict[str, Any]:
        """Pay for a wait until that time; the receipt. `since`: it is paid for until then. Raises TooDear."""
        now = self._clock()
        month = month_name(now, time_zone)
        starts = 0 if since is not None else 1
        price = nano_usd(until + ENDING - now if since is None else until - since, starts)
        most = round(limit_usd * NANO) - price
        if most < 0:
            raise TooDear
        actions = [
            EarlyItem.nano_usd.add(price),
            EarlyItem.starts.add(starts),
            EarlyItem.expires_at.set(ttl(now + KEEP)),
        ]
        fits = EarlyItem.nano_usd.does_not_exist() | (EarlyItem.nano_usd <= most)
        update(EarlyItem(user_id, _key(month)), actions, fits, TooDear)
        return {"month": month, "nano": price, "starts": starts}

    def cancel(self, user_id: str, receipt: dict[str, Any]) -> None:
        """It did not come to it."""
        actions: list[Any] = [EarlyItem.nano_usd.add(-int(receipt["nano"])), EarlyItem.starts.add(-receipt["starts"])]
        EarlyItem(user_id, _key(receipt["month"])).update(actions)

    def came(self, user_id: str, receipt: dict[str, Any], waited: int, ready: bool) -> None:
        """The user came after so many ms: the rest is given back. `ready`: the agent was there before them."""
        unused = max(int(receipt["nano"]) - nano_usd(max(waited, MINUTE), 1), 0)  # ECS charges a minute at least
        actions: list[Any] = [EarlyItem.nano_usd.add(-unused), EarlyItem.ready.add(1 if ready else 0)]
        EarlyItem(user_id, _key(receipt["month"])).update(actions)


def summary(user_id: str, default_usd: float) -> dict[str, Any]:
    """`early` of GET /status."""
    choice = Preferences().get(user_id)
    month = EarlyBudget().month(user_id, choice.time_zone)
    return {
        "starts": month.starts,
        "ready": month.ready,
        "usd": round(month.usd, 4),
        "budgetUsd": choice.early_usd(default_usd),
    }


def _key(month: str) -> str:
    return f"early#{month}"

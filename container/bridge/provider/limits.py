"""What a person reads about the month's limits: the refusals and the notice."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from chalicelib.platform.clock import SECOND

# Codes of a refusal. UNKNOWN means that the month could not be read now: a retry may succeed.
REACHED, UNKNOWN = "BUDGET_REACHED", "BUDGET_UNKNOWN"


@dataclass(frozen=True)
class Refusal:
    """Why no call may be made."""

    code: str
    text: str


NO_USER = Refusal(UNKNOWN, "This container has no user yet.")
NOT_READ = Refusal(UNKNOWN, "It is not known whether this month's limit is reached.")


def mine_reached(usd: float, limit: float, highest: float, until: str, capped: bool = False) -> Refusal:
    """`capped`: the deployment's owner has set the highest limit for this user."""
    how = f"Raise the limit in Settings on the web page (up to ${highest:.2f})"
    if capped and limit >= highest:
        how = "Whoever runs this deployment can raise it (People)"
    return Refusal(
        REACHED,
        f"This month's limit of ${limit:.2f} is reached (${usd:.2f} spent), so the model was not asked. "
        f"{how}, or wait until {until}.",
    )


def everybody_reached(limit: float) -> Refusal:
    return Refusal(
        REACHED,
        f"The limit of ${limit:.2f} a month for everybody here is reached, so the model was not asked. "
        "Whoever runs this deployment can raise it: make budget TOTAL_USD=…",
    )


def near(usd: float, limit: float) -> dict[str, object]:
    """The notice to the user's tabs when most of the limit is used."""
    text = f"{round(100 * usd / limit)} % of this month's limit of ${limit:.2f} is used."
    return {"type": "notice", "code": "BUDGET_NEAR", "message": text, "usd": usd, "limitUsd": limit}


def next_month(now: int, time_zone: str) -> str:
    """The first day of the next month, as a date."""
    today = datetime.fromtimestamp(now / SECOND, ZoneInfo(time_zone))
    return f"{today.year + today.month // 12}-{today.month % 12 + 1:02}-01"

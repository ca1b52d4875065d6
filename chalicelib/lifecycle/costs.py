"""What this month has cost a user, explained: the models by cause, and AWS for the hours of being awake."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.agents.starts import Starts
from chalicelib.people.early import nano_usd
from chalicelib.people.preferences import Preferences
from chalicelib.people.shares import Shares
from chalicelib.people.spending import NANO, month_name
from chalicelib.platform.clock import SECOND, Clock, now_ms
from chalicelib.platform.parallel import both


def explained(user_id: str, clock: Clock = now_ms) -> dict[str, Any]:
    """GET /costs: this month's shares, how long the agent was awake in it (ms), and what AWS charges for that."""
    zone = Preferences().get(user_id).time_zone
    month = month_name(clock(), zone)
    first = datetime.fromtimestamp(clock() / SECOND, ZoneInfo(zone)).replace(day=1, hour=0, minute=0, second=0)
    since = int(first.timestamp()) * SECOND
    parts, awake = both(lambda: Shares(clock).of(user_id, month), lambda: Starts(clock).awake(user_id, since))
    return {"month": month, "parts": parts, "awakeMs": awake, "awsUsd": round(nano_usd(awake) / NANO, 4)}

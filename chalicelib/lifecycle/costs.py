"""What this month has cost a user, explained: the models by cause, and AWS for the hours of being awake."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.agents.starts import Starts
from chalicelib.people.machine_price import NANO, price_of
from chalicelib.people.preferences import Preferences
from chalicelib.people.shares import Shares
from chalicelib.people.spending import month_name
from chalicelib.platform.clock import SECOND, Clock, now_ms
from chalicelib.platform.parallel import both
from chalicelib.platform.settings import MICROVM, Settings


def explained(user_id: str, clock: Clock = now_ms) -> dict[str, Any]:
    """GET /costs: this month's shares, how long the agent was awake in it (ms), and what AWS charges for that.

    `pauses`: how often it was suspended, on an engine that can; not a word of it on the other one.
    """
    zone = Preferences().get(user_id).time_zone
    month = month_name(clock(), zone)
    first = datetime.fromtimestamp(clock() / SECOND, ZoneInfo(zone)).replace(day=1, hour=0, minute=0, second=0)
    since = int(first.timestamp()) * SECOND
    parts, used = both(lambda: Shares(clock).of(user_id, month), lambda: Starts(clock).used(user_id, since))
    settings = Settings.from_env()
    nano = sum(price_of(task, settings).nano(one) for task, one in used)
    pauses = sum(one.suspends for _, one in used)
    told: dict[str, Any] = {"pauses": pauses} if pauses or settings.runtime == MICROVM else {}
    awake = sum(one.running for _, one in used)
    return {"month": month, "parts": parts, "awakeMs": awake, "awsUsd": round(nano / NANO, 4)} | told

"""The heartbeat: how often the agent looks by itself for what needs the person, in which hours, at what price."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from chalicelib.people.machine_price import NANO, Used, microvm
from chalicelib.platform.clock import DAY, MINUTE, SECOND
from chalicelib.platform.settings import MICROVM, Settings

CHOICES = (30, 60, 120, 240, 480)  # minutes, as the page offers them
LEAST, MOST = 30, 24 * 60
DEFAULT_HOURS = "08:00-22:00"
DAYS = 30
EARLIER = 8 * MINUTE  # an agent is started at most this long before its time (agents/wakes.py)
# What AWS takes for waking the agent once (Spot), and how long it runs for that: a test holds both to `make cost`.
WAKE_USD, WAKE = 0.0016, 270 * SECOND
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(([01]\d|2[0-3]):([0-5]\d)|24:00)")


def is_hours(text: str) -> bool:
    """`08:00-22:00`: from the first minute to before the second one; it may go over midnight."""
    return _HOURS.fullmatch(text) is not None and text[:5] != text[6:]


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _inside(minute: int, hours: str | None) -> bool:
    if hours is None:
        return True
    start, end = _minutes(hours[:5]), _minutes(hours[6:])
    return start <= minute < end if start < end else minute >= start or minute < end


def next_beat(at: int, every: int, hours: str | None, zone: str) -> int:
    """The first of OpenClaw's ticks, from `at` on (ms), that is inside the hours: the others do nothing.

    After ticks that nobody ran, OpenClaw runs one as soon as it is started, and that is earlier. So that moment
    must be inside the hours too.
    """
    place = ZoneInfo(zone)
    for tick in _ticks(at, every):
        if _is_open(tick, hours, place) and (tick == at or _is_open(tick - EARLIER, hours, place)):
            return tick
    return at


def _is_open(at: int, hours: str | None, place: ZoneInfo) -> bool:
    local = datetime.fromtimestamp(at / SECOND, UTC).astimezone(place)
    return _inside(local.hour * 60 + local.minute, hours)


def _ticks(at: int, every: int) -> Iterator[int]:
    """Those of two days: an hour that the clock skips comes again."""
    yield from range(at, at + 2 * DAY, max(every, SECOND))


def beats_a_day(minutes: float, hours: str | None) -> float:
    if hours is None:
        return 24 * 60 / minutes
    open_for = (_minutes(hours[6:]) - _minutes(hours[:5])) % (24 * 60) or 24 * 60  # 00:00-24:00
    return open_for / minutes


def wake_usd() -> float:
    """On this deployment's engine. A MicroVM is started for it; one that is only suspended costs about as much."""
    if Settings.from_env().runtime != MICROVM:
        return WAKE_USD
    return microvm().nano(Used(running=WAKE, starts=1)) / NANO


def monthly_usd(minutes: float, hours: str | None, call_usd: float) -> float:
    """At most: each beat makes one call of the model and wakes a sleeping agent."""
    return round(beats_a_day(minutes, hours) * DAYS * (call_usd + wake_usd()), 2)

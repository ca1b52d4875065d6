"""Learns when a user is usually active: a row for each hour of the week, in the user's own time zone."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.people.preferences import Choice
from chalicelib.platform.clock import DAY, MINUTE, SECOND, Clock, now_ms, ttl
from chalicelib.platform.models import ActivityItem
from chalicelib.platform.writes import update

PREFIX = "activity#"
WEEK_HOURS = 168
# A row expires after eight weeks without a message in its hour, because habits change.
MEMORY = 56 * DAY
# With at least this many messages, an hour of the week counts as usual.
USUAL = 3
# If the user came in this hour in three of four weeks, it is a habit, and the agent is started for it. With fewer,
# somebody without habits pays for starts after chance visits; with four, a single miss hides a habit that is one. The
# simulated month compares them (docs/simulation.md).
HABIT_DAYS = 3
FOUR_WEEKS = 28  # days
# After so many starts in a row to which nobody came, the hour is no habit until the user comes in it again.
MISSES = 3
QUIET_TIMEOUT = 10 * MINUTE
USUAL_TIMEOUT = 30 * MINUTE


@dataclass(frozen=True)
class Hour:
    """An hour of the week: messages, whether the user usually comes, starts since then to which they did not come."""

    messages: int = 0
    learned: bool = False
    misses: int = 0

    @property
    def habit(self) -> bool:
        return self.learned and self.misses < MISSES


def recent_days(known: list[str], today: date) -> list[str]:
    """The dates of the last four weeks, with today."""
    first = (today - timedelta(days=FOUR_WEEKS - 1)).isoformat()
    return [*(day for day in known if first <= day < today.isoformat()), today.isoformat()]


def hour_of_week(at_ms: int, time_zone: str) -> int:
    """0 is Monday, midnight to one, in that zone."""
    local = _local(at_ms, time_zone)
    return local.weekday() * 24 + local.hour


def idle_timeout(choice: Choice, counts: dict[int, int], now: int) -> int:
    """The current idle timeout in ms: the user's setting, or a value learned from the user's activity.

    The next hour counts too, so that a container is not stopped at 8:55 if the user usually writes at 9.
    """
    if choice.idle_timeout_minutes is not None:
        return choice.idle_timeout_minutes * MINUTE
    hour = hour_of_week(now, choice.time_zone)
    usual = any(counts.get(near % WEEK_HOURS, 0) >= USUAL for near in (hour, hour + 1))
    return USUAL_TIMEOUT if usual else QUIET_TIMEOUT


class _Known(Exception):
    """It is counted already, or forgotten."""


def _local(at: int, time_zone: str) -> datetime:
    return datetime.fromtimestamp(at / SECOND, ZoneInfo(time_zone))


class Activity:
    """The hours of a user's week, in the Settings table."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def record(self, user_id: str, time_zone: str) -> None:
        """Count one message in this hour of the week."""
        now = self._clock()
        row = ActivityItem(user_id, f"{PREFIX}{hour_of_week(now, time_zone)}")
        row.update([ActivityItem.tally.add(1), ActivityItem.expires_at.set(ttl(now + MEMORY))])

    def came(self, user_id: str, time_zone: str, at: int) -> None:
        """The user came at that time (ms) after a pause: the hour counts once a day, and its misses are forgotten."""
        key, today = f"{PREFIX}{hour_of_week(at, time_zone)}", _local(at, time_zone).date()
        try:
            known = ActivityItem.get(user_id, key, consistent_read=True).days
        except ActivityItem.DoesNotExist:
            known = None
        days = recent_days(known or [], today)
        if known is not None and days == known:
            return
        same = ActivityItem.days.does_not_exist() if known is None else ActivityItem.days == known
        actions: list[Any] = [
            ActivityItem.days.set(days),
            ActivityItem.misses.remove(),
            ActivityItem.expires_at.set(ttl(self._clock() + MEMORY)),
        ]
        if len(days) >= HABIT_DAYS:
            actions.append(ActivityItem.learned.set(1))
        with suppress(_Known):  # the container before this one has counted it just now
            update(ActivityItem(user_id, key), actions, same, _Known)

    def missed(self, user_id: str, hour: int) -> None:
        """The agent was started for this hour, and nobody came. An hour that has expired stays so."""
        row = ActivityItem(user_id, f"{PREFIX}{hour}")
        with suppress(_Known):
            update(row, [ActivityItem.misses.add(1)], ActivityItem.days.exists(), _Known)

    def hours(self, user_id: str) -> dict[int, Hour]:
        rows = ActivityItem.query(user_id, ActivityItem.key.startswith(PREFIX))
        return {
            int(row.key.removeprefix(PREFIX)): Hour(int(row.tally or 0), bool(row.learned), int(row.misses or 0))
            for row in rows
        }

    def counts(self, user_id: str) -> dict[int, int]:
        """Messages in each hour."""
        return {number: hour.messages for number, hour in self.hours(user_id).items()}

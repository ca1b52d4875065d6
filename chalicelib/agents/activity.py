"""Learns when a user is usually active: a row for each hour of the week, in the user's own time zone."""

from dataclasses import dataclass
from datetime import datetime
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
# With at least this many days on which the user came, an hour is a habit: the agent is started for it. One visit is no
# habit, and with two the simulated month has the most starts that were ready for its budget (docs/simulation.md).
HABIT_DAYS = 2
# After so many starts in a row to which nobody came, the hour is no habit until the user comes in it again.
MISSES = 3
QUIET_TIMEOUT = 10 * MINUTE
USUAL_TIMEOUT = 30 * MINUTE


@dataclass(frozen=True)
class Hour:
    """An hour of the week: messages, days on which the user came, and starts since then that nobody used."""

    messages: int = 0
    days: int = 0
    misses: int = 0

    @property
    def habit(self) -> bool:
        return self.days >= HABIT_DAYS and self.misses < MISSES


def hour_of_week(at_ms: int, time_zone: str) -> int:
    """0 is Monday, midnight to one, in that zone."""
    local = datetime.fromtimestamp(at_ms / SECOND, ZoneInfo(time_zone))
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
    """This day is counted already."""


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
        day = datetime.fromtimestamp(at / SECOND, ZoneInfo(time_zone)).date().isoformat()
        new = ActivityItem.last_day.does_not_exist() | (ActivityItem.last_day != day)
        actions = [
            ActivityItem.days.add(1),
            ActivityItem.last_day.set(day),
            ActivityItem.misses.remove(),
            ActivityItem.expires_at.set(ttl(self._clock() + MEMORY)),
        ]
        try:
            update(ActivityItem(user_id, f"{PREFIX}{hour_of_week(at, time_zone)}"), actions, new, _Known)
        except _Known:
            return

    def missed(self, user_id: str, hour: int) -> None:
        """The agent was started for this hour, and nobody came. An hour that has expired stays so."""
        row = ActivityItem(user_id, f"{PREFIX}{hour}")
        try:
            update(row, [ActivityItem.misses.add(1)], ActivityItem.days.exists(), _Known)
        except _Known:
            return

    def hours(self, user_id: str) -> dict[int, Hour]:
        rows = ActivityItem.query(user_id, ActivityItem.key.startswith(PREFIX))
        return {
            int(row.key.removeprefix(PREFIX)): Hour(int(row.tally or 0), int(row.days or 0), int(row.misses or 0))
            for row in rows
        }

    def counts(self, user_id: str) -> dict[int, int]:
        """Messages in each hour."""
        return {number: hour.messages for number, hour in self.hours(user_id).items()}

"""Learns when a user is usually active: one counter per hour of the week, in the user's own time zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from chalicelib.people.preferences import Choice
from chalicelib.platform.clock import DAY, MINUTE, SECOND, Clock, now_ms, ttl
from chalicelib.platform.models import SettingItem

PREFIX = "activity#"
# A counter expires after eight weeks without a message in its hour, because habits change.
MEMORY = 56 * DAY
# With at least this many messages, an hour of the week counts as usual.
USUAL = 3
QUIET_TIMEOUT = 10 * MINUTE
USUAL_TIMEOUT = 30 * MINUTE


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
    usual = any(counts.get(near % 168, 0) >= USUAL for near in (hour, hour + 1))
    return USUAL_TIMEOUT if usual else QUIET_TIMEOUT


class Activity:
    """Counter rows in the Settings table."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def record(self, user_id: str, time_zone: str) -> None:
        """Count one message in this hour of the week."""
        now = self._clock()
        row = SettingItem(user_id, f"{PREFIX}{hour_of_week(now, time_zone)}")
        row.update([SettingItem.tally.add(1), SettingItem.expires_at.set(ttl(now + MEMORY))])

    def counts(self, user_id: str) -> dict[int, int]:
        rows = SettingItem.query(user_id, SettingItem.key.startswith(PREFIX))
        return {int(row.key.removeprefix(PREFIX)): int(row.tally or 0) for row in rows}

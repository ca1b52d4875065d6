"""When a user is usually here: one counter per hour of the week, in the user's own time zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from chalicelib.clock import DAY, MINUTE, SECOND, Clock, now_ms, ttl
from chalicelib.models import SettingItem
from chalicelib.preferences import Choice

PREFIX = "activity#"
# Forgotten after eight weeks without a message in that hour: habits change.
MEMORY = 56 * DAY
# From this many messages in the same hour of the week on, the hour counts as usual.
USUAL = 3
QUIET_TIMEOUT = 10 * MINUTE
USUAL_TIMEOUT = 30 * MINUTE


def hour_of_week(at_ms: int, time_zone: str) -> int:
    """0 is Monday, midnight to one, in that zone."""
    local = datetime.fromtimestamp(at_ms / SECOND, ZoneInfo(time_zone))
    return local.weekday() * 24 + local.hour


def idle_timeout(choice: Choice, counts: dict[int, int], now: int) -> int:
    """How long (ms) a container may idle now: the user's choice, else what use has taught.

    The hour that follows counts too, so that a container is not stopped at five to nine.
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

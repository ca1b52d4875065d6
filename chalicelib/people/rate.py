"""How many messages a user may send: one counter row per user and minute."""

from chalicelib.platform.clock import MINUTE, Clock, now_ms, ttl
from chalicelib.platform.models import SettingItem
from chalicelib.platform.writes import update

MESSAGES_PER_MINUTE = 30


class Rate:
    """Counts in the Settings table; the rows expire by TTL."""

    def __init__(self, limit: int = MESSAGES_PER_MINUTE, clock: Clock = now_ms, name: str = "rate") -> None:
        self._limit = limit
        self._clock = clock
        self._name = name

    def exceeded(self, user_id: str) -> bool:
        """Count one message; True when it is over the limit of this minute."""
        now = self._clock()
        row = SettingItem(user_id, f"{self._name}#{now // MINUTE}")
        row.update([SettingItem.tally.add(1), SettingItem.expires_at.set(ttl(now + 5 * MINUTE))])
        return int(row.tally or 0) > self._limit


class _TooSoon(Exception):
    """It was done a moment ago."""


class Intents:
    """Lets one of many signs that a user is about to write through."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def first(self, user_id: str, within: int) -> bool:
        """True for the one caller within so many ms."""
        now = self._clock()
        actions = [SettingItem.used_at.set(now), SettingItem.expires_at.set(ttl(now + 2 * within))]
        free = SettingItem.used_at.does_not_exist() | (SettingItem.used_at <= now - within)
        try:
            update(SettingItem(user_id, "intent"), actions, free, _TooSoon)
        except _TooSoon:
            return False
        return True

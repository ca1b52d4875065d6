"""How many messages a user may send: one counter row per user and minute."""

from chalicelib.platform.clock import MINUTE, Clock, now_ms, ttl
from chalicelib.platform.models import SettingItem

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

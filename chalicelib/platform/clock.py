"""Time in whole milliseconds since the epoch, the unit of every stored time but TTLs."""

import time
from collections.abc import Callable

Clock = Callable[[], int]

SECOND = 1000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def ttl(at_ms: int) -> int:
    """A DynamoDB TTL value (whole seconds) for a time in milliseconds."""
    return at_ms // SECOND

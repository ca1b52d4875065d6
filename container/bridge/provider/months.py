"""What this container knows about the month: the user's cost, everybody's cost and the limits."""

import threading
from dataclasses import dataclass

from chalicelib.people.spending import Limits, Month, month_name
from chalicelib.platform.clock import Clock


@dataclass(frozen=True)
class Known:
    """The newest state that was read or written."""

    mine: Month
    everybody: Month
    limits: Limits


class Months:
    """Keeps the newest state. Threads read and write it in any order; a sum never goes back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: Known | None = None
        self._lock = threading.Lock()

    def learn(self, mine: Month, everybody: Month, limits: Limits) -> None:
        """Take over a complete reading."""
        with self._lock:
            if self._known is not None:
                mine, everybody = _later(self._known.mine, mine), _later(self._known.everybody, everybody)
            self._known = Known(mine, everybody, limits)

    def written(self, mine: Month | None = None, everybody: Month | None = None) -> None:
        """Take over one row as soon as it is written. Writing the other row may take long."""
        with self._lock:
            known = self._known
            if known is not None:
                mine = _later(known.mine, mine or known.mine)
                self._known = Known(mine, _later(known.everybody, everybody or known.everybody), known.limits)

    def current(self, time_zone: str) -> Known | None:
        """The state; None when nothing was read yet, or when a new month has begun since."""
        with self._lock:
            known = self._known
        if known is None:
            return None
        now = self._clock()
        same = known.mine.name == month_name(now, time_zone) and known.everybody.name == month_name(now, "UTC")
        return known if same else None


def _later(known: Month, read: Month) -> Month:
    """A month's sum only grows, so the greater sum is the later one."""
    return known if known.name == read.name and known.usd > read.usd else read

"""The user's month: counts what models cost, and refuses a call before it is made, not after.

What is known of the month is in months.py, writing the cost in counting.py, the texts in limits.py.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator

from bridge.provider.counting import Counting
from bridge.provider.limits import (
    NO_USER,
    NOT_READ,
    REACHED,
    UNKNOWN,
    Refusal,
    everybody_reached,
    mine_reached,
    near,
    next_month,
)
from bridge.provider.months import Known, Months
from chalicelib.people.preferences import Choice
from chalicelib.people.shares import ANSWERS, BY_ITSELF, Shares
from chalicelib.people.spending import EVERYBODY, NEAR, Month, Spending, SpendingService
from chalicelib.platform import log
from chalicelib.platform.clock import Clock, now_ms
from chalicelib.platform.parallel import both
from chalicelib.providers.charging import charge_of
from chalicelib.providers.routes import Route
from chalicelib.providers.usage import Reader

__all__ = ["OVERRUN", "REACHED", "UNKNOWN", "Budget", "Refusal"]
# A turn that began below the limit may continue up to this share of the limit. So a run that never
# finishes is stopped too.
OVERRUN = 1.5
Tell = Callable[[dict[str, object]], None]


class Budget:
    """One user's limit and everybody's. Calls block on DynamoDB unless they say otherwise."""

    def __init__(
        self, spending: SpendingService | None = None, clock: Clock = now_ms, shares: Shares | None = None
    ) -> None:
        self._spending = spending = spending or Spending(clock)
        self._clock = clock
        self._shares = shares
        self._user_id: str | None = None
        self._choice: Callable[[], Choice] = Choice
        self._tell: Tell = lambda _: None
        self._months = Months(clock)
        self._counting = Counting(
            spending, self._months, lambda charge: spending.add(str(self._user_id), self._choice().time_zone, charge)
        )
        self._lock = threading.Lock()
        self._turns = 0
        self.cut_off = False  # whether a running turn was refused a call

    def serve(self, user_id: str, choice: Callable[[], Choice], tell: Tell) -> None:
        """From now on this user's calls are counted."""
        self._user_id, self._choice, self._tell = user_id, choice, tell

    def look(self) -> None:
        """Read the months and the limits again."""
        user_id = self._user_id
        if user_id is None:
            return
        self.settle()
        zone = self._choice().time_zone
        (mine, everybody), limits = both(
            lambda: both(lambda: self._spending.month(user_id, zone), lambda: self._spending.month(EVERYBODY)),
            lambda: self._spending.limits(user_id),
        )
        self._months.learn(mine, everybody, limits)

    def settle(self) -> None:
        """Write what is owed, if the table accepts it now."""
        self._learn(*self._counting.settle())

    def cause(self) -> str:
        """What a call that is admitted now is made for."""
        return ANSWERS if self._turns > 0 else BY_ITSELF

    def charge(self, route: Route, model: str, used: Reader, cause: str = BY_ITSELF) -> None:
        """Count a call that was made."""
        user_id = self._user_id
        if user_id is None:
            return
        mine, everybody = self._counting.count(route, model, used)
        self._learn(mine, everybody)
        if self._shares is not None and mine is not None:
            price = charge_of(route, model, used).nano_usd
            self._shares.add(user_id, mine.name, cause, f"{route.id}/{model}", price)
        known = self._current()
        if known is not None and mine is not None:
            self._warn(user_id, mine, known.limits.of(self._choice()))

    def _learn(self, mine: Month | None, everybody: Month | None) -> None:
        """Both rows were written before anything was read: only the limits are missing."""
        if self._current() is None and mine is not None and everybody is not None:
            self._months.learn(mine, everybody, self._spending.limits(self._user_id))

    def _warn(self, user_id: str, mine: Month, limit: float) -> None:
        if limit > 0 and not mine.told and mine.usd >= NEAR * limit and self._spending.tell(user_id, mine.name):
            self._tell(near(mine.usd, limit))

    def refusal(self, share: float = 1.0) -> Refusal | None:
        """Why no call may be made now, as far as is known; None when a call may be made. Does not block."""
        known = self._current()
        if known is None:
            return NOT_READ
        limit, mine = known.limits.of(self._choice()), known.mine.usd + self._counting.mine.usd
        if mine >= limit * share:
            until = next_month(self._clock(), self._choice().time_zone)
            return mine_reached(mine, limit, known.limits.highest, until, capped=known.limits.cap_usd is not None)
        if known.everybody.usd + self._counting.everybody.usd >= known.limits.total_usd * share:
            return everybody_reached(known.limits.total_usd)
        return None

    def room(self) -> float | None:
        """Dollars left until calls are refused; None when that is not known. Does not block."""
        known, share = self._current(), self._share()
        if known is None:
            return None
        mine = known.limits.of(self._choice()) * share - known.mine.usd - self._counting.mine.usd
        everybody = known.limits.total_usd * share - known.everybody.usd - self._counting.everybody.usd
        return min(mine, everybody)

    def may_call(self) -> Refusal | None:
        """For the proxy, before each call: the refusal, or None."""
        if self._user_id is None:
            return NO_USER
        if self._current() is None:
            self.look()
        running = self._turns > 0
        refusal = self.refusal(self._share())
        if refusal is not None:
            log.event("model_call_refused", user=self._user_id, in_turn=running)
            self.cut_off = self.cut_off or running
        return refusal

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """While this context is open, a turn of the user makes the calls."""
        with self._lock:
            self.cut_off = self.cut_off and self._turns > 0
            self._turns += 1
        try:
            yield
        finally:
            with self._lock:
                self._turns -= 1

    def _share(self) -> float:
        return OVERRUN if self._turns > 0 else 1.0

    def _current(self) -> Known | None:
        return self._months.current(self._choice().time_zone)

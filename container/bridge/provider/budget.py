"""The user's month: counts what models cost, and says no before a call, not after."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.provider.owed import NONE, Owed
from bridge.provider.prices import nano_usd
from bridge.provider.routes import Route
from bridge.provider.usage import Reader
from chalicelib.people.preferences import Choice
from chalicelib.people.spending import (
    EVERYBODY,
    NANO,
    NEAR,
    Charge,
    Limits,
    Month,
    Spending,
    SpendingService,
    month_name,
)
from chalicelib.platform import log, metrics
from chalicelib.platform.clock import SECOND, Clock, now_ms
from chalicelib.platform.parallel import both

# A turn that began below the limit is let to end, up to this much of the limit: a run that goes in
# circles must end too.
OVERRUN = 1.5
# Codes of a refusal. Another try mends the second one: the month could not be read just now.
REACHED, UNKNOWN = "BUDGET_REACHED", "BUDGET_UNKNOWN"
Tell = Callable[[dict[str, object]], None]


@dataclass(frozen=True)
class Refusal:
    """Why no call may be made."""

    code: str
    text: str


@dataclass(frozen=True)
class Known:
    """What was last read or written."""

    mine: Month
    everybody: Month
    limits: Limits


class Budget:
    """One user's limit and everybody's. Calls block on DynamoDB unless they say otherwise."""

    def __init__(self, spending: SpendingService | None = None, clock: Clock = now_ms) -> None:
        self._spending = spending or Spending(clock)
        self._clock = clock
        self._user_id: str | None = None
        self._choice: Callable[[], Choice] = Choice
        self._tell: Tell = lambda _: None
        self._known: Known | None = None
        self._lock = threading.Lock()
        self._mine = Owed(lambda charge: self._spending.add(str(self._user_id), self._choice().time_zone, charge))
        self._everybody = Owed(lambda charge: self._spending.add(EVERYBODY, "UTC", charge))
        self._turns = 0
        self.cut_off = False  # whether a turn that runs was refused a call

    def serve(self, user_id: str, choice: Callable[[], Choice], tell: Tell) -> None:
        """From now on this user's calls are counted."""
        self._user_id, self._choice, self._tell = user_id, choice, tell

    def look(self) -> None:
        """Read the months and the limits anew."""
        user_id = self._user_id
        if user_id is None:
            return
        self.settle()
        zone = self._choice().time_zone
        (mine, everybody), limits = both(
            lambda: both(lambda: self._spending.month(user_id, zone), lambda: self._spending.month(EVERYBODY)),
            self._spending.limits,
        )
        self._learn(mine, everybody, limits)

    def _learn(self, mine: Month, everybody: Month, limits: Limits) -> None:
        """Reads and counts end beside each other, in any order."""
        with self._lock:
            if self._known is not None:
                mine, everybody = _later(self._known.mine, mine), _later(self._known.everybody, everybody)
            self._known = Known(mine, everybody, limits)

    def settle(self) -> None:
        """Write what is owed, if the table takes it now."""
        self._count(NONE)

    def refusal(self, share: float = 1.0) -> Refusal | None:
        """Why no call may be made now, by what is known; None when one may."""
        known = self._current()
        if known is None:
            return Refusal(UNKNOWN, "It is not known whether this month's limit is reached.")
        limit, mine = known.limits.of(self._choice()), known.mine.usd + self._mine.usd
        if mine >= limit * share:
            return mine_reached(mine, limit, known.limits.total_usd, self._next_month())
        if known.everybody.usd + self._everybody.usd >= known.limits.total_usd * share:
            return everybody_reached(known.limits.total_usd)
        return None

    def room(self) -> float | None:
        """Dollars left until calls are refused; None when that is not known. Does not block."""
        known, share = self._current(), self._share()
        if known is None:
            return None
        mine = known.limits.of(self._choice()) * share - known.mine.usd - self._mine.usd
        return min(mine, known.limits.total_usd * share - known.everybody.usd - self._everybody.usd)

    def _share(self) -> float:
        return OVERRUN if self._turns > 0 else 1.0

    def may_call(self) -> Refusal | None:
        """For the proxy, before each call: the refusal, or None."""
        if self._user_id is None:
            return Refusal(UNKNOWN, "This container has no user yet.")
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
        """While it lasts the user's turns make the calls."""
        with self._lock:
            self.cut_off = self.cut_off and self._turns > 0
            self._turns += 1
        try:
            yield
        finally:
            with self._lock:
                self._turns -= 1

    def charge(self, route: Route, model: str, used: Reader) -> None:
        """Count a call that was made."""
        user_id = self._user_id
        if user_id is None:
            return
        tokens = used.tokens
        price = round(used.usd * NANO) if used.usd is not None else nano_usd(route.prices, model, tokens)
        cached = tokens.cache_read + tokens.cache_write
        exact = used.exact and price is not None
        charge = Charge(tokens.fresh, tokens.output, cached, price or 0, exact)
        mine = self._count(charge)
        metrics.emit(
            {"Model": f"{route.id}/{model}", "Input": tokens.fresh, "Output": tokens.output, "Cached": cached},
            ModelTokens=tokens.fresh + tokens.output + cached,
            ModelCost=(price or 0) / 1000,
        )
        known = self._current()
        if known is not None and mine is not None:
            self._warn(user_id, mine, known.limits.of(self._choice()))

    def _count(self, charge: Charge) -> Month | None:
        """Write a charge and what is owed to both rows; the user's month, if its row took it."""

        def of_mine() -> Month | None:
            month = self._mine.add(charge)
            self._written(mine=month)
            return month

        def of_everybody() -> Month | None:
            month = self._everybody.add(charge)
            self._written(everybody=month)
            return month

        mine, everybody = both(of_mine, of_everybody)
        if self._current() is None and mine is not None and everybody is not None:
            self._learn(mine, everybody, self._spending.limits())
        return mine

    def _written(self, mine: Month | None = None, everybody: Month | None = None) -> None:
        """One row is written; the other may take long."""
        with self._lock:
            known = self._known
            if known is not None:
                mine = _later(known.mine, mine or known.mine)
                self._known = Known(mine, _later(known.everybody, everybody or known.everybody), known.limits)

    def _warn(self, user_id: str, mine: Month, limit: float) -> None:
        if not mine.told and mine.usd >= NEAR * limit and self._spending.tell(user_id, mine.name):
            text = f"{round(100 * mine.usd / limit)} % of this month's limit of ${limit:.2f} is used."
            self._tell({"type": "notice", "code": "BUDGET_NEAR", "message": text, "usd": mine.usd, "limitUsd": limit})

    def _current(self) -> Known | None:
        """What is known, unless a month has begun since."""
        with self._lock:
            known = self._known
        if known is None:
            return None
        now, zone = self._clock(), self._choice().time_zone
        same = known.mine.name == month_name(now, zone) and known.everybody.name == month_name(now, "UTC")
        return known if same else None

    def _next_month(self) -> str:
        today = datetime.fromtimestamp(self._clock() / SECOND, ZoneInfo(self._choice().time_zone))
        return f"{today.year + today.month // 12}-{today.month % 12 + 1:02}-01"


def _later(known: Month, read: Month) -> Month:
    """A month's sum only grows: the greater one is the later one."""
    return known if known.name == read.name and known.usd > read.usd else read


def mine_reached(usd: float, limit: float, highest: float, until: str) -> Refusal:
    return Refusal(
        REACHED,
        f"This month's limit of ${limit:.2f} is reached (${usd:.2f} spent), so the model was not asked. "
        f"Raise the limit in Settings on the web page (up to ${highest:.2f}), or wait until {until}.",
    )


def everybody_reached(limit: float) -> Refusal:
    return Refusal(
        REACHED,
        f"The limit of ${limit:.2f} a month for everybody here is reached, so the model was not asked. "
        "Whoever runs this deployment can raise it: make budget TOTAL_USD=…",
    )

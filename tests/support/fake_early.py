"""Hand-written fakes of the early starts' rows. A contract test compares them with the real ones."""

import threading
from dataclasses import replace
from typing import Any

from chalicelib.agents.habits import Habit, Moved, Visit
from chalicelib.people.early import ENDING, Early, TooDear
from chalicelib.people.machine_price import nano_usd
from chalicelib.people.spending import NANO, month_name
from tests.support.fake_tables import FakeClock


class FakeEarlyBudget:
    """The month's row: each method is one atomic update."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.months: dict[tuple[str, str], Early] = {}

    def month(self, user_id: str, time_zone: str) -> Early:
        return self.months.get((user_id, month_name(self._clock(), time_zone)), Early())

    def reserve(
        self, user_id: str, time_zone: str, until: int, limit_usd: float, since: int | None = None
    ) -> dict[str, Any]:
        month, starts = month_name(self._clock(), time_zone), 0 if since is not None else 1
        price = nano_usd(until - since if since is not None else until + ENDING - self._clock(), starts)
        with self._lock:
            known = self.months.get((user_id, month), Early())
            if round(known.usd * NANO) + price > round(limit_usd * NANO):
                raise TooDear
            usd = known.usd + price / NANO
            self.months[(user_id, month)] = replace(known, starts=known.starts + starts, usd=usd)
        return {"month": month, "nano": price, "starts": starts}

    def cancel(self, user_id: str, receipt: dict[str, Any]) -> None:
        with self._lock:
            known = self.months[(user_id, receipt["month"])]
            usd = known.usd - receipt["nano"] / NANO
            self.months[(user_id, receipt["month"])] = replace(known, starts=known.starts - receipt["starts"], usd=usd)

    def came(self, user_id: str, receipt: dict[str, Any], waited: int, ready: bool) -> None:
        unused = max(receipt["nano"] - nano_usd(max(waited, 60_000), 1), 0)
        with self._lock:
            known = self.months[(user_id, receipt["month"])]
            usd = known.usd - unused / NANO
            self.months[(user_id, receipt["month"])] = replace(known, ready=known.ready + int(ready), usd=usd)


class FakeHabitRows:
    """The rows `habit#<user>`."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.rows: dict[str, Habit] = {}

    def project(self, user_id: str, visit: Visit | None) -> None:
        self.rows.pop(user_id, None)
        if visit is not None:
            self.rows[user_id] = Habit(user_id, visit.start, visit.hour, visit.end)

    def due(self, limit: int) -> list[str]:
        due = sorted((habit.due, user) for user, habit in self.rows.items() if habit.due <= self._clock())
        return [user for _, user in due[:limit]]

    def get(self, user_id: str) -> Habit | None:
        return self.rows.get(user_id)

    def begin(self, habit: Habit) -> Habit:
        return self._change(habit, replace(habit, due=habit.end, begun=True))

    def later(self, habit: Habit, due: int) -> None:
        self._change(habit, replace(habit, due=due, begun=False))

    def move(self, habit: Habit, visit: Visit | None) -> None:
        with self._lock:
            if self.rows.get(habit.user_id) != habit:
                raise Moved
            self.project(habit.user_id, visit)

    def _change(self, habit: Habit, changed: Habit) -> Habit:
        with self._lock:
            if self.rows.get(habit.user_id) != habit:
                raise Moved
            self.rows[habit.user_id] = changed
            return changed

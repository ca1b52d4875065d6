"""Month rows in memory. tests/integration/people/test_spending.py compares them with the real rows."""

import threading
from dataclasses import replace

from chalicelib.people.spending import NANO, Charge, Limits, Month, month_name
from chalicelib.platform.clock import Clock, now_ms


class FakeSpending:
    """One update at a time, as DynamoDB's are for a row."""

    def __init__(self, clock: Clock = now_ms, limits: Limits | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.months: dict[tuple[str, str], Month] = {}
        self.charges: list[tuple[str, Charge]] = []
        self.allowed = limits or Limits()

    def month(self, user_id: str, time_zone: str = "UTC") -> Month:
        name = month_name(self._clock(), time_zone)
        return self.months.get((user_id, name), Month(name))

    def add(self, user_id: str, time_zone: str, charge: Charge) -> Month:
        with self._lock:
            before = self.month(user_id, time_zone)
            self.charges.append((user_id, charge))
            after = replace(
                before,
                usd=(round(before.usd * NANO) + charge.nano_usd) / NANO,
                input_tokens=before.input_tokens + charge.input_tokens,
                output_tokens=before.output_tokens + charge.output_tokens,
                cached_tokens=before.cached_tokens + charge.cached_tokens,
                requests=before.requests + charge.requests,
                inexact=before.inexact + (not charge.exact),
            )
            self.months[(user_id, before.name)] = after
            return after

    def tell(self, user_id: str, month: str) -> bool:
        with self._lock:
            row = self.months.get((user_id, month), Month(month))
            self.months[(user_id, month)] = replace(row, told=True)
            return not row.told

    def limits(self, user_id: str | None = None) -> Limits:
        return self.allowed

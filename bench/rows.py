"""One measured line and the figures computed from its runs."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.bars import BARS, Bar


@dataclass(frozen=True)
class Row:
    """`median`, `p95` and `worst` of `runs` values; `bar` names the bar that it is held against."""

    section: str
    name: str
    unit: str
    runs: int
    median: float
    p95: float
    worst: float
    bar: str = ""
    note: str = ""

    @property
    def held_to(self) -> Bar | None:
        return BARS[self.bar] if self.bar else None

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None for a row without one."""
        bar = self.held_to
        return None if bar is None else bool(getattr(self, bar.held) <= bar.limit)

    def to_json(self) -> dict[str, Any]:
        bar = self.held_to
        more = {} if bar is None else {"limit": bar.limit, "held": bar.held, "met": self.met}
        return asdict(self) | more


def row(section: str, name: str, unit: str, values: Sequence[float], bar: str = "", note: str = "") -> Row:
    """A row of measured values. Raises ValueError when there are none."""
    if not values:
        raise ValueError(f"{name}: nothing was measured")
    ordered = sorted(values)
    middle = statistics.median(ordered)
    return Row(section, name, unit, len(ordered), _short(middle), _short(p95(ordered)), _short(ordered[-1]), bar, note)


def p95(ordered: Sequence[float]) -> float:
    """The smallest value that 95 % are not above (nearest rank)."""
    return ordered[max(math.ceil(0.95 * len(ordered)) - 1, 0)]


def from_json(entry: dict[str, Any]) -> Row:
    return Row(**{name: value for name, value in entry.items() if name not in ("limit", "held", "met")})


def _short(value: float) -> float:
    """Four digits: more would be noise."""
    return float(f"{value:.4g}")

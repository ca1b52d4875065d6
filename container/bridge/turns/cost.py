"""What an answer cost: the model calls of its own rows in the transcript, at the prices of our table."""

from collections.abc import Iterable
from typing import Any

from chalicelib.people.spending import NANO
from chalicelib.providers.prices import Tokens, nano_usd

Json = dict[str, Any]


def cost_of(rows: Iterable[Json]) -> float | None:
    """US dollars, without what helpers and titles cost; None when a model has no known price or no call is counted."""
    prices = [_price(row) for row in rows if isinstance(row.get("usage"), dict)]
    known = [price for price in prices if price is not None]
    return sum(known) / NANO if known and len(known) == len(prices) else None


def _price(row: Json) -> int | None:
    usage = row["usage"]
    fresh, output, read, written = (_count(usage, name) for name in ("input", "output", "cacheRead", "cacheWrite"))
    section = str(row.get("provider")).partition("-")[0]
    return nano_usd(section, str(row.get("model")), Tokens(fresh, output, read, written))


def _count(usage: Json, name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and value > 0 else 0

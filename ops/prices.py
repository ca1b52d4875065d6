"""`python -m ops.prices`: writes the Bridge's price table from the package genai-prices.

The package's maintainers read the providers' price pages; the table names the page of each provider. Only
the table is deployed. requirements-dev.txt pins the package, and a test compares the table with it, so
prices change only on purpose.
"""

import json
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from genai_prices.data import providers
from genai_prices.types import ClauseEquals, ClauseOr, ModelInfo, ModelPrice, StartDateConstraint

from ops.steps import ROOT

TABLE = ROOT / "chalicelib" / "providers" / "prices.json"
# Our name of a provider, the package's name, and the prefixes of its chat models.
PROVIDERS = {
    "anthropic": ("anthropic", ""),
    "openai": ("openai", ""),
    "google": ("google", "gem"),
    "deepseek": ("deepseek", ""),
    "openrouter": ("openrouter", ""),
    "bedrock": ("aws", ""),
}
# Nano-dollars a token: dollars a million tokens, times a thousand.
SCALE = 1000


def table(day: date) -> dict[str, Any]:
    """All chat models with a price on that day; [input, output, cache read, cache write] and more."""
    by_id = {provider.id: provider for provider in providers}
    source = {ours: (by_id[theirs].pricing_urls or [""])[0] for ours, (theirs, _) in PROVIDERS.items()}
    models = {ours: dict(sorted(_models(by_id[theirs], begin, day))) for ours, (theirs, begin) in PROVIDERS.items()}
    return {"date": day.isoformat(), "package": f"genai-prices {_version()}", "source": source, "models": models}


def _version() -> str:
    return version("genai-prices")


def _models(provider: Any, begin: str, day: date) -> Iterator[tuple[str, list[Any]]]:
    for model in provider.models:
        prices = _on(model, day)
        if not model.id.startswith(begin) or prices is None or not prices.input_mtok or not prices.output_mtok:
            continue
        row = _row(prices, model.context_window)
        for name in {model.id, *_names(model.match)}:
            yield name, row


def _on(model: ModelInfo, day: date) -> ModelPrice | None:
    """The prices in force; of those that change with the hour the dearest: a limit must hold."""
    if isinstance(model.prices, ModelPrice):
        return model.prices
    begun: list[ModelPrice] = []
    hourly: list[ModelPrice] = []
    for entry in model.prices:
        constraint = entry.constraint
        if constraint is None or (isinstance(constraint, StartDateConstraint) and constraint.start_date <= day):
            begun.append(entry.prices)
        elif not isinstance(constraint, StartDateConstraint):
            hourly.append(entry.prices)
    return max([*begun[-1:], *hourly], key=lambda prices: _base(prices.input_mtok), default=None)


def _names(match: Any) -> Iterator[str]:
    """Every other name that is the model for certain."""
    if isinstance(match, ClauseEquals):
        yield match.equals
    elif isinstance(match, ClauseOr):
        for part in match.or_:
            yield from _names(part)


def _row(prices: ModelPrice, context: int | None) -> list[Any]:
    kinds = (prices.input_mtok, prices.output_mtok, prices.cache_read_mtok, prices.cache_write_mtok)
    row: list[Any] = [_rates([_base(kind) if kind is not None else None for kind in kinds]), context]
    start = _tier_start(prices.input_mtok)
    if start is not None:
        row += [start, _rates([_top(kind) if kind is not None else None for kind in kinds])]
    return row


def _rates(dollars: list[Decimal | None]) -> list[int]:
    """A cache without a price costs as much as fresh input."""
    return [round((price if price is not None else dollars[0] or Decimal(0)) * SCALE) for price in dollars]


def _base(price: Any) -> Decimal:
    return Decimal(getattr(price, "base", price) or 0)


def _tier_start(price: Any) -> int | None:
    tiers = getattr(price, "tiers", [])
    return int(tiers[0].start) if tiers else None


def _top(price: Any) -> Decimal:
    tiers = getattr(price, "tiers", [])
    return Decimal(tiers[-1].price) if tiers else _base(price)


def render(day: date) -> str:
    """The table with one model a line, so that a change of prices can be read."""
    whole = table(day)
    lines = []
    for provider, models in whole.pop("models").items():
        rows = ",\n".join(f"   {json.dumps(name)}: {json.dumps(row)}" for name, row in models.items())
        lines.append(f"  {json.dumps(provider)}: {{\n{rows}\n  }}")
    head = json.dumps(whole, indent=1)[:-2]
    return f'{head},\n "models": {{\n' + ",\n".join(lines) + "\n }\n}\n"


def main() -> int:
    TABLE.write_text(render(date.today()))
    print(f"{TABLE.relative_to(ROOT)}: {sum(len(m) for m in json.loads(TABLE.read_text())['models'].values())} models")
    return 0


if __name__ == "__main__":
    sys.exit(main())

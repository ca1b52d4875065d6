"""What a model's tokens cost, from prices.json (made by `python -m ops.prices`)."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "prices.json"
_DATED = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2})$")
_REGION = re.compile(r"^(us|eu|apac|jp|au|global|us-gov)\.")
# For a custom server only the model's name is looked up: it may be a gateway to these providers.
ANY = ("openai", "anthropic", "google", "deepseek", "openrouter")
# The demo model of the local stack, for answers and for titles, really costs nothing.
FREE = ("demo", "demo-title")
# What a token of sound costs, in nano dollars, with the models that hear (routes.py); a test compares this with the
# package genai-prices. OpenRouter names the price of each call itself.
SOUND = {"gpt-4o-mini-transcribe": 3_000, "gemini-2.5-flash-lite": 300, "google/gemini-2.5-flash-lite": 300}


@dataclass(frozen=True)
class Tokens:
    """The tokens of one call; `fresh` is input that did not come from a cache."""

    fresh: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    audio: int = 0  # how many of `fresh` are sound


@cache
def _table() -> dict[str, dict[str, list[Any]]]:
    models: dict[str, dict[str, list[Any]]] = json.loads(TABLE.read_text())["models"]
    return models


def nano_usd(provider: str, model: str, tokens: Tokens) -> int | None:
    """The price of a call in billionths of a dollar; None when the model is not in the table."""
    if provider == "custom" and model in FREE:
        return 0
    row = _row(provider, model)
    if row is None:
        return None
    rates: list[int] = row[0]
    if len(row) > 2 and tokens.fresh + tokens.cache_read + tokens.cache_write > row[2]:
        rates = row[3]
    counts = (tokens.fresh, tokens.output, tokens.cache_read, tokens.cache_write)
    sound = tokens.audio * (SOUND.get(model, rates[0]) - rates[0])
    return sound + sum(count * rate for count, rate in zip(counts, rates, strict=True))


def context_window(provider: str, model: str) -> int | None:
    row = _row(provider, model)
    return row[1] if row is not None else None


def models(provider: str) -> list[str]:
    """The provider's models under their plain names."""
    return [name for name in _table().get(provider, {}) if not _DATED.search(name) and "@" not in name]


def _row(provider: str, model: str) -> list[Any] | None:
    for section in ANY if provider == "custom" else (provider,):
        models = _table().get(section, {})
        for name in _names(provider, model):
            if name in models:
                return models[name]
    return None


def _names(provider: str, model: str) -> Iterator[str]:
    """The names a model may have in the table: as requested, without its date, and on Bedrock with its region."""
    for name in dict.fromkeys((model, _DATED.sub("", model))):
        yield name
        if provider == "bedrock":
            place = "global" if model.startswith("global.") else "regional"
            bare = _REGION.sub("", name)
            yield from (f"{place}.{bare}", f"{place}.{bare}-v1:0", bare, f"{bare}-v1:0")

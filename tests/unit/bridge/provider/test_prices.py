"""Prices: a table with a date and a source, in whole billionths of a dollar."""

import json
from datetime import date

import pytest

from chalicelib.providers.prices import TABLE, Tokens, context_window, nano_usd
from chalicelib.providers.routes import KNOWN
from ops import prices

MILLION = Tokens(1_000_000, 0, 0, 0)


@pytest.mark.parametrize(
    ("provider", "model", "dollars"),
    [
        ("anthropic", "claude-sonnet-5", 2),
        ("anthropic", "claude-sonnet-5-20260630", 2),
        ("openai", "gpt-5.4-nano", 0.2),
        ("google", "gemini-3-flash-preview", 0.5),
        ("bedrock", "anthropic.claude-sonnet-5", 2.2),
        ("bedrock", "us.anthropic.claude-sonnet-5-v1:0", 2.2),
        ("bedrock", "global.anthropic.claude-sonnet-5-v1:0", 2),
        ("openrouter", "anthropic/claude-sonnet-5", 2),
        ("custom", "gpt-5.4-nano", 0.2),
        ("custom", "demo", 0),
    ],
)
def test_a_model_is_found_under_the_names_it_is_asked_by(provider: str, model: str, dollars: float) -> None:
    assert nano_usd(provider, model, MILLION) == dollars * 1_000_000_000


def test_each_kind_of_token_has_its_price() -> None:
    assert nano_usd("anthropic", "claude-sonnet-5", Tokens(1, 10, 100, 1000)) == 2000 + 100_000 + 20_000 + 2_500_000


def test_a_long_context_has_its_own_price() -> None:
    assert nano_usd("anthropic", "claude-sonnet-4-5", Tokens(200_000)) == 200_000 * 3000
    assert nano_usd("anthropic", "claude-sonnet-4-5", Tokens(1, 0, 200_000)) == 6000 + 200_000 * 600


def test_an_unknown_model_has_no_price() -> None:
    assert nano_usd("custom", "my-own-model", MILLION) is None
    assert nano_usd("anthropic", "claude-99", MILLION) is None
    assert context_window("anthropic", "claude-99") is None


@pytest.mark.parametrize("route", [route for route in KNOWN if route.id != "openrouter"], ids=lambda route: route.id)
def test_the_default_models_have_a_price(route: object) -> None:
    assert nano_usd(route.prices, route.model, MILLION)  # type: ignore[attr-defined]


def test_the_table_is_what_the_pinned_package_says() -> None:
    stored = TABLE.read_text()
    day = date.fromisoformat(json.loads(stored)["date"])
    assert prices.render(day) == stored, "run: python -m ops.prices"
    assert all(address.startswith("https://") for address in json.loads(stored)["source"].values())

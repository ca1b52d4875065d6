"""What an answer cost, from the rows of its own model calls."""

from typing import Any

import pytest

from bridge.turns.cost import cost_of
from chalicelib.providers.prices import Tokens, nano_usd

Json = dict[str, Any]


def call(model: str = "gpt-5.4-nano", provider: str = "openai", **counts: Any) -> Json:
    usage = {"input": 1000, "output": 20, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 1020} | counts
    return {"role": "assistant", "provider": provider, "model": model, "usage": usage}


def test_the_calls_of_an_answer_are_added() -> None:
    first = nano_usd("openai", "gpt-5.4-nano", Tokens(1000, 20))
    second = nano_usd("openai", "gpt-5.4-nano", Tokens(10, 20, cache_read=990))
    assert first is not None
    assert second is not None
    assert 0 < second < first
    assert cost_of([call(), call(input=10, cacheRead=990)]) == pytest.approx((first + second) / 1e9)
    assert cost_of([call(), {"role": "assistant", "content": []}]) == pytest.approx(first / 1e9)


def test_a_model_without_a_price_makes_the_cost_unknown() -> None:
    assert cost_of([call("nobody-knows-it")]) is None
    assert cost_of([call(), call("nobody-knows-it")]) is None, "half of it would be wrong"
    assert cost_of([]) is None


def test_a_free_model_and_odd_counts() -> None:
    assert cost_of([call("demo", "custom")]) == 0
    assert cost_of([call(input=None, output="x", cacheRead=-5)]) == 0
    assert cost_of([call(provider="openai-second")]) == cost_of([call()])

"""What the fixed part of every model call costs in a month: system text and tools, before anybody says a word."""

import json

from ops.steps import ROOT

PRICES = ROOT / "chalicelib" / "providers" / "prices.json"
# Measured with OpenClaw 2026.9.1 on the first message of a new agent (docs/tools.md); a test holds it below 12,000.
FIXED_TOKENS = 10_632
# A message takes one call, and one more for each round of tools.
CALLS_PER_MESSAGE = 2
EXAMPLES = (("anthropic", "claude-sonnet-5"), ("openai", "gpt-5.6-terra"), ("deepseek", "deepseek-chat"))
NANO = 1_000_000_000


def lines(messages_a_day: float, days: int = 30) -> list[str]:
    """For each example model the dollars of a month, all tokens fresh and all of them from the provider's cache."""
    calls = messages_a_day * days * CALLS_PER_MESSAGE
    head = (
        f"not included: the model. The fixed part of {calls:,.0f} calls is {calls * FIXED_TOKENS / 1e6:,.1f} M tokens:"
    )
    return [head, *(line for provider, model in EXAMPLES if (line := _line(provider, model, calls)))]


def _line(provider: str, model: str, calls: float) -> str:
    known = json.loads(PRICES.read_text())["models"].get(provider, {}).get(model)
    if known is None:
        return ""
    fresh, _, cached, _ = known[0]
    if not isinstance(fresh, int | float):
        return ""
    dollars = [price * FIXED_TOKENS * calls / NANO for price in (fresh, cached if cached is not None else fresh)]
    return f"  {provider}/{model}: ${dollars[0]:.2f}, ${dollars[1]:.2f} if the provider's cache is always hit"

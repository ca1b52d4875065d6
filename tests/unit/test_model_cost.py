"""`make cost` names what the fixed part of model calls costs, which is more than AWS for many models."""

from ops.model_cost import CALLS_PER_MESSAGE, EXAMPLES, FIXED_TOKENS, lines


def test_each_example_model_has_a_price() -> None:
    assert len(lines(40)) == 1 + len(EXAMPLES)


def test_the_price_is_that_of_the_tokens() -> None:
    """claude-sonnet-5 costs 2 dollars for a million fresh tokens, and 0.20 from the cache."""
    millions = 40 * 30 * CALLS_PER_MESSAGE * FIXED_TOKENS / 1e6
    [line] = [line for line in lines(40) if "claude-sonnet-5" in line]
    assert f"${2 * millions:.2f}, ${0.2 * millions:.2f} if" in line
    assert f"{millions:,.1f} M tokens" in lines(40)[0]

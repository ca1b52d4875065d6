"""Both engines' prices: the table of docs/engines.md, and what must hold of it."""

from ops import engine_cost
from ops.engine_cost import DAYS_OF, awake, break_even, fargate, microvm, read
from ops.steps import ROOT

PAGE = (ROOT / "docs" / "engines.md").read_text()


def test_the_page_has_the_computed_table() -> None:
    assert "\n".join(engine_cost.table()) in PAGE
    assert f"{break_even():.0f} seconds of running" in PAGE


def test_nothing_is_promised_that_was_not_tried() -> None:
    assert "Nothing of the second engine ran on AWS" in PAGE


def test_more_messages_cost_more_on_both() -> None:
    for found in ([fargate(day, read()) for day in DAYS_OF], [microvm(day) for day in DAYS_OF]):
        assert found == sorted(found)


def test_a_shorter_wait_runs_less_and_suspends_more_often() -> None:
    """Pauses of 30 s: whoever does not wait for them pays for each suspend."""
    day = DAYS_OF[1]
    assert awake(day, 10) < awake(day, 60) < awake(day, 150)
    assert microvm(day, 10) > microvm(day, 30)

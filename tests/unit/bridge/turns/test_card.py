"""The agent's progress card: the last call that OpenClaw took, in the words of a person's screen."""

import json
from typing import Any

from bridge.turns.beside import BESIDE_BYTES, beside
from bridge.turns.card import LINE, NOTE, STEP, STEPS, Card
from bridge.turns.delivery import Run
from bridge.turns.replay import replay

Json = dict[str, Any]
PLAN = [
    {"step": "Look", "status": "completed"},
    {"step": "Mend\u202e it", "status": "in_progress"},
    {"step": "Test", "status": "pending"},
]
BAR = '<progress aria-label="CI · 4/6" value="4" max="6"></progress>'


def said(card: Card, arguments: Any, call: str = "c", **result: Any) -> bool:
    begun = card.tool({"phase": "start", "name": "progress_card", "toolCallId": call, "args": arguments})
    assert not begun
    return card.tool({"phase": "result", "name": "progress_card", "toolCallId": call} | result)


def test_a_plan_a_note_and_a_bar() -> None:
    card = Card()
    assert said(card, {"plan": PLAN, "markdown": f"{BAR}\n\n**Half** done."})
    assert card.shown == {
        "steps": [
            {"text": "Look", "state": "done"},
            {"text": "Mend it", "state": "running"},
            {"text": "Test", "state": "pending"},
        ],
        "note": "**Half** done.",
        "bar": {"label": "CI · 4/6", "value": 4, "max": 6},
    }
    assert card.line() == "⏳ 1/3 · Mend it · CI · 4/6"


def test_each_call_replaces_the_card_and_an_empty_one_removes_it() -> None:
    card = Card()
    said(card, {"plan": PLAN})
    said(card, {"markdown": "| a | b |\n|---|---|\n\n## Waiting for you"})
    assert card.shown == {"note": "| a | b |\n|---|---|\n\n## Waiting for you"}
    assert card.line() == "⏳ a | b"
    assert said(card, {})
    assert card.line() == ""


def test_a_call_that_was_refused_changes_nothing() -> None:
    card = Card()
    said(card, {"markdown": "one"})
    assert not said(card, {"markdown": "two"}, isError=True)
    assert not card.tool({"phase": "result", "name": "progress_card", "toolCallId": "unknown"})
    assert card.shown == {"note": "one"}


def test_odd_and_long_cards_do_no_harm() -> None:
    card = Card()
    odd: Any
    for odd in (None, [], {"plan": "x", "markdown": 5}, {"plan": [None, {}], "markdown": "\ud800"}):
        said(card, odd)
        json.dumps(card.shown).encode()
    for bar in ('<progress value="x" max="6">', '<progress value="7" max="6">', '<progress value="0" max="0">'):
        said(card, {"markdown": f"{bar}</progress>rest"})
        assert card.shown == {"note": "rest"}
    said(card, {"plan": [{"step": "s" * 999, "status": "in_progress"}] * 99, "markdown": "n" * 9_999})
    assert card.shown is not None
    assert (len(card.shown["steps"]), len(card.shown["steps"][0]["text"])) == (STEPS, STEP)
    assert len(card.shown["note"]) <= NOTE + 2
    assert len(card.line()) <= LINE


def test_a_tab_that_comes_late_gets_the_card() -> None:
    run = Run("r", "m", "main")
    said(run.card, {"markdown": "one"})
    [frame] = replay(run, 0)
    assert (frame["type"], frame["runId"], frame["card"]) == ("card", "r", {"note": "one"})


def test_beside_a_very_long_answer_stands_what_fits() -> None:
    card, thinking = {"note": "x"}, {"text": "생" * 5_000}
    size = len(json.dumps(card)) + len(json.dumps(thinking))
    both = {"card": card, "thinking": thinking}
    assert beside("x" * (BESIDE_BYTES - size), both) == both
    assert beside("x" * (BESIDE_BYTES - size + 1), both) == {"card": card}
    assert beside("x" * BESIDE_BYTES, both) == {}
    assert beside("x", {"card": None, "thinking": None}) == {}

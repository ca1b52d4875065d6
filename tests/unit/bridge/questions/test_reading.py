"""OpenClaw's questions and approvals as ours, written replies as answers, and the card in Telegram."""

from dataclasses import replace
from typing import Any

import pytest

from bridge.questions.reading import LONGEST, answers_of, read, resolution
from chalicelib.messages.questions import ANSWERED, APPROVAL, EXPIRED, GONE, QUESTION, Question
from chalicelib.platform.clock import MINUTE
from chalicelib.telegram.cards import answers, current, keyboard, press, pressed, text

Json = dict[str, Any]
COLOUR: Json = {"questionId": "colour", "header": "Colour", "question": "Which?", "isOther": True}
COLOUR |= {"options": [{"label": "Red"}, {"label": "Green", "description": "like tea"}]}
USER = ("ann", 3)


def record(*questions: Json, minutes: int = 10) -> Json:
    return {"id": "ask_1", "questions": list(questions), "createdAtMs": 1000, "expiresAtMs": 1000 + minutes * MINUTE}


def question(*questions: Json, **more: Any) -> Question:
    found = read(QUESTION, record(*questions), USER, "main")
    assert found is not None
    return replace(found, **more)


def approval(**request: Any) -> Question:
    given = {"command": "rm -r cups", "cwd": "/work", "allowedDecisions": ["deny", "allow-once"]} | request
    found = read(APPROVAL, {"id": "a1", "request": given, "createdAtMs": 0, "expiresAtMs": 5}, USER, "main")
    assert found is not None
    return found


def test_a_question_waits_fifteen_minutes_at_most() -> None:
    short, long = (read(QUESTION, record(COLOUR, minutes=n), USER, "main") for n in (1, 60))
    assert short is not None
    assert long is not None
    assert (short.expires_at, long.expires_at) == (1000 + MINUTE, 1000 + LONGEST)
    assert (short.user_id, short.generation, short.gateway_id) == ("ann", 3, "ask_1")


@pytest.mark.parametrize("body", [{}, record(), record(COLOUR | {"isSecret": True}), record(COLOUR) | {"id": None}])
def test_what_nobody_can_or_may_answer_here_is_not_asked(body: Json) -> None:
    """A secret would be written into a chat."""
    assert read(QUESTION, body, USER, "main") is None


def test_an_approval_shows_the_exact_command() -> None:
    shown = approval(commandAnalysis={"warningLines": ["Contains inline-eval: python3 -c"]}).shown()
    assert (shown["command"], shown["directory"], shown["kind"]) == ("rm -r cups", "/work", "approval")
    assert shown["warning"] == "Contains inline-eval: python3 -c"
    assert [option["label"] for option in shown["parts"][0]["options"]] == ["allow-once", "deny"]
    assert "do not allow what you cannot read" in approval(command="x" * 9000).about["command"]


def test_what_the_gateway_is_told() -> None:
    asked = question(COLOUR)
    method, params = resolution(replace(asked, answers={"colour": ["Red"]}, by="web"))
    assert (method, params["answers"]) == ("question.resolve", {"answers": {"colour": ["Red"]}})
    assert resolution(asked)[1]["cancel"] is True
    assert resolution(approval())[1] == {"id": "a1", "decision": "deny"}, "no answer allows nothing"


@pytest.mark.parametrize(
    ("written", "multi", "expected"),
    [
        ("2", False, ["Green"]),
        ("green", False, ["Green"]),
        ("3", False, ["3"]),
        ("none of them", False, ["none of them"]),
        ("1, green", True, ["Red", "Green"]),
        ("1; 1", True, ["Red"]),
        ("red and blue, mixed", True, ["red and blue, mixed"]),
        ("٢", False, ["٢"]),
    ],
)
def test_a_written_reply(written: str, multi: bool, expected: list[str]) -> None:
    assert answers_of(written, question(COLOUR | {"multiSelect": multi}).parts) == {"colour": expected}


def test_a_written_reply_to_several_questions() -> None:
    parts = question(COLOUR, COLOUR | {"questionId": "size", "header": "Size"}).parts
    assert answers_of("1\nlarge", parts) == {"colour": ["Red"], "size": ["large"]}
    assert answers_of("size: 2\ncolour: blue", parts) == {"colour": ["blue"], "size": ["Green"]}
    assert answers_of("you decide", parts) == {"colour": ["you decide"], "size": ["you decide"]}


def test_the_card_in_telegram() -> None:
    asked = question(COLOUR | {"multiSelect": True})
    markup = keyboard(asked)
    assert markup is not None
    data = [row[0]["callback_data"] for row in markup["inline_keyboard"]]
    assert all(len(one) <= 64 for one in data)
    buttons = [pressed(one) for one in data]
    assert [one.value for one in buttons if one] == ["0", "1", "d", "s"]
    assert pressed("q:x:0:0") is None
    assert buttons[0] is not None
    ticked = replace(asked, picked=press(asked, buttons[0]) or {})
    assert (answers(ticked), current(ticked)) == ({"colour": ["Red"]}, 0)
    assert "• Green: like tea" in text(asked)
    done = replace(asked, state=ANSWERED, answers={"colour": ["Red"]}, by="web")
    assert text(done).endswith("✅ Red (on the web page)")
    assert keyboard(done) is None
    assert "in time" in text(replace(asked, state=EXPIRED))
    assert "asks again" in text(replace(asked, state=GONE))
    assert "rm -r cups" in text(approval())
    assert len(text(approval(command="y" * 8000)).encode("utf-16-le")) // 2 <= 4096

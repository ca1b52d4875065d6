"""Which of a transcript's entries are the answer to a message, when several runs and messages meet."""

from typing import Any

import pytest

from bridge.openclaw.history import chose_silence, look_up
from tests.support.fake_gateway import FakeGateway, asked, prompted

Json = dict[str, Any]
RESUMED = prompted("main_session_restart_recovery")


def said(text: str, run: str, reason: str | None = "stop") -> Json:
    content = [{"type": "text", "text": text}] if text else []
    return {"role": "assistant", "content": content, "stopReason": reason, "__openclaw": {"runId": run}}


def answer(message_id: str, *entries: Json) -> str | None:
    gateway: Any = FakeGateway(history=list(entries))
    return look_up(gateway, "main", message_id).answer


TOOL = said("Let me look.", "a", "toolUse")
TAKEN_IN = [asked("a"), TOOL, asked("b"), said("Both.", "a")]
TWO_TAKEN_IN = [asked("a"), TOOL, asked("b"), asked("c"), said("All.", "a")]
CUT_OFF = [asked("a"), TOOL, asked("b"), RESUMED, said("Both.", "r1")]
ABORTED = [asked("a"), TOOL, asked("b"), said("half", "a"), said("", "a", "aborted"), RESUMED, said("Both.", "r1")]
KEPT = [asked("a"), RESUMED, said("A.", "r1"), asked("b"), said("B.", "r2")]


@pytest.mark.parametrize(
    ("entries", "message_id", "expected"),
    [
        (TAKEN_IN, "a", "Let me look.\n\nBoth."),
        (TAKEN_IN, "b", "Both."),
        (TWO_TAKEN_IN, "b", "All."),
        (TWO_TAKEN_IN, "c", "All."),
        (CUT_OFF, "a", "Let me look.\n\nBoth."),
        (CUT_OFF, "b", "Both."),
        (ABORTED, "a", "Both."),
        (KEPT, "a", "A."),
        (KEPT, "b", "B."),
    ],
)
def test_a_message_in_another_run_has_that_runs_answer(entries: list[Json], message_id: str, expected: str) -> None:
    assert answer(message_id, *entries) == expected


def test_a_message_without_an_answer_gets_no_other_messages_one() -> None:
    assert answer("a", asked("a"), asked("b"), said("B.", "b")) is None
    assert answer("a", asked("a"), TOOL, asked("b"), said("B.", "b")) is None
    assert answer("a", asked("a"), said("", "a", "error"), asked("b"), said("B.", "r2")) is None
    assert answer("a", asked("a"), said("half", "a"), said("", "a", "aborted"), asked("b"), said("B.", "r2")) is None
    own = [asked("a"), asked("b"), said("B.", "b"), asked("c"), RESUMED, said("C.", "r1")]
    assert answer("a", *own) is None
    assert answer("a", asked("a"), asked("b"), said("B.", "b"), RESUMED, said("B again.", "r1")) is None


@pytest.mark.parametrize(
    ("entries", "message_id", "expected"),
    [
        (TAKEN_IN, "a", ("a", "b")),
        (TWO_TAKEN_IN, "b", ("a", "b", "c")),
        (CUT_OFF, "b", ("a", "b")),
        (KEPT, "b", ("b",)),
        (
            [asked("a"), said("A.", "a"), asked("b"), asked("b.2.0"), asked("c"), said("Both.", "b.2.0")],
            "c",
            ("b", "c"),
        ),
        ([asked("a"), asked("b"), said("B.", "b")], "b", ("b",)),
        ([asked("a"), asked("b"), said("B.", "b")], "a", ()),
    ],
)
def test_messages_that_share_an_answer_are_told(
    entries: list[Json], message_id: str, expected: tuple[str, ...]
) -> None:
    gateway: Any = FakeGateway(history=entries)
    assert look_up(gateway, "main", message_id).together == expected


def test_only_the_agents_own_word_is_chosen_silence() -> None:
    cases: list[tuple[list[Json], bool]] = [
        ([asked("a"), said("NO_REPLY", "a")], True),
        ([asked("a"), said("NO_REPLY", "a"), said("NO_REPLY", "a")], True),
        ([asked("a"), said("hello", "a")], False),
        ([asked("a")], False),
        ([asked("a"), asked("b"), said("NO_REPLY", "b")], False),
    ]
    for entries, expected in cases:
        gateway: Any = FakeGateway(history=entries)
        assert chose_silence(gateway, "main", "a") is expected, entries

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
KEPT = [asked("a"), RESUMED, said("A.", "r1"), asked("b"), said("B.", "r2")]


@pytest.mark.parametrize(
    ("entries", "message_id", "expected"),
    [
        (TAKEN_IN, "a", "Let me look.\n\nBoth."),
        (TAKEN_IN, "b", "Both."),
        (TWO_TAKEN_IN, "b", "All."),
        (TWO_TAKEN_IN, "c", "All."),
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
    assert answer("a", asked("a"), asked("b"), RESUMED, said("B.", "r1")) is None


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

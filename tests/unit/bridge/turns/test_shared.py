"""A run that took messages in has one answer: the person is shown it once, whatever a kill leaves open."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from bridge.turns.answer import Answerer
from bridge.turns.delivery import Delivery, Run, Stream
from bridge.turns.outcome import Outcome
from bridge.turns.shared import SharedAnswers
from chalicelib.messages.conversations import Page
from chalicelib.messages.inbox import Message
from chalicelib.wire.protocol import ProtocolError
from tests.support.fake_gateway import FakeGateway, FakeOpenClaw, asked, said
from tests.support.fakes import FakeConnections, FakePost
from tests.unit.bridge.turns.test_turns import Place

Json = dict[str, Any]
BOTH = [asked("message-1"), said("Let me look.", "toolUse"), asked("message-2"), said("Both.")]


class Rows:
    """A conversation's newest rows."""

    def __init__(self, *rows: Json) -> None:
        self._rows = list(rows)

    def page(self, user_id: str, conversation_id: str, before: str | None, limit: int) -> Page:
        if not self._rows:
            raise ProtocolError("NOT_FOUND", "no such conversation")
        return Page(self._rows, None)


def row(message: str, content: str = "Let me look.\n\nBoth.", reason: str = "final") -> Json:
    return {"role": "assistant", "replyTo": message, "content": content, "reason": reason}


def shown(*rows: Json, others: Sequence[str] = ("message-1",), text: str = "Both.") -> bool:
    answers = SharedAnswers("ann", Rows(*rows))  # type: ignore[arg-type]
    return answers.shown("main", others, text)


def test_a_text_that_is_stored_under_another_message_was_shown() -> None:
    assert shown({"role": "user", "messageId": "message-1", "content": "Both."}, row("message-1"))


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row("message-3")],
        [row("message-1", "Something else.")],
        [row("message-1", "", "steered")],
        [row("message-1", reason="aborted")],
        [row("message-1", reason="error")],
    ],
)
def test_anything_else_was_not(rows: list[Json]) -> None:
    """Better twice than never: what was stopped or has failed is no answer."""
    assert not shown(*rows)


def outcome(message_id: str, *rows: Json) -> tuple[Outcome, str]:
    """Of a message that was claimed before, and what its stream showed."""
    answerer = Answerer(FakeOpenClaw(FakeGateway(history=BOTH)))  # type: ignore[arg-type]
    answerer.shown = SharedAnswers("ann", Rows(*rows)).shown  # type: ignore[arg-type]
    delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
    stream = Stream(Run("run-1", message_id, "main"), delivery)
    return answerer.answer(Message("ann", message_id, "hello", "main", 0, claims=2), stream, delivery), stream.run.text


def test_the_first_that_is_closed_has_the_answer() -> None:
    first, _ = outcome("message-1")
    assert (first.reason, first.text) == ("final", "Let me look.\n\nBoth.")
    second, streamed = outcome("message-2", row("message-1", first.text))
    assert (second.reason, second.text, streamed) == ("steered", "", "")
    alone, streamed = outcome("message-2", row("message-1", "", "steered"))
    assert (alone.reason, alone.text, streamed) == ("final", "Both.", "Both.")


class Chat:
    """Telegram, as a turn sees it."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def prepare(self, message: Message, told: Any = None) -> Message:
        return message

    def begin(self, message: Message, run: Any) -> "Chat":
        return self

    def finish(self, text: str, seconds: float, files: Sequence[Json] = ()) -> bool:
        self.told.append(text)
        return True

    def abandon(self) -> None:
        return None


def test_the_chat_hears_nothing_of_an_answer_that_it_has() -> None:
    place, chat = Place(None), Chat()
    place.turns.means.channels = chat
    place.turns._answerer.answer = lambda *_: Outcome("steered", "", 0)  # type: ignore[method-assign]
    place.turns.means.answerer = place.turns._answerer
    assert place.turns._take([place.world.inbox.waiting("ann")[0]])
    assert place.turns._joined(time.monotonic() + 10)
    place.delivery.flush(5)
    ends = [frame["reason"] for _, frame in place.post.frames if frame["type"] == "stream_end"]
    assert (chat.told, ends, place.world.inbox.waiting("ann")) == ([], ["steered"], [])

"""Which rows the shelf reads to find the files of an answer."""

from types import SimpleNamespace
from typing import Any

from bridge.files.shelf import NOTHING, UNKNOWN, Shelf
from bridge.openclaw.history import HISTORY_LIMIT
from bridge.turns.filed import Filed
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import Message

Json = dict[str, Any]
MESSAGE = Message("ann", "message-1", "and now", "main", 1)


def shelf() -> Shelf:
    return Shelf("ann", "bucket", None, lambda: None)  # type: ignore[arg-type]


class Session:
    """A transcript that has this many rows after the question, if it is there at all."""

    def __init__(self, rows: int, asked: bool = True) -> None:
        question: list[Json] = [{"role": "user", "content": "hi", "idempotencyKey": "message-1:user"}] * asked
        self.rows = [*question, *([{"role": "toolResult", "content": "x"}] * rows)]

    def request(self, _: str, params: Json) -> Json:
        return {"messages": self.rows[-params["limit"] :]}


def test_a_question_that_is_too_far_back_is_told() -> None:
    """Else the answer's files would be missing without a word."""
    for session, expected in (
        (Session(3), NOTHING),
        (Session(HISTORY_LIMIT - 1), NOTHING),
        (Session(3, asked=False), NOTHING),
        (Session(HISTORY_LIMIT), UNKNOWN),
    ):
        assert shelf().of_answer(session, "key", "message-1") == expected  # type: ignore[arg-type]


class Steered:
    """Answers a steered message in a run of its own, or within the run that goes on."""

    def __init__(self, reason: str) -> None:
        self.outcome = Outcome(reason, "here", 1)

    def steer(self, *_: object) -> Outcome:
        return self.outcome


def test_a_steered_message_that_is_answered_by_itself_has_its_files() -> None:
    found: Any = SimpleNamespace(of_answer=lambda *_: UNKNOWN)
    stream: Any = SimpleNamespace(update=lambda text: None, run=SimpleNamespace())
    for reason, told in (("final", True), ("steered", False)):
        filed = Filed(Steered(reason), found, lambda: Session(0))  # type: ignore[arg-type,return-value]
        assert UNKNOWN.missing[0] in filed.steer(MESSAGE, stream, stream).text or not told
        assert (filed.steer(MESSAGE, stream, stream).text == "here") is not told

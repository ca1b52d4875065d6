"""Answers the commands that OpenClaw would take and not keep."""

from bridge.answer import Outcome
from bridge.commands import refusal
from bridge.delivery import Delivery, Stream
from bridge.turns import Answering
from chalicelib.clock import now_ms
from chalicelib.inbox import Message


class Commanded:
    """An answerer that says itself what to do instead of a command that does not work here."""

    def __init__(self, answerer: Answering) -> None:
        self._answerer = answerer

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        text = refusal(message.text)
        if text is None:
            return self._answerer.answer(message, stream, delivery)
        stream.update(text)
        return Outcome("final", text, now_ms())

    def abort(self) -> None:
        self._answerer.abort()

    def interrupt(self) -> None:
        self._answerer.interrupt()

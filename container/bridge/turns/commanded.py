"""Answers the commands that OpenClaw would take and not keep."""

from bridge.answering import Gate
from bridge.commands import refusal
from bridge.delivery import Delivery, Stream
from bridge.outcome import Outcome
from chalicelib.clock import now_ms
from chalicelib.inbox import Message


class Commanded(Gate):
    """An answerer that says itself what to do instead of a command that does not work here."""

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        text = refusal(message.text)
        if text is None:
            return self._answerer.answer(message, stream, delivery)
        stream.update(text)
        return Outcome("final", text, now_ms())

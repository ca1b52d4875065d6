"""Answers the commands that OpenClaw would take and not keep."""

from bridge.openclaw.commands import refusal
from bridge.turns.answering import Gate
from bridge.turns.delivery import Delivery, Stream
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import Message
from chalicelib.platform.clock import now_ms


class Commanded(Gate):
    """An answerer that says itself what to do instead of a command that does not work here."""

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        text = refusal(message.command)
        if text is None:
            return self._answerer.answer(message, stream, delivery)
        stream.update(text)
        return Outcome("final", text, now_ms())

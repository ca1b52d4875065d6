"""What answers messages, and the base of the gates before it."""

from typing import Protocol

from bridge.turns.delivery import Delivery, Stream
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import Message


class Answering(Protocol):
    """Has the agent answer messages, several at once; `abort` and `interrupt` come from other threads."""

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome: ...
    def steer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome: ...
    def abort(self, message_id: str) -> None: ...
    def interrupt(self) -> None: ...


class Gate:
    """A condition before a turn. This base lets everything through."""

    def __init__(self, answerer: Answering) -> None:
        self._answerer = answerer

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        return self._answerer.answer(message, stream, delivery)

    def steer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        return self._answerer.steer(message, stream, delivery)

    def abort(self, message_id: str) -> None:
        self._answerer.abort(message_id)

    def interrupt(self) -> None:
        self._answerer.interrupt()

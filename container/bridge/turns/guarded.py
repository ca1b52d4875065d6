"""Keeps turns away from an agent without its memory."""

import threading

from bridge.memory.memory import Memory
from bridge.memory.returning import Returning
from bridge.openclaw.process import NotReady, OpenClaw
from bridge.turns.answering import Answering, Gate
from bridge.turns.delivery import Delivery, Stream
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms


class Guarded(Gate):
    """An answerer that answers for itself while the memory is missing."""

    def __init__(self, answerer: Answering, memory: Memory, openclaw: OpenClaw) -> None:
        super().__init__(answerer)
        self._memory = memory
        self._openclaw = openclaw
        self._returning = Returning(memory, lambda work: openclaw.replace_files(work), lambda: openclaw.zone())
        self._choosing = threading.Lock()  # two conversations may choose at once

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        with self._choosing:
            if self._memory.failure is not None:
                return self._choose(message, stream)
            returned = self._return(message, stream)
        if returned is not None:
            return returned
        with self._memory.turn():
            return self._answerer.answer(message, stream, delivery)

    def _return(self, message: Message, stream: Stream) -> Outcome | None:
        """The user's wish to go back to an older memory."""
        try:
            text = self._returning.command(message.command)
        except NotReady as error:
            return _not_started(error)
        if text is None:
            return None
        stream.update(text)
        return Outcome("final", text, now_ms())

    def _choose(self, message: Message, stream: Stream) -> Outcome:
        """No memory: the person says what to do about it."""
        text, may_start = self._memory.answer(message.command)
        if may_start:
            try:
                self._openclaw.start()
            except NotReady as error:
                return _not_started(error)
        stream.update(text)
        return Outcome("final", text, now_ms())


def _not_started(error: NotReady) -> Outcome:
    log.event("openclaw_not_ready", reason=str(error))
    return Outcome("error", "", now_ms(), "INTERNAL", "the agent did not start")

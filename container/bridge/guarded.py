"""Keeps turns away from an agent without its memory."""

from bridge.answer import Outcome
from bridge.delivery import Delivery, Stream
from bridge.memory import Memory
from bridge.openclaw import NotReady, OpenClaw
from bridge.turns import Answering
from chalicelib import log
from chalicelib.clock import now_ms
from chalicelib.inbox import Message


class Guarded:
    """An answerer that answers for itself while the memory is missing."""

    def __init__(self, answerer: Answering, memory: Memory, openclaw: OpenClaw) -> None:
        self._answerer = answerer
        self._memory = memory
        self._openclaw = openclaw

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        if self._memory.failure is None:
            return self._answerer.answer(message, stream, delivery)
        text, may_start = self._memory.answer(message.text.strip())
        if may_start:
            try:
                self._openclaw.start()
            except NotReady as error:
                log.event("openclaw_not_ready", reason=str(error))
                return Outcome("error", "", now_ms(), "INTERNAL", "the agent did not start")
        stream.update(text)
        return Outcome("final", text, now_ms())

    def abort(self) -> None:
        self._answerer.abort()

    def interrupt(self) -> None:
        self._answerer.interrupt()

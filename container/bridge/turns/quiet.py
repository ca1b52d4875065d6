"""Turns in which the agent may have nothing to say: a hook's message, and a message that has its first words already.

OpenClaw's own word for that (NO_REPLY) does not work here: to most models it says "the previous attempt did not produce
a user-visible answer", so they are asked twice and say something. Our word is an answer like any other for OpenClaw,
and neither a tab nor the history ever sees it.
"""

from dataclasses import replace

from bridge.turns.answering import Gate
from bridge.turns.delivery import Delivery, Stream
from bridge.turns.external import QUIET
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import Message


class Quiet(Gate):
    """An answerer that takes the word for silence where the agent was told of it."""

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        if message.cause is None and not message.note:
            return self._answerer.answer(message, stream, delivery)
        stream.quiet = QUIET
        outcome = self._answerer.answer(message, stream, delivery)
        return replace(outcome, text="") if quiet(outcome.text) else outcome


def quiet(text: str) -> bool:
    return text.strip().strip(".`*\"'") == QUIET

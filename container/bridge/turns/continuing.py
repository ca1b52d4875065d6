"""Goes on from the first words that were said while the agent woke up: both are one answer."""

import secrets
from collections.abc import Callable
from dataclasses import replace

from bridge.shared.aws_errors import AWS_ERRORS
from bridge.turns.answering import Answering, Gate
from bridge.turns.delivery import Delivery, Stream
from bridge.turns.external import QUIET, clean
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.platform.clock import SECOND, now_ms

# Clocks differ; and a message that finds the container just before it is ready may still have had first words.
MARGIN = 10 * SECOND
JOINT = "\n\n"
NOTE = """\
[From the system, not from the person: while you were waking up, the person was already shown the beginning of your \
answer to this message{broken}. A model without tools said it in your name. It is what stands between the two lines \
with {mark}:
{mark}
{text}
{mark}
What you write now is shown right below it, as one answer. So do not greet again and do not repeat it.
- If it is all that needs to be said and right, answer only {quiet}.
- If it promises something or leaves something open, do that now and say the result.
- If something in it is wrong, say so plainly and correct it.]"""


class Continuing(Gate):
    """`read`: the message as the inbox has it now. After the claim nobody adds to its first words any more."""

    def __init__(self, answerer: Answering, read: Callable[[Message], Message | None]) -> None:
        super().__init__(answerer)
        self._read = read
        self._awake_at: int | None = None

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        """The answer with its first words before it. A silent agent has confirmed them."""
        first = self._first_words(message)
        if first is None:
            return self._answerer.answer(message, stream, delivery)
        said = str(first["text"])
        stream.head, stream.joint = said, JOINT
        stream.update("")  # under the run's own id: from here on the tabs follow the run
        told = replace(message, note=note(said, bool(first["ended"])))
        outcome = self._answerer.answer(told, stream, delivery)
        log.event("first_words_continued", message_id=message.id, silent=not outcome.text, reason=outcome.reason)
        return replace(outcome, text=whole(said, outcome.text))

    def _first_words(self, message: Message) -> dict[str, object] | None:
        """What the person may have been shown; None if nothing was said."""
        if self._awake_at is None:
            self._awake_at = now_ms()
        if message.queued_at < self._awake_at + MARGIN:
            try:
                message = self._read(message) or message
            except AWS_ERRORS as error:
                log.failure("first_words_unread", error, message_id=message.id)
        first = message.first_words
        return first if first is not None and first.get("text") else None


def whole(said: str, text: str) -> str:
    """One answer of both. A text that was cut off in its stream has the first words already."""
    if not text:
        return said
    return text if text.startswith(said) else said + JOINT + text


def note(said: str, ended: bool) -> str:
    """What the agent is told."""
    broken = "" if ended else " (it broke off)"
    mark = f"--- {secrets.token_hex(8)}"  # nobody who wrote the words can know it
    return NOTE.format(mark=mark, quiet=QUIET, broken=broken, text=clean(said))

"""Keeps and shows the first words as they grow."""

import time
from collections.abc import Callable, Iterator

from chalicelib.first_words.chat import Chat
from chalicelib.first_words.model import Asked, Unanswered
from chalicelib.first_words.tabs import Tabs
from chalicelib.messages import first_words
from chalicelib.messages.conversations import Conversations, message_frame
from chalicelib.messages.first_words import NotWaiting
from chalicelib.messages.inbox import Message
from chalicelib.people.spending import NANO
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms
from chalicelib.wire.room import SOCKET

# Seconds between two frames. A tenth of a second would look no better and cost three times as many writes.
GAP = 0.35


class Delivery:
    """One message. What is shown was kept before."""

    def __init__(self, message: Message, model: str, tabs: Tabs, chat: Chat) -> None:
        self._message = message
        self._model = model
        self._tabs = tabs
        self._chat = chat
        self._text = ""

    def say(self, pieces: Iterator[str], hold: Callable[[], bool]) -> str:
        """Until the answer is whole, breaks off, or a container has the message.

        `hold`: whether it may be the whole answer. That is short, and shown when it is saved as such.
        """
        last, outcome = 0.0, "said"
        try:
            for piece in pieces:
                self._text += piece
                if time.monotonic() - last >= GAP and not hold():
                    self._show(ended=False)
                    last = time.monotonic()
        except NotWaiting:
            return "overtaken"
        except Unanswered as error:
            log.event("first_words_broke_off", message_id=self._message.id, reason=str(error))
            outcome = "broke off"
        if not self._text.strip():
            return "nothing" if outcome == "said" else outcome
        return outcome if hold() and outcome == "said" else self._ended(outcome)

    def _ended(self, outcome: str) -> str:
        """No more will come: now the history and the chat have them too."""
        try:
            self._show(ended=outcome == "said", last=True)
        except NotWaiting:
            return "overtaken"
        self._chat.show(self._text.strip())
        return outcome

    def _show(self, ended: bool, last: bool = False) -> None:
        said = {"text": self._text.strip(), "ended": ended, "model": self._model}
        if not said["text"]:
            return
        first_words.keep(self._message, said)
        if last:  # before the tabs: one may load the history now
            first_words.show(self._message, said)
        self._tabs.show(first_words.frame(self._message, said))

    def finish(self, asked: Asked, expires_at: int | None) -> str:
        """They are the whole answer: saved, then shown as such."""
        message, text = self._message, self._text.strip()
        if not self._chat.fits(text):
            return "too long"
        self._chat.expect()
        try:
            answer = first_words.finish(message, "final", text, expires_at, now_ms(), self._model, cost_of(asked))
        except NotWaiting:
            return "overtaken"
        self._chat.finish(text)
        self._tabs.show(SOCKET.cut(message_frame(answer)))
        Conversations().touch(message.user_id, message.conversation_id, message.text, expires_at)
        return "stood"


def cost_of(asked: Asked) -> float | None:
    """US dollars, where the price is known."""
    charge = asked.charge
    return charge.nano_usd / NANO if charge is not None and charge.exact else None

"""Tells the agent with its next turn how the person reacted to its messages in Telegram.

Reactions are read at the start and when the gateway says that there are new ones, so a turn needs no query.
"""

import threading
from dataclasses import dataclass

from bridge.openclaw.gateway import Gateway
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.telegram.progress import message_of
from bridge.turns.reconcile import Untold
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.telegram import reactions

QUOTE = 80  # characters of the message, so that the agent knows which one is meant


@dataclass(frozen=True)
class _Told:
    """One reaction, by its row's key."""

    key: str
    conversation_id: str
    words: str


class Reactions:
    """Beside what `inner` has to tell. `look` is called from other threads."""

    def __init__(self, user_id: str, inner: Untold) -> None:
        self._user = user_id
        self._inner = inner
        self._known: dict[str, _Told] = {}
        self._unread: set[str] = set()  # looked up once more: the answer was perhaps not saved yet
        self._said: dict[str, list[str]] = {}  # what went with a message that is being sent
        self._lock = threading.Lock()

    def look(self) -> None:
        """Read what was noted. One for a message that is not the agent's, or too old, says nothing."""
        try:
            noted = reactions.noted(self._user)
            found = {key: self._read(key, value["messageId"], value["emoji"]) for key, value in noted}
        except AWS_ERRORS as error:
            log.failure("reactions_unread", error)
            return
        with self._lock:
            self._known = {key: one for key, one in found.items() if one is not None}
            self._unread = {key for key, one in found.items() if one is None}

    def _read(self, key: str, message_id: int, emoji: list[str]) -> _Told | None:
        message = message_of(self._user, message_id)
        saved = Conversations().find(message) if message is not None else None
        if message is None or saved is None:
            return None
        said = " ".join(str(saved["content"]).split())
        quote = said[:QUOTE] + ("…" if len(said) > QUOTE else "")
        words = f"[The person reacted with {' '.join(emoji)} to your message “{quote}” in Telegram.]"
        return _Told(key, message.conversation_id, words)

    def _of(self, message: Message) -> list[_Told]:
        if message.text.startswith("/"):
            return []  # a command works only at the beginning
        with self._lock:
            return [one for one in self._known.values() if one.conversation_id == message.conversation_id]

    def before(self, gateway: Gateway, message: Message) -> str:
        with self._lock:
            again, self._unread = bool(self._unread), set()
        if again:
            self.look()
            with self._lock:
                self._unread = set()
        said = self._of(message)
        words = "\n".join(one.words for one in said)
        with self._lock:
            self._said[message.id] = [one.key for one in said]
        return self._inner.before(gateway, message) + (f"{words}\n\n" if words else "")

    def told(self, gateway: Gateway, message: Message) -> None:
        self._inner.told(gateway, message)
        with self._lock:
            keys = self._said.pop(message.id, [])
        for key in keys:
            with self._lock:
                self._known.pop(key, None)
            try:
                reactions.told(self._user, key)
            except AWS_ERRORS as error:  # it is told once more after the next start
                log.failure("reaction_not_forgotten", error)

"""Tells the agent with its next turn how the person reacted to its messages in Telegram.

Reactions are read at the start and when the gateway says that there are new ones, so a turn needs no query.
"""

import threading
from dataclasses import dataclass
from typing import Any

from bridge.openclaw.gateway import Gateway
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.turns.reconcile import Untold
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.telegram import reactions
from chalicelib.telegram.progress import Sent, all_sent

QUOTE = 80  # characters of the message, so that the agent knows which one is meant
Json = dict[str, Any]


@dataclass(frozen=True)
class _Told:
    """One reaction: its row's key and content, and what is said of it."""

    key: str
    value: Json
    conversation_id: str
    words: str


class Reactions:
    """Beside what `inner` has to tell. `look` and `noticed` are called from other threads."""

    def __init__(self, user_id: str, inner: Untold) -> None:
        self._user = user_id
        self._inner = inner
        self._known: dict[str, _Told] = {}
        self._unread: dict[str, Json] = {}  # looked up once more: the answer was perhaps not saved yet
        self._said: dict[str, list[_Told]] = {}  # what went with a message that is being sent
        self._meanwhile: list[_Told] = []  # what was told while rows were read, which may still be among them
        self._due = False  # whether a look is about to begin
        self._looking = threading.Lock()  # one look at a time, so that none brings back an older state
        self._lock = threading.Lock()  # never held during a read or write

    def noticed(self) -> None:
        """There are new ones. They are read in a thread of its own: whoever hears of it has more to hear."""
        with self._lock:
            if self._due:
                return
            self._due = True
        threading.Thread(target=self.look, name="reactions", daemon=True).start()

    def look(self) -> None:
        """Read what was noted. One for a message that is not the agent's, or too old, says nothing."""
        with self._looking:
            with self._lock:
                self._due, self._meanwhile = False, []
            try:
                self._read()
            except AWS_ERRORS as error:
                log.failure("reactions_unread", error)

    def _read(self) -> None:
        noted = dict(reactions.noted(self._user))
        sent = all_sent(self._user) if noted else {}
        found, unread, forgotten = self._resolved(noted, sent)
        with self._lock:
            self._known = {key: one for key, one in found.items() if one not in self._meanwhile}
            self._unread = unread
        for key, value in forgotten.items():
            reactions.forget(self._user, key, value)

    def _resolved(
        self, noted: dict[str, Json], sent: dict[tuple[int, int], Sent]
    ) -> tuple[dict[str, _Told], dict[str, Json], dict[str, Json]]:
        """What can be told, what may be known later, and what two looks could not resolve."""
        found: dict[str, _Told] = {}
        unread: dict[str, Json] = {}
        forgotten: dict[str, Json] = {}
        with self._lock:
            known, before = self._known, self._unread
        for key, value in noted.items():
            of = sent.get((int(value["chatId"]), int(value["messageId"])))
            same = known.get(key)
            one = same if same is not None and same.value == value else self._told_of(key, value, of)
            if one is not None:
                found[key] = one
            elif before.get(key) == value and (of is None or of.done):
                forgotten[key] = value
            else:  # just noted, or of an answer that is still being sent
                unread[key] = value
        return found, unread, forgotten

    @staticmethod
    def _told_of(key: str, value: Json, of: Sent | None) -> _Told | None:
        saved = Conversations().find(of.message) if of is not None else None
        if of is None or saved is None:
            return None
        said = " ".join(str(saved["content"]).split())
        quote = said[:QUOTE] + ("…" if len(said) > QUOTE else "")
        words = f"[The person reacted with {' '.join(value['emoji'])} to your message “{quote}” in Telegram.]"
        return _Told(key, value, of.message.conversation_id, words)

    def _of(self, message: Message) -> list[_Told]:
        if message.text.startswith("/"):
            return []  # a command works only at the beginning
        with self._lock:
            return [one for one in self._known.values() if one.conversation_id == message.conversation_id]

    def before(self, gateway: Gateway, message: Message) -> str:
        with self._lock:
            again = bool(self._unread)
        if again:
            self.look()
        said = self._of(message)
        words = "\n".join(one.words for one in said)
        with self._lock:
            self._said[message.id] = said
        return self._inner.before(gateway, message) + (f"{words}\n\n" if words else "")

    def told(self, gateway: Gateway, message: Message) -> None:
        self._inner.told(gateway, message)
        with self._lock:
            said = self._said.pop(message.id, [])
        for one in said:
            with self._lock:
                self._meanwhile.append(one)
                if self._known.get(one.key) == one:  # not what the person has made of it since
                    del self._known[one.key]
            try:
                reactions.forget(self._user, one.key, one.value)
            except AWS_ERRORS as error:  # it is told once more after the next start
                log.failure("reaction_not_forgotten", error)

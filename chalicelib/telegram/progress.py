"""Records which part of an answer a chat already contains: written around every send, read after a crash.

A crash between the two writes leaves `intent`: the message may or may not have been sent. It counts as
sent, because a send with an unknown outcome must not be retried, and the answer continues after it.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition

from chalicelib.messages.message import Message
from chalicelib.platform.clock import DAY, Clock, now_ms, ttl
from chalicelib.platform.models import PendingMessage, SettingItem
from chalicelib.platform.writes import commit, transaction, update

PREFIX = "telegram-sent#"
KEEP = 7 * DAY
PARCEL = ["files"]  # an intent to send files, not text
Json = dict[str, Any]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class NotFirst(Exception):
    """The agent has the message, or somebody has sent something of its answer already."""


class Progress:
    """One answer's row in the Settings table."""

    def __init__(self, user_id: str, message_id: str, about: Json, clock: Clock = now_ms) -> None:
        self._row = SettingItem(user_id, PREFIX + message_id)
        self._about = about
        self._clock = clock
        self.ids: list[int] = []  # the messages that hold the answer from `base` on
        self.base = 0  # the rendered text before this was sent and is final …
        self.before = ""  # … and this is its digest
        self.parcels = 0  # files: how many calls with them were made
        self.done = False
        self.line: int | None = None  # the message that tells what the agent does (line.py)

    def load(self) -> None:
        """Load the progress of an earlier try. A send with an unknown outcome counts as done."""
        try:
            value = SettingItem.get(self._row.user_id, self._row.key, consistent_read=True).value
        except SettingItem.DoesNotExist:
            return
        self.ids, self.base, self.before = value["ids"], value["base"], value["before"]
        self.done = bool(value["done"])
        self.parcels, self.line = int(value.get("parcels", 0)), value.get("line")
        if value["intent"] == PARCEL:
            self.parcels += 1
        elif value["intent"] is not None:
            self.ids, (self.base, self.before) = [], value["intent"]

    def expect(self) -> None:
        """Create the row unless it exists; another thread may be writing it."""
        row = SettingItem(self._row.user_id, self._row.key)
        row.value = self._about | {"ids": [], "base": 0, "before": "", "intent": None, "done": False}
        row.expires_at = ttl(self._clock() + KEEP)
        try:
            row.save(condition=SettingItem.key.does_not_exist())
        except PutError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise

    def sending(self, end: int, text: str) -> None:
        """The answer up to `end` will be sent in one message next; `text` is the answer up to there."""
        self._save(intent=[end, digest(text)])

    def begin(self, text: str, waits: Condition) -> None:
        """As `expect` and `sending`, while the message `waits` for its agent. Raises NotFirst: then send nothing."""
        self._row.value = self._state([len(text), digest(text)])
        self._row.expires_at = ttl(self._clock() + KEEP)

        def write() -> None:
            with transaction() as write:
                message_id = self._row.key.removeprefix(PREFIX)
                write.condition_check(PendingMessage, self._row.user_id, message_id, condition=waits)
                write.save(self._row, condition=SettingItem.key.does_not_exist())

        commit(write, (NotFirst, NotFirst))

    def begun(self, message_id: int | None) -> bool:
        """What `begin` announced was sent, or (None) was not. False if the agent goes on by itself already."""
        before = self._row.value
        self.ids = [message_id] if message_id is not None else []
        try:
            update(self._row, [SettingItem.value.set(self._state())], SettingItem.value == before, NotFirst)
        except NotFirst:
            return False
        return True

    def sent(self, message_id: int) -> None:
        self.ids = [*self.ids, message_id]
        self._save()

    def not_sent(self) -> None:
        self._save()

    def lost(self, end: int, text: str) -> None:
        """The outcome of this message is unknown: continue after it."""
        self.ids, self.base, self.before = [], end, digest(text)
        self._save()

    def lined(self, message_id: int | None) -> None:
        self.line = message_id
        self._save()

    def sending_parcel(self) -> None:
        """The next of the answer's files will be sent in one call."""
        self._save(intent=PARCEL)

    def sent_parcel(self) -> None:
        self.parcels += 1
        self._save()

    def restart(self) -> None:
        """The text before `base` has changed, so none of it has been sent."""
        self.ids, self.base, self.before = [], 0, ""

    def removed(self, message_id: int) -> None:
        self.ids = [number for number in self.ids if number != message_id]
        self._save()

    def finish(self) -> None:
        """The whole answer was sent; the row stays so that a repeated turn sends nothing."""
        self.done = True
        self._save()

    def _save(self, intent: list[Any] | None = None) -> None:
        self._row.value = self._state(intent)
        self._row.expires_at = ttl(self._clock() + KEEP)
        self._row.save()

    def _state(self, intent: list[Any] | None = None) -> Json:
        state = {"ids": self.ids, "base": self.base, "before": self.before, "intent": intent, "done": self.done}
        more = {name: value for name, value in (("parcels", self.parcels), ("line", self.line)) if value}
        return self._about | state | more


@dataclass(frozen=True)
class Sent:
    """The message of ours behind a message of the bot. `done`: its answer was sent completely."""

    message: Message
    done: bool


def all_sent(user_id: str) -> dict[tuple[int, int], Sent]:
    """What the bot sent in the last week, by chat and message id: each chat has its own numbers.

    A group that has another id now has new numbers, too: what was sent before stays under the old id.
    """
    found: dict[tuple[int, int], Sent] = {}
    for row in SettingItem.query(user_id, SettingItem.key.startswith(PREFIX), consistent_read=True):
        if row.value:
            name, about = row.key.removeprefix(PREFIX), row.value
            message = Message(user_id, name, "", str(about["conversationId"]), int(about["queuedAt"]))
            sent = Sent(message, bool(about["done"]))
            found |= {(int(about["place"]["chatId"]), int(number)): sent for number in about["ids"]}
    return found


def waiting_since(user_id: str) -> list[int]:
    """When the messages were asked for that a chat does not have the whole answer to, in ms."""
    return [int(about["queuedAt"]) for _, about in unfinished(user_id)]


def unfinished(user_id: str) -> list[tuple[str, Json]]:
    """Message ids of answers that were not sent completely, with their recorded progress."""
    rows = SettingItem.query(user_id, SettingItem.key.startswith(PREFIX), consistent_read=True)
    return [(row.key.removeprefix(PREFIX), row.value) for row in rows if row.value and not row.value["done"]]

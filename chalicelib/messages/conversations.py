"""The history of conversations: saved once per message id, read newest first.

A message's key is its conversation, then the time its question was accepted, then its id. An
answer uses its question's time, so a question and its answer stay together in any interleaving.
"""

import base64
import builtins
import re
from dataclasses import dataclass, replace
from typing import Any

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.messages.attachments import shown
from chalicelib.messages.inbox import Message
from chalicelib.platform.clock import Clock, now_ms, ttl
from chalicelib.platform.models import ConversationItem
from chalicelib.wire.protocol import Frame, ProtocolError, answer_id
from chalicelib.wire.room import REST, SOCKET, Room

TITLE_LENGTH = 60
PREVIEW_LENGTH = 120
# A DynamoDB item holds at most 400 KB; a longer answer is cut and marked as truncated.
MAX_CONTENT_BYTES = 380_000
# What a cursor names: time and id, as message_key joins them.
_KEY = re.compile(r"[0-9]{13}-[A-Za-z0-9_.-]{1,100}")
CUT = "\n\n… (cut: the rest was too long to keep)"


@dataclass(frozen=True)
class Page:
    """Messages with the newest last, and the cursor of the page before them."""

    messages: list[Frame]
    before: str | None


@dataclass(frozen=True)
class Change:
    """What a person changes of a conversation; None leaves it. `model` "": that of the settings; `folder` "": none."""

    title: str | None = None
    model: str | None = None
    pinned: bool | None = None
    folder: str | None = None


def message_key(conversation_id: str, at: int, message_id: str) -> str:
    return f"c#{conversation_id}#{at:013d}-{message_id}"


def title_key(conversation_id: str) -> str:
    return f"m#{conversation_id}"


def first_words(text: str) -> str:
    """A conversation's title until it gets a better one."""
    return " ".join(text.split())[:TITLE_LENGTH] or "…"


def fit(content: str) -> str:
    raw = content.encode()
    if len(raw) <= MAX_CONTENT_BYTES:
        return content
    return raw[:MAX_CONTENT_BYTES].decode(errors="ignore") + CUT


def question_row(message: Message, expires_at: int | None = None) -> ConversationItem:
    files = [shown(entry) for entry in message.attachments]
    return ConversationItem(
        message.user_id,
        message_key(message.conversation_id, message.queued_at, message.id),
        conversation_id=message.conversation_id,
        message_id=message.id,
        role="user",
        content=message.text,
        created_at=message.queued_at,
        cause=message.cause,
        attachments=files or None,
        expires_at=expires_at,
    )


def answer_row(message: Message, content: str, reason: str, at: int, expires_at: int | None = None) -> ConversationItem:
    return ConversationItem(
        message.user_id,
        message_key(message.conversation_id, message.queued_at, answer_id(message.id)),
        conversation_id=message.conversation_id,
        message_id=answer_id(message.id),
        role="assistant",
        content=fit(content),
        created_at=at,
        reply_to=message.id,
        reason=reason,
        cause=message.cause,
        expires_at=expires_at,
    )


def failure_row(
    message: Message, content: str, error: dict[str, str], at: int, expires_at: int | None = None
) -> ConversationItem:
    """The row in place of a failed answer: the reason, and the text from before the failure."""
    row = answer_row(message, content, "error", at, expires_at)
    row.error = error
    return row


def message_frame(row: ConversationItem) -> Frame:
    frame: Frame = {
        "type": "message",
        "messageId": row.message_id,
        "role": row.role,
        "content": row.content or "",
        "conversationId": row.conversation_id,
        "createdAt": int(row.created_at or 0),
    }
    optional = {"replyTo": row.reply_to, "reason": row.reason, "attachments": row.attachments, "error": row.error}
    optional |= {"firstWords": row.first_words, "cause": row.cause, "files": row.files, "question": row.question}
    optional |= {"work": row.work, "model": row.model, "card": row.card, "thinking": row.thinking}
    frame |= {"costUsd": float(row.cost_usd)} if row.cost_usd is not None else {}
    return frame | {name: value for name, value in optional.items() if value}


def echo_frame(message: Message) -> Frame:
    """A user's message as a frame for the user's other tabs."""
    return SOCKET.cut(message_frame(question_row(message)))


class Conversations:
    """The Conversations table."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def save_question(self, message: Message, expires_at: int | None = None) -> None:
        """The user's message, so that a reload shows it before it is answered."""
        question_row(message, expires_at).save()

    def reword(self, message: Message, text: str) -> None:
        """The new text of a question that waits. Nothing else of its row changes, if it is there already."""
        row = question_row(replace(message, text=text))
        try:
            row.update([ConversationItem.content.set(text)], condition=ConversationItem.item_key.exists())
        except UpdateError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            row.save()

    def save_failure(self, message: Message, error: dict[str, str]) -> None:
        """Why the message has no answer, in the answer's place."""
        failure_row(message, "", error, self._clock()).save()

    def touch(
        self, user_id: str, conversation_id: str, text: str, expires_at: int | None = None, title: str | None = None
    ) -> None:
        """Move a conversation to the top; its first message names it. The title expires with its last message."""
        title = title or first_words(text)
        ConversationItem(user_id, title_key(conversation_id)).update(
            [
                ConversationItem.conversation_id.set(conversation_id),
                ConversationItem.title.set(ConversationItem.title | title),
                ConversationItem.preview.set(" ".join(text.split())[:PREVIEW_LENGTH]),
                ConversationItem.updated_at.set(self._clock()),
                ConversationItem.expires_at.set(expires_at) if expires_at else ConversationItem.expires_at.remove(),
            ]
        )

    def list(self, user_id: str) -> list[Frame]:
        """All conversations, the latest first."""
        rows = ConversationItem.query(user_id, ConversationItem.item_key.startswith("m#"))
        return sorted((_title(row) for row in rows), key=lambda entry: -entry["updatedAt"])

    def page(self, user_id: str, conversation_id: str, before: str | None, limit: int, room: Room = REST) -> Page:
        """Up to limit messages before the cursor, as many as fit the response, but at least one.

        Raises ProtocolError for a cursor that does not come from an earlier page.
        """
        prefix = f"c#{conversation_id}#"
        condition: Condition = ConversationItem.item_key.startswith(prefix)
        end = _cursor_key(before) if before is not None else None
        if end is not None:
            condition = ConversationItem.item_key.between(prefix, prefix + end)
        rows = list(
            ConversationItem.query(user_id, condition, scan_index_forward=False, limit=limit + 2, consistent_read=True)
        )
        rows = [row for row in rows if end is None or row.item_key != prefix + end]
        shown = room.first_of([message_frame(row) for row in rows[:limit]])
        cursor = _cursor(rows[len(shown) - 1].item_key.removeprefix(prefix)) if len(rows) > len(shown) else None
        return Page([room.cut(message) for message in reversed(shown)], cursor)

    def find(self, message: Message) -> Frame | None:
        """The saved answer to a message, if there is one."""
        key = message_key(message.conversation_id, message.queued_at, answer_id(message.id))
        try:
            return message_frame(ConversationItem.get(message.user_id, key, consistent_read=True))
        except ConversationItem.DoesNotExist:
            return None

    def change(self, user_id: str, conversation_id: str, change: Change) -> Frame:
        """Set the attributes that change names, and no others. Raises ProtocolError NOT_FOUND."""
        row = ConversationItem(user_id, title_key(conversation_id))
        actions: builtins.list[Action] = []
        if change.title is not None:
            actions += [ConversationItem.title.set(change.title), ConversationItem.titled_by.set("user")]
        if change.model is not None:
            actions.append(ConversationItem.model.set(change.model))
        if change.pinned is not None:
            pinned = ConversationItem.pinned
            actions.append(pinned.set(True) if change.pinned else pinned.remove())
        if change.folder is not None:
            folder = ConversationItem.folder
            actions.append(folder.set(change.folder) if change.folder else folder.remove())
        try:
            row.update(actions, condition=ConversationItem.item_key.exists())
        except (UpdateError, PutError) as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                raise ProtocolError("NOT_FOUND", "there is no such conversation") from None
            raise
        return _title(row)

    def model(self, user_id: str, conversation_id: str) -> str | None:
        """The conversation's own model; "": that of the settings was chosen for it; None: nothing was chosen."""
        try:
            row = ConversationItem.get(user_id, title_key(conversation_id), consistent_read=True)
        except ConversationItem.DoesNotExist:
            return None
        return row.model

    def unnamed(self, user_id: str, conversation_id: str, text: str) -> bool | None:
        """Whether a conversation still has the first words of `text` (or a command) as its title; None: no row yet."""
        try:
            row = ConversationItem.get(user_id, title_key(conversation_id), consistent_read=True)
        except ConversationItem.DoesNotExist:
            return None
        title = row.title or ""
        return row.titled_by is None and (title == first_words(text) or title.startswith("/"))

    def name(self, user_id: str, conversation_id: str, text: str, title: str) -> Frame | None:
        """Give an `unnamed` conversation a title that no person typed; None if it is not unnamed any more."""
        row = ConversationItem(user_id, title_key(conversation_id))
        unnamed = ConversationItem.titled_by.does_not_exist() & (
            (ConversationItem.title == first_words(text)) | ConversationItem.title.startswith("/")
        )
        try:
            row.update([ConversationItem.title.set(title), ConversationItem.titled_by.set("model")], condition=unnamed)
        except UpdateError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return None
            raise
        return _title(row)

    def files(self, user_id: str, conversation_id: str) -> builtins.list[str]:
        """The ids of the files that the agent gave in a conversation."""
        rows = ConversationItem.query(user_id, ConversationItem.item_key.startswith(f"c#{conversation_id}#"))
        return [str(entry["id"]) for row in rows for entry in row.files or []]

    def delete(self, user_id: str, conversation_id: str) -> None:
        """Remove a conversation and all its messages; its files go before, because only the rows name them."""
        prefix = f"c#{conversation_id}#"
        with ConversationItem.batch_write() as batch:
            for row in ConversationItem.query(user_id, ConversationItem.item_key.startswith(prefix)):
                batch.delete(row)
        ConversationItem(user_id, title_key(conversation_id)).delete()


def retention(days: int | None, now: int) -> int | None:
    """The TTL of a message under a retention setting; None keeps it forever."""
    return ttl(now + days * 86_400_000) if days else None


def _title(row: ConversationItem) -> dict[str, Any]:
    title = {
        "type": "conversation",
        "conversationId": row.conversation_id,
        "title": row.title or "",
        "preview": row.preview or "",
        "updatedAt": int(row.updated_at or 0),
    }
    chosen = {"model": row.model, "pinned": row.pinned, "folder": row.folder}
    return title | {name: value for name, value in chosen.items() if value}


def _cursor(suffix: str) -> str:
    return base64.urlsafe_b64encode(suffix.encode()).decode()


def _cursor_key(cursor: str) -> str:
    try:
        key = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        key = ""
    if not _KEY.fullmatch(key):
        raise ProtocolError("BAD_FIELD", "before must be a cursor from an earlier page")
    return key

"""What the agent says by itself: a row of a conversation that answers nothing and names its cause."""

from collections.abc import Sequence

from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition

from chalicelib.messages.conversations import fit, message_frame, message_key, title_key
from chalicelib.platform.models import ConversationItem, SettingItem
from chalicelib.platform.writes import commit, transaction
from chalicelib.wire.protocol import Frame, answer_id
from chalicelib.wire.room import SOCKET

REASON = "proactive"


def proactive_row(
    user_id: str,
    conversation_id: str,
    said_id: str,
    at: int,
    text: str,
    cause: str,
    expires_at: int | None = None,
    files: Sequence[Frame] = (),
) -> ConversationItem:
    """`said_id` names what was said, for ever; its row's id is made from it, as an answer's from its question's."""
    return ConversationItem(
        user_id,
        message_key(conversation_id, at, answer_id(said_id)),
        conversation_id=conversation_id,
        message_id=answer_id(said_id),
        role="assistant",
        content=fit(text),
        created_at=at,
        reason=REASON,
        cause=cause,
        files=list(files) or None,
        expires_at=expires_at,
    )


class _There(Exception):
    """It was saved before."""


def save(row: ConversationItem, owed: SettingItem | None = None) -> bool:
    """Write it unless it is there already. False: it is. `owed` is written with it, or not at all."""
    absent = ConversationItem.item_key.does_not_exist()
    try:
        if owed is None:
            row.save(condition=absent)
        else:
            commit(lambda: _both(row, absent, owed), (_There, _There))
    except _There:
        return False
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _both(row: ConversationItem, absent: Condition, owed: SettingItem) -> None:
    with transaction() as both:
        both.save(row, condition=absent)
        both.save(owed)


def frame(row: ConversationItem) -> Frame:
    """For every open tab."""
    return SOCKET.cut(message_frame(row))


def chat_text(message: Frame) -> str:
    """A saved message as a chat shows it: what is proactive begins with its cause."""
    cause, content = message.get("cause"), str(message["content"])
    return f"🔔 {cause}\n\n{content}".strip() if cause else content


def conversation_named(user_id: str, lowered: str) -> str:
    """A session's name has no capitals: the conversation that it belongs to, as it is spelled."""
    try:
        ConversationItem.get(user_id, title_key(lowered))
        return lowered
    except ConversationItem.DoesNotExist:
        rows = ConversationItem.query(user_id, ConversationItem.item_key.startswith("m#"))
        found = (str(row.conversation_id) for row in rows if str(row.conversation_id).lower() == lowered)
        return next(found, lowered)

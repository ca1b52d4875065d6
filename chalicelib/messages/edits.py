"""A message from Telegram that is edited while it waits: the agent reads the new text."""

from dataclasses import replace

from pynamodb.exceptions import UpdateError

from chalicelib.messages.conversations import Conversations
from chalicelib.messages.message import Message, from_row
from chalicelib.platform.models import PendingMessage

# How many of a user's last messages from Telegram are looked through.
LAST = 50


def sent_as(user_id: str, chat_id: int, message_id: int) -> Message | None:
    """The message that has this place in Telegram; None for an old one, or one that was no message for the agent."""
    newest = PendingMessage.query(
        user_id, PendingMessage.message_id.startswith("tg-"), scan_index_forward=False, limit=LAST, consistent_read=True
    )
    for row in newest:
        place = (row.route or {}).get("telegram") or {}
        if (place.get("chatId"), place.get("messageId")) == (chat_id, message_id):
            return from_row(row)
    return None


def edit(message: Message, text: str) -> Message | None:
    """The message with its new text, in the inbox and in the history. None: it was claimed before (too late).

    A claim has the text as a condition, so a container that knows only the old text cannot take it.
    """
    waits = (PendingMessage.status == "queued") & (PendingMessage.claims == 0)
    row = PendingMessage(message.user_id, message.id)
    try:
        row.update([PendingMessage.text.set(text)], condition=waits)
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return None
        raise
    Conversations().reword(message, text)
    return replace(message, text=text)

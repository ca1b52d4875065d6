"""Reactions of a person to messages in Telegram. The agent is told of them with its next turn.

Rows: `<user>`/`telegram-reaction#<chat>#<message>`, until they were told, at most a week.
"""

from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import DeleteError

from chalicelib.platform.clock import DAY, now_ms, ttl
from chalicelib.platform.models import SettingItem
from chalicelib.telegram.fields import as_dict, as_int, as_text

PREFIX = "telegram-reaction#"
KEEP = 7 * DAY
# More than a person can set on one message.
MOST = 3
CUSTOM = "a custom emoji"


@dataclass(frozen=True)
class Reaction:
    """What a person thinks of a message now; no emoji: the reaction was taken back."""

    sender: int
    chat_id: int
    message_id: int
    emoji: list[str]


def reaction_of(update: dict[str, Any]) -> Reaction | None:
    """A `message_reaction` of a person; None for anything else."""
    body = as_dict(update.get("message_reaction"))
    sender, chat = as_int(as_dict(body.get("user")).get("id")), as_int(as_dict(body.get("chat")).get("id"))
    message, given = as_int(body.get("message_id")), body.get("new_reaction")
    if sender is None or chat is None or message is None or not isinstance(given, list):
        return None
    emoji = [as_text(as_dict(one).get("emoji"))[:16] or CUSTOM for one in given[:MOST]]
    return Reaction(sender, chat, message, emoji)


def note(user_id: str, reaction: Reaction) -> None:
    """Keep it for the next turn. One that is taken back before is forgotten."""
    row = SettingItem(user_id, f"{PREFIX}{reaction.chat_id}#{reaction.message_id}")
    if not reaction.emoji:
        row.delete()
        return
    row.value = {"chatId": reaction.chat_id, "messageId": reaction.message_id, "emoji": reaction.emoji}
    row.expires_at = ttl(now_ms() + KEEP)
    row.save()


def noted(user_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Key and content of what was not told yet."""
    rows = SettingItem.query(user_id, SettingItem.key.startswith(PREFIX), consistent_read=True)
    return [(row.key, row.value) for row in rows if row.value]


def forget(user_id: str, key: str, value: dict[str, Any]) -> bool:
    """It was told, or says nothing. False when the person has changed it since: then it stays, to be told anew."""
    try:
        SettingItem(user_id, key).delete(condition=SettingItem.key.does_not_exist() | (SettingItem.value == value))
    except DeleteError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        return False
    return True

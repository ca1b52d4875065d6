"""Groups that became supergroups: Telegram gives them another chat id, and says so once (`migrate_to_chat_id`).

Rows: `telegram-chat#<old>`/`moved` names the new id, `telegram-chat#<new>`/`was` the old one. Whatever is kept
under the old chat (conversation, place of reports) is found through them; each person's rows follow when they write.
"""

from dataclasses import dataclass
from typing import Any

from chalicelib.platform.models import SettingItem
from chalicelib.telegram.fields import as_dict, as_int

Json = dict[str, Any]


@dataclass(frozen=True)
class Move:
    old: int
    new: int


def move_of(update: Json) -> Move | None:
    """From the service message in the old group."""
    message = as_dict(update.get("message"))
    old, new = as_int(as_dict(message.get("chat")).get("id")), as_int(message.get("migrate_to_chat_id"))
    return Move(old, new) if old is not None and new is not None else None


def key(chat_id: int) -> str:
    """A group's name in our rows (Incoming.chat without a topic)."""
    return f"g{abs(chat_id)}"


def remember(move: Move) -> None:
    """May happen twice."""
    SettingItem(f"telegram-chat#{key(move.old)}", "moved", value={"to": move.new}).save()
    SettingItem(f"telegram-chat#{key(move.new)}", "was", value={"chat": key(move.old)}).save()


def was(chat: str) -> str | None:
    """The name that a group had before."""
    value = _value(f"telegram-chat#{chat}", "was")
    return str(value["chat"]) if value else None


def now_at(place: Json) -> Json:
    """A place with the group's id of now."""
    if place.get("private"):
        return place
    value = _value(f"telegram-chat#{key(int(place['chatId']))}", "moved")
    return place | {"chatId": int(value["to"]), "chat": key(int(value["to"]))} if value else place


def _value(name: str, part: str) -> Json | None:
    try:
        value: Json | None = SettingItem.get(name, part, consistent_read=True).value
    except SettingItem.DoesNotExist:
        return None
    return value

"""Which chat a conversation belongs to: where the agent reports when nobody has just asked."""

from typing import Any

from chalicelib.people.linking import Linking
from chalicelib.platform import log
from chalicelib.platform.models import SettingItem
from chalicelib.telegram.moved import now_at

PREFIX = "telegram-place#"
Json = dict[str, Any]


class Places:
    """A private chat follows from the pairing. A group's place is noted with each of its conversations."""

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self._noted: dict[str, Json] = {}

    def remember(self, conversation_id: str, place: Json) -> None:
        """A turn began there. Without this note a report of that conversation stays on the web page."""
        kept = place | {"messageId": 0}
        if place.get("private") or self._noted.get(conversation_id) == kept:
            return
        try:
            SettingItem(self._user_id, PREFIX + conversation_id).update([SettingItem.value.set(kept)])
        except Exception as error:  # noqa: BLE001  the turn goes on; the next one notes it
            log.failure("telegram_place_unnoted", error)
            return
        self._noted[conversation_id] = kept

    def of(self, conversation_id: str) -> Json | None:
        link = Linking("").of_user(self._user_id)
        if link is None:
            return None
        chat = f"p{link.telegram_id}"
        if conversation_id == "main" or f"{conversation_id}-".startswith(f"tg-{chat}-"):
            where = {"chatId": link.telegram_id, "messageId": 0, "private": True}
            return where | {"chat": chat, "userId": link.telegram_id}
        if not conversation_id.startswith("tg-"):
            return None
        try:
            place: Json | None = SettingItem.get(self._user_id, PREFIX + conversation_id, consistent_read=True).value
        except SettingItem.DoesNotExist:
            return None
        return now_at(place) if place and place.get("userId") == link.telegram_id else None

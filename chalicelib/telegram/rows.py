"""Rows for Telegram in the Settings table: handled updates, conversations and status messages."""

from typing import Any

from pynamodb.exceptions import DeleteError, PutError, UpdateError

from chalicelib.platform.clock import DAY, MINUTE, SECOND, Clock, now_ms, ttl
from chalicelib.platform.models import SettingItem

# Telegram keeps an undelivered update for 24 h.
KEEP_UPDATE = 2 * DAY
# How long a handler may take before a redelivery takes over from it.
HANDLING = 60 * SECOND
# As long as starts may go on until they are given up (MAX_FAILED_STARTS, each with its lease and a tick of
# the watchdog); a status message left behind by a lost one does not block the next for ever.
STATUS_LIFE = 40 * MINUTE
SENDING = "sending"


class Updates:
    """Handles each update once. Messages to the agent do not need this: they have the inbox."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def begin(self, update_id: int) -> str:
        """`new`: handle it; `running`: another call does; `done`: it was handled."""
        row, now = self._row(update_id), ttl(self._clock())
        row.tally, row.expires_at = 0, now + HANDLING // SECOND
        try:
            row.save(
                condition=SettingItem.key.does_not_exist()
                | ((SettingItem.tally == 0) & (SettingItem.expires_at <= now))
            )
        except PutError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            found = SettingItem.get(row.user_id, row.key, consistent_read=True)
            return "done" if found.tally else "running"
        return "new"

    def done(self, update_id: int) -> None:
        until = ttl(self._clock() + KEEP_UPDATE)
        self._row(update_id).update([SettingItem.tally.set(1), SettingItem.expires_at.set(until)])

    @staticmethod
    def _row(update_id: int) -> SettingItem:
        return SettingItem(f"telegram-update#{update_id}", "update")


class Chats:
    """The current conversation of each chat, changed by /new. A new pairing starts with none."""

    def current(self, telegram_id: int, user_id: str, chat: str) -> str | None:
        try:
            value = SettingItem.get(f"telegram#{telegram_id}", f"chat#{chat}", consistent_read=True).value
        except SettingItem.DoesNotExist:
            return None
        return str(value["conversationId"]) if value["userId"] == user_id else None

    def change(self, telegram_id: int, user_id: str, chat: str, conversation_id: str) -> None:
        value = {"userId": user_id, "conversationId": conversation_id}
        SettingItem(f"telegram#{telegram_id}", f"chat#{chat}", value=value).save()


class Statuses:
    """The one status message of a chat while its agent starts.

    The webhook claims the row, sends the message, and writes its id; the Bridge edits the message
    and takes the row when the answer comes. Whoever finds that the other was faster cleans up.
    """

    PREFIX = "telegram-status#"

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def claim(self, user_id: str, chat: str, place: dict[str, Any]) -> bool:
        """Whether this call must send the status message."""
        now = ttl(self._clock())
        row = self._row(user_id, chat)
        row.value, row.expires_at = place | {"messageId": None}, now + STATUS_LIFE // SECOND
        try:
            row.save(condition=SettingItem.key.does_not_exist() | (SettingItem.expires_at <= now))
        except PutError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def sent(self, user_id: str, chat: str, place: dict[str, Any], message_id: int) -> bool:
        """Record the message; False when the answer came meanwhile: it is to be deleted."""
        row = self._row(user_id, chat)
        try:
            row.update([SettingItem.value.set(place | {"messageId": message_id})], condition=SettingItem.key.exists())
        except UpdateError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def drop(self, user_id: str, chat: str) -> None:
        self._row(user_id, chat).delete()

    def of_user(self, user_id: str) -> list[dict[str, Any]]:
        """Places with a status message that is out."""
        rows = SettingItem.query(user_id, SettingItem.key.startswith(self.PREFIX), consistent_read=True)
        return [row.value for row in rows if row.value and row.value["messageId"] is not None]

    def take(self, user_id: str, chat: str) -> int | None:
        """End the status of a chat; the id of the message to delete, if it is out."""
        for _ in range(3):
            try:
                row = SettingItem.get(user_id, self.PREFIX + chat, consistent_read=True)
                row.delete(condition=SettingItem.value == row.value)
            except SettingItem.DoesNotExist:
                return None
            except DeleteError as error:  # its id was written just now
                if error.cause_response_code == "ConditionalCheckFailedException":
                    continue
                raise
            found: int | None = row.value["messageId"]
            return found
        return None

    def _row(self, user_id: str, chat: str) -> SettingItem:
        return SettingItem(user_id, self.PREFIX + chat)

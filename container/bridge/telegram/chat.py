"""The Bot API calls that put one answer into one chat."""

import time
from typing import Any

from bridge.telegram.format import Piece
from chalicelib.platform import log
from chalicelib.telegram.api import BotApi, NotSent, Rejected, Unknown

TYPING_EVERY = 4.5  # Telegram hides the typing sign after 5 s
Json = dict[str, Any]


class Chat:
    """`place` names the chat, its topic and the message that is answered. Methods raise TelegramError."""

    def __init__(self, api: BotApi, place: Json) -> None:
        self._api = api
        self._place = place
        self._typed = 0.0

    def typing(self) -> None:
        """Show the typing sign, at most once in TYPING_EVERY seconds. Raises only Flood."""
        now = time.monotonic()
        if now - self._typed < TYPING_EVERY:
            return
        self._typed = now
        try:
            self._api.call("sendChatAction", **self.target(), action="typing")
        except (NotSent, Unknown, Rejected):
            return  # the answer does not depend on the sign

    def send(self, piece: Piece, reply: bool) -> int:
        """Send a new message. Returns its id."""
        target = self.target() | (self._reply() if reply else {})
        if piece.file is not None:
            sent = self._api.call("sendDocument", files={"document": piece.file}, **target)
        else:
            sent = self._formatted("sendMessage", piece, target)
        return int(sent["message_id"])

    def edit(self, message_id: int, piece: Piece) -> None:
        """Change a message. A message that cannot be edited (deleted, or too old) stays as it is."""
        try:
            self._formatted("editMessageText", piece, {"chat_id": self._place["chatId"], "message_id": message_id})
        except Rejected as error:
            if error.status in (401, 403):
                raise
            if not error.unchanged:
                log.event("telegram_edit_rejected", status=error.status)

    def line(self, text: str) -> int:
        """Send a line about the work, without a sound. Returns its id."""
        sent = self._api.call("sendMessage", **self.target(), text=text, disable_notification=True)
        return int(sent["message_id"])

    def edit_line(self, message_id: int, text: str) -> None:
        self.edit(message_id, Piece(text, (), 0))

    def delete(self, message_id: int) -> None:
        try:
            self._api.call("deleteMessage", chat_id=self._place["chatId"], message_id=message_id)
        except Rejected as error:
            log.event("telegram_delete_rejected", status=error.status)

    def _formatted(self, method: str, piece: Piece, target: Json) -> Any:
        """Call with formatting. If Telegram rejects the formatting, call again without it."""
        fields = target | {"text": piece.text, "link_preview_options": {"is_disabled": True}}
        try:
            return self._api.call(method, **fields, entities=piece.markup())
        except Rejected as error:
            if error.status != 400 or not piece.entities or error.unchanged:
                raise
            log.event("telegram_plain_fallback", method=method)
            return self._api.call(method, **fields)

    def target(self) -> Json:
        return {"chat_id": self._place["chatId"], "message_thread_id": self._place.get("threadId")}

    def _reply(self) -> Json:
        """In a group the answer is a reply to its question."""
        if self._place["private"]:
            return {}
        return {"reply_parameters": {"message_id": self._place["messageId"], "allow_sending_without_reply": True}}

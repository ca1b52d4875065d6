"""The Telegram chat that a message came from: the first words are one message there, which the agent's answer edits.

The chat's progress row names that message before the agent begins, in the form in which the Bridge keeps its own
(telegram/progress.py): it goes on in the same place, or behind it if nobody knows whether the message was sent.
"""

from typing import Any

from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.platform.settings import Settings
from chalicelib.telegram.api import DEFAULT_URL, BotApi, TelegramError
from chalicelib.telegram.moved import now_at
from chalicelib.telegram.progress import Progress
from chalicelib.telegram.texts import WAKING

# Characters, in Telegram's limit of 4,096 with the line below them.
LIMIT = 3_500
# The first message is sent when it says something; then it is edited once, when it is whole.
LEAST = 40
FIRST, WHOLE = f"{{text}}\n\n{WAKING}", "{text}"


class Chat:
    """Without a chat, or without a bot, it does nothing. What Telegram refuses here is said by the agent later."""

    def __init__(self, message: Message, token: str, settings: Settings) -> None:
        place = (message.route or {}).get("telegram")
        self._message = message
        self._place: dict[str, Any] | None = now_at(place) if place is not None and token else None
        self._api = BotApi(token, settings.optional("TELEGRAM_API_URL", DEFAULT_URL))
        self._sent: int | None = None
        self._progress: Progress | None = None

    def show(self, text: str, ended: bool) -> None:
        if self._place is None or len(text) > LIMIT or (not ended and (self._sent is not None or len(text) < LEAST)):
            return
        try:
            if self._sent is None:
                self._send(text)
            else:
                whole = FIRST.format(text=text)
                self._api.call("editMessageText", chat_id=self._place["chatId"], message_id=self._sent, text=whole)
        except TelegramError as error:
            log.event("first_words_not_in_chat", reason=type(error).__name__)
            self._place = None

    def _send(self, text: str, form: str = FIRST) -> None:
        assert self._place is not None
        about: dict[str, Any] = {"place": self._place, "conversationId": self._message.conversation_id}
        about["queuedAt"] = self._message.queued_at
        progress = self._progress = Progress(self._message.user_id, self._message.id, about)
        progress.sending(len(text), text)
        try:
            sent = self._api.call("sendMessage", text=form.format(text=text), **self._target())
        except TelegramError as error:
            if type(error).__name__ != "Unknown":
                progress.not_sent()
            raise
        self._sent = int(sent["message_id"])
        progress.sent(self._sent)

    def finish(self, text: str) -> None:
        """They are the whole answer: without the line below them. What fails here the next container makes good."""
        if self._place is None:
            return
        try:
            if self._sent is None:
                self._send(text, WHOLE)
            else:
                self._api.call("editMessageText", chat_id=self._place["chatId"], message_id=self._sent, text=text)
        except TelegramError as error:
            log.event("first_words_not_in_chat", reason=type(error).__name__)
            return
        assert self._progress is not None
        self._progress.finish()

    def _target(self) -> dict[str, Any]:
        assert self._place is not None
        target = {"chat_id": self._place["chatId"], "message_thread_id": self._place.get("threadId")}
        if self._place["private"]:
            return target
        reply = {"message_id": self._place["messageId"], "allow_sending_without_reply": True}
        return target | {"reply_parameters": reply}

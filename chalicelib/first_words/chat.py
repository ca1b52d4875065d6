"""The Telegram chat that a message came from: the first words are one message there, which the agent's answer edits.

The chat's progress row tells of that message before it is sent, in the form in which the Bridge keeps its own
(telegram/progress.py): it goes on in the same place, or behind it if nobody knows whether the message was sent.
"""

from typing import Any

from chalicelib.messages.first_words import unclaimed
from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.platform.settings import Settings
from chalicelib.telegram.api import DEFAULT_URL, BotApi, TelegramError, Unknown
from chalicelib.telegram.moved import now_at
from chalicelib.telegram.progress import NotFirst, Progress
from chalicelib.telegram.texts import WAKING

# Characters, in Telegram's limit of 4,096 with the line below them.
LIMIT = 3_500


class Chat:
    """Without a chat, or without a bot, it does nothing. What Telegram refuses here is said by the agent later."""

    def __init__(self, message: Message, token: str, settings: Settings) -> None:
        place = (message.route or {}).get("telegram")
        self._message = message
        self._place: dict[str, Any] | None = now_at(place) if place is not None and token else None
        self._api = BotApi(token, settings.optional("TELEGRAM_API_URL", DEFAULT_URL))

    def fits(self, text: str) -> bool:
        return self._place is None or len(text) <= LIMIT

    def show(self, text: str) -> None:
        """All that is said before the agent is awake, in one message. Its answer edits that message.

        From `begin` on either we know what the chat shows, or the agent does, and the other one changes nothing more.
        """
        if self._place is None or not self.fits(text):
            return
        progress = self._progress()
        try:
            progress.begin(text, unclaimed(self._message))
        except NotFirst:
            return  # the agent says it all
        sent = self._sent(f"{text}\n\n{WAKING}", progress)
        if sent is not None and not progress.begun(sent):
            self._call("editMessageText", chat_id=self._place["chatId"], message_id=sent, text=text)

    def expect(self) -> None:
        """They will be the whole answer. A container that starts finds the row, and sends what we did not."""
        if self._place is not None:
            self._progress().expect()

    def finish(self, text: str) -> None:
        """They are the whole answer, and it is saved."""
        if self._place is None:
            return
        progress = self._progress()
        progress.sending(len(text), text)
        sent = self._sent(text, progress)
        if sent is not None:
            progress.sent(sent)
            progress.finish()

    def _progress(self) -> Progress:
        about = {"place": self._place, "conversationId": self._message.conversation_id}
        return Progress(self._message.user_id, self._message.id, about | {"queuedAt": self._message.queued_at})

    def _sent(self, text: str, progress: Progress) -> int | None:
        """The message's id. What was surely not sent is noted as such; anything else counts as sent."""
        try:
            return int(self._api.call("sendMessage", text=text, **self._target())["message_id"])
        except Unknown:
            log.event("first_words_not_in_chat", reason="Unknown")
        except TelegramError as error:
            log.event("first_words_not_in_chat", reason=type(error).__name__)
            progress.begun(None)
        return None

    def _call(self, method: str, **fields: Any) -> None:
        try:
            self._api.call(method, **fields)
        except TelegramError as error:
            log.event("first_words_not_in_chat", reason=type(error).__name__)

    def _target(self) -> dict[str, Any]:
        assert self._place is not None
        target = {"chat_id": self._place["chatId"], "message_thread_id": self._place.get("threadId")}
        if self._place["private"]:
            return target
        reply = {"message_id": self._place["messageId"], "allow_sending_without_reply": True}
        return target | {"reply_parameters": reply}

"""Questions in the chat of their conversation: a message with buttons, and what became of it."""

from collections.abc import Callable
from typing import Any, Protocol

from chalicelib.messages.questions import Question
from chalicelib.platform import log
from chalicelib.telegram.api import BotApi, Rejected, TelegramError
from chalicelib.telegram.cards import keyboard, text

Json = dict[str, Any]


class Notes(Protocol):
    """Remembers which message shows a question, also for the next container."""

    def note_chat(self, question: Question, place: Json, message_id: int) -> None: ...
    def chat_of(self, question: Question) -> Json | None: ...


class Asking:
    """A failure costs the buttons in the chat, not the question: the web page has it, and a written reply counts."""

    def __init__(self, api: BotApi | None, place_of: Callable[[str], Json | None]) -> None:
        self._api = api
        self._place_of = place_of
        self._sent: dict[str, tuple[Json, int]] = {}  # place and message, until the end is shown

    def ask(self, question: Question, notes: Notes) -> None:
        """May be called again after an AWS error: the message is sent once."""
        if question.id not in self._sent:
            self._send(question)
        if question.id in self._sent:
            notes.note_chat(question, *self._sent[question.id])

    def _send(self, question: Question) -> None:
        place = self._place_of(question.conversation_id) if self._api is not None else None
        if self._api is None or place is None:
            return
        target = {"chat_id": place["chatId"], "message_thread_id": place.get("threadId")}
        try:
            sent = self._api.call("sendMessage", **target, text=text(question), reply_markup=keyboard(question))
        except TelegramError as error:
            log.event("question_not_in_chat", question=question.id, reason=type(error).__name__)
            return
        self._sent[question.id] = place, int(sent["message_id"])

    def settle(self, question: Question, notes: Notes) -> None:
        """The same message without buttons, with the end of the question."""
        if self._api is None:
            return
        sent = self._sent.get(question.id)
        known: Json | None = notes.chat_of(question) if sent is None else {"place": sent[0], "messageId": sent[1]}
        if known is None:
            return
        target = {"chat_id": known["place"]["chatId"], "message_id": known["messageId"]}
        try:
            self._api.call("editMessageText", **target, text=text(question))
        except Rejected as error:
            if not error.unchanged:
                log.event("question_not_settled", question=question.id, status=error.status)
        except TelegramError as error:  # a button that is pressed later settles it (chalicelib/telegram/buttons.py)
            log.event("question_not_settled", question=question.id, reason=type(error).__name__)
        self._sent.pop(question.id, None)

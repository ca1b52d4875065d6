"""A button below a question of the agent. Telegram shows a waiting mark on it until it is answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.lifecycle.answers import answer
from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.messages.questions import CLOSED_TEXT, OPEN, Question, Questions
from chalicelib.people.linking import Linking
from chalicelib.platform import log
from chalicelib.telegram import texts
from chalicelib.telegram.api import BotApi, TelegramError
from chalicelib.telegram.cards import SKIP, Pressed, answers, current, keyboard, press, pressed, text
from chalicelib.telegram.fields import as_dict, as_int
from chalicelib.wire.protocol import ProtocolError

Json = dict[str, Any]


@dataclass(frozen=True)
class Buttons:
    """`listed`: whether a Telegram account may use this bot."""

    dispatch: Dispatch
    linking: Linking
    api: Callable[[], BotApi]
    listed: Callable[[int], bool] = lambda _: True

    def receive(self, query: Json) -> Json:
        """The body of the webhook's answer: it takes the waiting mark off the button and may say a word."""
        said = self._pressed(query)
        body = {"method": "answerCallbackQuery", "callback_query_id": str(query.get("id"))}
        return body | ({"text": said[:200]} if said else {})

    def _pressed(self, query: Json) -> str:
        """Only the person whom the agent belongs to may answer, and only in the chat that was asked."""
        sender, message = as_int(as_dict(query.get("from")).get("id")), as_dict(query.get("message"))
        button, chat_id = pressed(query.get("data")), as_int(as_dict(message.get("chat")).get("id"))
        if button is None or sender is None or chat_id is None:
            return ""
        link = self.linking.of_telegram(sender) if self.listed(sender) else None
        questions = Questions(self.dispatch.clock)
        question = questions.get(link.user_id, button.question) if link is not None else None
        if question is None or not _asked_in(questions, question, chat_id):
            log.event("button_refused", telegram=sender, paired=link is not None)
            return texts.NOT_YOUR_QUESTION
        shown = {"chat_id": chat_id, "message_id": as_int(message.get("message_id"))}
        try:
            changed = self._change(questions, question, button)
        except ProtocolError as error:
            self._show(questions.get(question.user_id, question.id) or question, shown)
            return error.message
        self._show(changed, shown)
        return ""

    def _change(self, questions: Questions, question: Question, button: Pressed) -> Question:
        if question.state != OPEN:
            raise ProtocolError("QUESTION_CLOSED", CLOSED_TEXT[question.state])
        if button.value == SKIP:
            return answer(self.dispatch, question.user_id, question.id, None, "telegram")
        ticked = questions.pick(question.user_id, question.id, lambda now: press(now, button))
        if current(ticked) is not None:  # with no part left it is answered, also when an earlier press got no further
            return ticked
        return answer(self.dispatch, question.user_id, question.id, answers(ticked), "telegram")

    def _show(self, question: Question, shown: Json) -> None:
        try:
            self.api().call("editMessageText", **shown, text=text(question), reply_markup=keyboard(question))
        except TelegramError as error:  # not changed, or the Bridge does it in a moment
            log.event("question_not_shown", question=question.id, reason=type(error).__name__)


def _asked_in(questions: Questions, question: Question, chat_id: int) -> bool:
    """The Bridge notes the chat just after it has sent the message."""
    note = questions.chat_of(question)
    return note is None or note["place"]["chatId"] == chat_id

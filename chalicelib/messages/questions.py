"""What the agent waits to be told: a question (`ask_user`) or an approval, from asked to closed.

    open --choose--> chosen --close--> closed        (the Bridge hands the choice to OpenClaw and closes)
      '-----------------close-------------'          (expired, cancelled, answered elsewhere, gone)

The row `question#<id>` in Settings is the truth. Its tally is the state of the way: 0 open, 1 chosen, 2 closed,
and every change has it as a condition: of two people who press at once, one wins. The row of the conversation is
what a reload shows; it gets the end of the question, whatever that is.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.messages.conversations import message_frame, message_key
from chalicelib.platform.clock import DAY, Clock, now_ms, ttl
from chalicelib.platform.models import ConversationItem, SettingItem
from chalicelib.platform.writes import TRIES, commit, transaction, update
from chalicelib.wire.protocol import Frame, ProtocolError

Json = dict[str, Any]
Picked = dict[str, list[str]]
PREFIX, CHAT_PREFIX = "question#", "question-chat#"
QUESTION, APPROVAL = "question", "approval"
OPEN, CHOSEN, ANSWERED, CANCELLED, EXPIRED, GONE = "open", "chosen", "answered", "cancelled", "expired", "gone"
IS_OPEN, IS_CHOSEN, IS_CLOSED = 0, 1, 2
KEEP = 7 * DAY
REASON = "question"
CLOSED_TEXT = {
    CHOSEN: "This was answered a moment ago.",
    ANSWERED: "This was answered already.",
    CANCELLED: "This question was withdrawn.",
    EXPIRED: "Nobody answered in time, so the agent went on without an answer. Write it as a message instead.",
    GONE: "The agent was interrupted while it waited. It asks again if it still needs an answer.",
}


def question_id(gateway_id: str) -> str:
    """Our name of it: short enough for Telegram's buttons, and with no characters of its own."""
    return f"q{hashlib.sha256(gateway_id.encode()).hexdigest()[:20]}"


@dataclass(frozen=True)
class Question:
    """`parts`: 1 to 3 questions `{id, header, text, options: [{label, description}], multi, other}`.

    `about`: of an approval, the exact `command`, its `directory` and a `warning`.
    """

    user_id: str
    id: str
    conversation_id: str
    gateway_id: str
    kind: str
    parts: list[Json]
    at: int
    expires_at: int
    generation: int
    about: Json = field(default_factory=dict)
    state: str = OPEN
    answers: dict[str, list[str]] = field(default_factory=dict)
    by: str = ""
    picked: dict[str, list[str]] = field(default_factory=dict)  # in Telegram, before the last button

    def stored(self) -> Json:
        names = "conversation_id gateway_id kind parts at expires_at generation about state answers by picked"
        return {name: getattr(self, name) for name in names.split()}

    def shown(self) -> Json:
        """For the page: everything but what only the gateway needs."""
        body = {"id": self.id, "kind": self.kind, "state": self.state, "expiresAt": self.expires_at}
        body |= {"parts": self.parts}
        optional = {"answers": self.answers, "by": self.by, **self.about}
        return body | {name: value for name, value in optional.items() if value}

    def text(self) -> str:
        """In words, for previews and for who cannot show a card."""
        if self.kind == APPROVAL:
            return f"May I run this command?\n\n{self.about.get('command', '')}"
        return "\n\n".join(str(part["text"]) for part in self.parts)

    def row(self, expires_at: int | None = None) -> ConversationItem:
        return ConversationItem(
            self.user_id,
            message_key(self.conversation_id, self.at, self.id),
            conversation_id=self.conversation_id,
            message_id=self.id,
            role="assistant",
            content=self.text(),
            created_at=self.at,
            reason=REASON,
            question=self.shown(),
            expires_at=expires_at,
        )

    def frame(self) -> Frame:
        """For every open tab; a later frame with the same id takes its place."""
        return message_frame(self.row())


def checked(question: Question, answers: dict[str, list[str]]) -> dict[str, list[str]]:
    """The answers, if they fit the question. Raises ProtocolError BAD_FIELD."""
    known = {str(part["id"]): part for part in question.parts}
    if unknown := next((name for name in answers if name not in known), None):
        raise ProtocolError("BAD_FIELD", f"answers: {unknown[:40]} is not a part of this question")
    for name, part in known.items():
        values = answers.get(name) or []
        labels = [option["label"] for option in part["options"]]
        if not values or any(not value.strip() for value in values):
            raise ProtocolError("BAD_FIELD", f"answers: {name} needs an answer")
        if len(values) > (len(labels) + 1 if part["multi"] else 1):
            raise ProtocolError("BAD_FIELD", f"answers: {name} has too many answers")
        if not part["other"] and any(value not in labels for value in values):
            raise ProtocolError("BAD_FIELD", f"answers: {name} must be one of {', '.join(labels)}")
    return answers


class _Known(Exception):
    """It was opened, or closed, before."""


class _Deleted(Exception):
    """Its conversation was deleted meanwhile."""


class _Refused(Exception):
    """The row is not in the state that the change needs."""


class Questions:
    """The rows of one deployment. Reads are consistent."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def open(self, question: Question, expires_at: int | None = None) -> bool:
        """Keep a new one; False when it is known (the gateway tells of it again after a connection)."""
        row = SettingItem(question.user_id, PREFIX + question.id, value=question.stored(), tally=IS_OPEN)
        row.expires_at = ttl(self._clock() + KEEP)

        def write() -> None:
            with transaction() as both:  # one alone would be a question that nobody sees
                both.save(row, condition=SettingItem.key.does_not_exist())
                both.save(question.row(expires_at))

        try:
            commit(write, (_Known, _Known))
        except _Known:
            return False
        return True

    def get(self, user_id: str, name: str) -> Question | None:
        try:
            return _question(SettingItem.get(user_id, PREFIX + name, consistent_read=True))
        except SettingItem.DoesNotExist:
            return None

    def unclosed(self, user_id: str) -> list[Question]:
        """Those that still wait, or that were chosen and not handed over."""
        rows = SettingItem.query(user_id, SettingItem.key.startswith(PREFIX), consistent_read=True)
        return [_question(row) for row in rows if int(row.tally or 0) != IS_CLOSED]

    def choose(self, user_id: str, name: str, answers: dict[str, list[str]] | None, by: str) -> Question:
        """A person's answer; None cancels. Raises ProtocolError NOT_FOUND, QUESTION_CLOSED or BAD_FIELD."""
        question = self._waiting(user_id, name)
        answers = {} if answers is None else checked(question, answers)
        chosen = replace(question, state=CHOSEN, answers=answers, by=by, picked={})
        if not self._write(chosen, IS_CHOSEN, SettingItem.tally == IS_OPEN):
            raise ProtocolError("QUESTION_CLOSED", CLOSED_TEXT[CHOSEN])
        return chosen

    def pick(self, user_id: str, name: str, change: Callable[[Question], Picked | None]) -> Question:
        """Change what is ticked in Telegram so far; None changes nothing. Raises as `choose` does.

        Two buttons that are pressed at once both count: each is applied to what the other has written.
        """
        for _ in range(TRIES):
            before = self._waiting(user_id, name)
            picked = change(before)
            if picked is None:
                return before
            after = replace(before, picked=picked)
            same = (SettingItem.tally == IS_OPEN) & (SettingItem.value == before.stored())
            if self._write(after, IS_OPEN, same):
                return after
        raise ProtocolError("RATE_LIMITED", "Too many buttons at once. Press it again.")

    def close(self, question: Question, state: str, answers: dict[str, list[str]], by: str = "") -> Question | None:
        """The end of it, in both rows. None: it was closed before."""
        closed = replace(question, state=state, answers=answers, by=by, picked={})
        row, still, value = closed.row(), SettingItem.tally < IS_CLOSED, _written(closed, IS_CLOSED)

        def write() -> None:
            with transaction() as both:  # one alone would be a card that stays open after a reload
                both.update(SettingItem(closed.user_id, PREFIX + closed.id), value, condition=still)
                shown: list[Any] = [ConversationItem.question.set(closed.shown())]
                both.update(row, shown, condition=ConversationItem.item_key.exists())

        try:
            commit(write, (_Known, _Deleted))
        except _Known:
            return None
        except _Deleted:
            return closed if self._write(closed, IS_CLOSED, still) else None
        return closed

    def note_chat(self, question: Question, place: Json, message_id: int) -> None:
        """Where its buttons are. A row of its own: the question's row may be written at the same time."""
        value = {"place": place, "messageId": message_id}
        row = SettingItem(question.user_id, CHAT_PREFIX + question.id, value=value)
        row.expires_at = ttl(self._clock() + KEEP)
        row.save()

    @staticmethod
    def chat_of(question: Question) -> Json | None:
        try:
            value: Json | None = SettingItem.get(question.user_id, CHAT_PREFIX + question.id).value
        except SettingItem.DoesNotExist:
            return None
        return value

    def _waiting(self, user_id: str, name: str) -> Question:
        question = self.get(user_id, name)
        if question is None:
            raise ProtocolError("NOT_FOUND", "there is no such question")
        if question.state != OPEN:
            raise ProtocolError("QUESTION_CLOSED", CLOSED_TEXT[question.state])
        if question.expires_at <= self._clock():
            raise ProtocolError("QUESTION_CLOSED", CLOSED_TEXT[EXPIRED])
        return question

    @staticmethod
    def _write(question: Question, tally: int, condition: Any) -> bool:
        try:
            update(SettingItem(question.user_id, PREFIX + question.id), _written(question, tally), condition, _Refused)
        except _Refused:
            return False
        return True


def _written(question: Question, tally: int) -> list[Any]:
    return [SettingItem.value.set(question.stored()), SettingItem.tally.set(tally)]


def asks_in(user_id: str, conversation_id: str) -> bool:
    """Whether a written reply in that conversation answers a question."""
    waiting = Questions().unclosed(user_id)
    return any(one.kind == QUESTION and one.conversation_id == conversation_id for one in waiting)


def _question(row: SettingItem) -> Question:
    value: Json = row.value or {}
    numbers = {name: int(value[name]) for name in ("at", "expires_at", "generation")}
    return Question(row.user_id, row.key.removeprefix(PREFIX), **(value | numbers))

"""Tells the agent what the person was shown and the agent does not know.

A container that is killed loses what was said after its last snapshot. The history (the Conversations table)
has it: whatever is answered there and not in the restored transcript goes to the agent as a quotation before
the conversation's next message. What happened in other conversations is told once, in short, before the
next message anywhere.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bridge.openclaw.gateway import Gateway
from bridge.openclaw.history import Transcript
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.turns.external import quoted
from bridge.turns.outcome import session_key
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.platform.clock import MINUTE
from chalicelib.wire.protocol import Frame, ProtocolError

ROWS = 100  # of a conversation's history, newest
# Characters: of one text, and of all of a conversation.
TEXT_LENGTH, WHOLE_LENGTH = 4_000, 40_000
BRIEF_LENGTH = 300
OTHERS, BRIEF_EXCHANGES = 10, 3  # conversations, and exchanges of each, in the short form
# Of the state's last change: clocks differ, and an answer is shown a moment before it is stored.
MARGIN = MINUTE
HEAD = (
    "[Context restored by the system: your memory was restored from an earlier state. What follows took place "
    "after that. You already answered these; do not answer them again.]"
)
UNRESTFUL = (
    "[Context restored by the system: your memory was saved while you were working. How that work ended is not known: "
    "look before you repeat any of it.]"
)
TAIL = "[End of the restored context. The message of now:]"
CLEARED = ("/new", "/reset")


class Untold(Protocol):
    """What goes before a message; `told` when OpenClaw has accepted it."""

    def before(self, gateway: Gateway, message: Message) -> str: ...
    def told(self, gateway: Gateway, message: Message) -> None: ...


class Nothing:
    """Everything is known."""

    def before(self, gateway: Gateway, message: Message) -> str:
        return ""

    def told(self, gateway: Gateway, message: Message) -> None:
        return None


@dataclass(frozen=True)
class Exchange:
    """A question and its answer as the person was shown them; what the agent said unasked has no question."""

    id: str
    question: str
    answer: str
    at: int
    reason: str = ""
    cause: str = ""  # of a question that a program sent

    @property
    def command(self) -> str:
        """The question where it may be a slash command."""
        return "" if self.cause else self.question.strip()

    def lines(self, length: int) -> str:
        stopped = " (stopped by the user)" if self.reason == "aborted" else ""
        parts = [f"[exchange {self.id}]"]
        if self.question:
            question = _cut(self.question, length)
            parts.append(f"{self.cause}:\n{quoted(question, 'External')}" if self.cause else f"User: {question}")
        if self.answer:
            parts.append(f"You{stopped}: {_cut(self.answer, length)}")
        return "\n".join(parts)


@dataclass
class _Process:
    """What is settled for one connection to OpenClaw: after another restart all is looked at again."""

    gateway: Gateway
    done: set[str] = field(default_factory=set)  # conversations
    others: str | None = None


class Reconcile:
    """`state_at`: when the state that OpenClaw was started on last changed (ms); 0 if there was none.

    `forgotten`: times (since, until, in ms) that the person chose to forget with /restore. `unrestful`: whether the
    state was saved while the agent worked.
    """

    def __init__(
        self,
        user_id: str,
        conversations: Conversations,
        forgotten: Callable[[], Sequence[tuple[int, int]]] = tuple,
        unrestful: Callable[[], bool] = lambda: False,
    ) -> None:
        self._user = user_id
        self._conversations = conversations
        self._forgotten = forgotten
        self._unrestful = unrestful
        self._warned = False
        self.state_at = 0
        self._process: _Process | None = None
        self._lock = threading.Lock()

    def starts_at(self, state_at: int) -> None:
        self.state_at = state_at

    def before(self, gateway: Gateway, message: Message) -> str:
        """The quotation before a message. Raises GatewayClosed, GatewayError."""
        if message.command.startswith("/"):
            return ""  # a command works only at the beginning
        with self._lock:
            process = self._of(gateway)
            warning = f"{UNRESTFUL}\n\n" if self._unrestful() and not self._warned else ""
            if message.conversation_id in process.done and not process.others:
                return warning
            try:
                return warning + self._told_with(process, message)
            except AWS_ERRORS as error:
                log.failure("history_unread", error)  # this turn goes on without; the next one looks again
                return warning

    def told(self, gateway: Gateway, message: Message) -> None:
        """OpenClaw has accepted the message with what was put before it."""
        if message.command.startswith("/"):
            return
        with self._lock:
            process = self._of(gateway)
            process.done.add(message.conversation_id)
            process.others = ""
            self._warned = True

    def _of(self, gateway: Gateway) -> _Process:
        if self._process is None or self._process.gateway is not gateway:
            self._process = _Process(gateway)
        return self._process

    def _told_with(self, process: _Process, message: Message) -> str:
        if process.others is None:
            process.others = self._elsewhere(process.gateway, message.conversation_id)
        here: list[Exchange] = []
        if message.conversation_id not in process.done:
            here = self._untold(process.gateway, message.conversation_id, message.id)
        parts = _fitting(here)
        if process.others:
            parts.append(process.others)
        if not parts:
            return ""
        log.event("context_restored", message_id=message.id, exchanges=len(here), elsewhere=bool(process.others))
        return "\n\n".join([HEAD, *parts, TAIL]) + "\n\n"

    def _elsewhere(self, gateway: Gateway, here: str) -> str:
        """What is new in other conversations, in short."""
        parts: list[str] = []
        entries = [entry for entry in self._conversations.list(self._user) if entry["updatedAt"] > self._since()]
        for entry in [entry for entry in entries if entry["conversationId"] != here][:OTHERS]:
            untold = self._untold(gateway, str(entry["conversationId"]), "")[-BRIEF_EXCHANGES:]
            if untold:
                title = f"In your other conversation “{entry['title']}”:"
                parts.append("\n".join([title, *(exchange.lines(BRIEF_LENGTH) for exchange in untold)]))
        return "\n\n".join(reversed(parts))

    def _since(self) -> int:
        return self.state_at - MARGIN

    def _untold(self, gateway: Gateway, conversation: str, now: str) -> list[Exchange]:
        """The exchanges that the agent does not know, oldest first. A transcript lacks only its latest part."""
        shown = self._shown(conversation, now)
        if not shown:
            return []
        transcript = Transcript(gateway, session_key(conversation))
        found: list[Exchange] = []
        gaps: Sequence[tuple[int, int]] | None = None
        for exchange in reversed(shown):
            known = _knows(transcript, exchange)
            if exchange.command.startswith(CLEARED) or (known and exchange.at <= self.state_at):
                return found[::-1]
            if not known and not exchange.command.startswith("/"):
                gaps = self._forgotten() if gaps is None else gaps
                if not any(since < exchange.at <= until for since, until in gaps):
                    found.append(exchange)
        if transcript.messages:  # begun anew or compacted: what was before that is rightly gone
            found = [exchange for exchange in found if exchange.at > self._since()]
        return found[::-1]

    def _shown(self, conversation: str, now: str) -> list[Exchange]:
        """What the person was shown as answered, oldest first; without the message of now."""
        try:
            rows = self._conversations.page(self._user, conversation, None, ROWS).messages
        except ProtocolError:
            return []
        questions = {row["messageId"]: row for row in rows if row["role"] == "user"}
        return [_exchange(row, questions) for row in rows if row["role"] == "assistant" and _counts(row, now)]


def _counts(row: Frame, now: str) -> bool:
    return row.get("reason") != "error" and row.get("replyTo") != now


def _exchange(row: Frame, questions: dict[str, Frame]) -> Exchange:
    asked = str(row.get("replyTo") or "")
    question = questions.get(asked, {})
    text, cause = str(question.get("content", "")), str(question.get("cause") or "")
    reason = str(row.get("reason", ""))
    return Exchange(asked or row["messageId"], text, row["content"], row["createdAt"], reason, cause)


def _knows(transcript: Transcript, exchange: Exchange) -> bool:
    known = transcript.of(exchange.id)
    if known.answer is not None or known.aborted or (known.sent and not exchange.answer):
        return True
    mark = f"[exchange {exchange.id}]"
    for text in transcript.texts():
        if mark in text or (not exchange.question and text == exchange.answer):
            return True
        if not exchange.answer and exchange.question and exchange.question in text:  # part of another message's turn
            return True
    return False


def _fitting(exchanges: list[Exchange]) -> list[str]:
    """The newest that fit, in order."""
    parts: list[str] = []
    left = WHOLE_LENGTH
    for exchange in reversed(exchanges):
        lines = exchange.lines(TEXT_LENGTH)
        left -= len(lines)
        if left < 0:
            parts.append("(More took place before; it was left out.)")
            break
        parts.append(lines)
    return parts[::-1]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + " …"

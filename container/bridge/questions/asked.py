"""Brings what OpenClaw asks to the person, and the answer back.

    requested -> row -> tabs, chat          choice (row) -> resolve -> resolved -> row closed -> tabs, chat

OpenClaw keeps its questions in its memory: after each connection its list is compared with the rows, and what it
does not know any more is gone (the resumed turn asks again, as a new question).
"""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from bridge.openclaw.gateway import Gateway
from bridge.questions.allowed import Allowed
from bridge.questions.ends import Ends
from bridge.questions.jobs import Jobs
from bridge.questions.live import Entry, Live
from bridge.questions.reading import ALLOW_ALWAYS, DECISION, WEB, answers_of, is_reply, read, session_of
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.telegram.asking import Asking
from bridge.turns.delivery import Delivery
from chalicelib.messages.inbox import Message
from chalicelib.messages.proactive import conversation_named
from chalicelib.messages.questions import ANSWERED, APPROVAL, CHOSEN, GONE, OPEN, QUESTION, Question, Questions
from chalicelib.platform import log
from chalicelib.platform.clock import SECOND, now_ms
from chalicelib.platform.models import ConversationItem
from chalicelib.wire.protocol import ProtocolError

Json = dict[str, Any]
REQUESTED = {"question.requested": QUESTION, "exec.approval.requested": APPROVAL}
RESOLVED = {"question.resolved", "exec.approval.resolved"}
LISTS = {"question.list": QUESTION, "exec.approval.list": APPROVAL}
REPLY_SECONDS = 30.0  # longer than a request may take
LISTED_SECONDS = 2.0
TEXT = "text"  # the way of a written reply


class Asked:
    """One thread for all of a user's questions; `hear` and `connected` are the gateway's, `reply` a turn's."""

    def __init__(
        self,
        user: tuple[str, int],
        delivery: Delivery,
        asking: Asking,
        expires_at: Callable[[int], int | None] = lambda now: None,
        rows: Questions | None = None,
        allowed: Allowed | None = None,
    ) -> None:
        self._user = user
        self._asking = asking
        self._expires_at = expires_at
        self._rows = rows or Questions()
        self._allowed = allowed or Allowed(*user)
        self._live = Live()
        self._jobs = Jobs()
        self._ends = Ends(self._rows, self._live, delivery, asking)
        self._ends.on_handed_over = self._handed_over
        self._opened: set[str] = set()  # stored, by the gateway's id
        self._announced: set[str] = set()  # shown in the tabs and in the chat
        self._tried: set[str] = set()  # messages that were offered once; a refused one has a turn of its own
        self.on_asked: Callable[[ConversationItem], None] = lambda row: None  # for those who look at no tab
        self._settled = False  # whether OpenClaw may be asked what it waits for: not before the first words
        self._compared = threading.Event()  # the rows agree with what this OpenClaw waits for

    def start(self, gateway: Gateway | None) -> None:
        """From now on what is asked reaches the person."""
        self._ends.gateway = gateway
        self._jobs.start()

    def settle(self) -> None:
        """Compare, now and with each later connection."""
        self._settled = True
        if self._ends.gateway is not None:
            self.connected(self._ends.gateway)

    def connected(self, gateway: Gateway) -> None:
        self._ends.gateway = gateway
        self._compared.clear()
        if self._settled:
            self._jobs.put("compare", self._compare)

    def hear(self, event: Json) -> None:
        """An event of the gateway. Must not wait."""
        name, payload = str(event.get("event")), event.get("payload")
        if not isinstance(payload, dict):
            return
        if name in REQUESTED:
            self._put_asked(REQUESTED[name], payload)
        elif name in RESOLVED:
            self._live.resolved(str(payload.get("id")))
            self._jobs.put(f"resolved {payload.get('id')}", lambda: self._resolved(payload))

    def look(self, _: Json | None = None) -> None:
        """A choice was made, or may have been (a frame may be lost); and what waits too long is ended."""
        self._jobs.put("choices", self._choices)

    def beat(self) -> None:
        """At each heartbeat: look while something is open. Most users are hardly ever asked."""
        if not self._settled:
            return
        compared = self._compared.is_set()
        if not compared and self._ends.gateway is not None:
            self._jobs.put("compare", self._compare)
        if self._live.all() or not compared:
            self.look()

    def close(self, seconds: float) -> None:
        """The container ends: what still waits ends with it, and says so."""
        self._jobs.put("end", self._end_all)
        self._jobs.stop(seconds)
        self._live.abandon()

    def waits_in(self, session: str) -> bool:
        """Whether a person is asked something in that session: its run says nothing meanwhile."""
        return self._live.waits_in(session)

    def takes(self, message: Message) -> bool:
        """Whether a message answers the open question of its conversation: a plain text that came after it."""
        entry = self._live.asked_in(message.conversation_id)
        after = entry is not None and message.queued_at >= entry.question.at
        return after and message.id not in self._tried and is_reply(message)

    def reply(self, message: Message) -> bool:
        """Take a message as the answer to the open question of its conversation. False: there is none any more.

        Once the row has the choice, the row decides: True means that OpenClaw has taken it.
        """
        entry = self._live.asked_in(message.conversation_id)
        self._tried.add(message.id)
        if entry is None or not self._choose(entry.question, answers_of(message.text, entry.question.parts)):
            return False
        self.look()
        while not entry.closed.wait(REPLY_SECONDS):
            self._look_after(entry)
        taken = entry.end is not None and (entry.end.state, entry.end.by) == (ANSWERED, TEXT)
        if not taken:
            log.event("reply_not_taken", question=entry.question.id, state=entry.end.state if entry.end else "unknown")
        return taken

    def _choose(self, question: Question, answers: dict[str, list[str]]) -> bool:
        """Whether the row has the reply as the choice: also when only the reply of DynamoDB was lost."""
        try:
            self._rows.choose(self._user[0], question.id, answers, TEXT)
            return True
        except (ProtocolError, *AWS_ERRORS) as error:
            log.event("reply_not_chosen", question=question.id, reason=type(error).__name__)
        try:
            row = self._rows.get(self._user[0], question.id)
        except AWS_ERRORS as error:
            log.failure("question_failed", error, question=question.id)
            return False
        return row is not None and row.state in (CHOSEN, ANSWERED) and (row.by, row.answers) == (TEXT, answers)

    def _look_after(self, entry: Entry) -> None:
        """A written choice that is not handed over yet. Without a link, or past its time, it is taken back."""
        if self._hopeless(entry.question):
            self._jobs.put(f"give up {entry.question.id}", partial(self._give_up, entry.question))
        else:
            self.look()

    def _hopeless(self, question: Question) -> bool:
        gateway = self._ends.gateway
        late = now_ms() > question.expires_at + REPLY_SECONDS * SECOND
        return late or gateway is None or gateway.closed.is_set()

    def _give_up(self, question: Question) -> None:
        if self._hopeless(question):  # there may be a new link by now
            self._ends.give_up(self._rows.get(self._user[0], question.id) or question)

    def _put_asked(self, kind: str, record: Json) -> None:
        name = f"asked {record.get('id')}"
        self._jobs.put(name, partial(self._requested, kind, record), partial(self._given_up, kind, record))

    def _compare(self) -> None:
        """Make the rows agree with what OpenClaw still waits for."""
        gateway = self._ends.gateway
        assert gateway is not None
        records = [(kind, one) for method, kind in LISTS.items() for one in _listed(gateway.request(method, {}))]
        known = {str(record.get("id")) for _, record in records}
        waiting = {one.gateway_id: one for one in [*self._live.all(), *self._rows.unclosed(self._user[0])]}
        for name in waiting.keys() - known:
            self._jobs.put(f"gone {name}", partial(self._ends.vanished, waiting[name]))
        for kind, record in records:
            self._put_asked(kind, record)
        self.look()
        self._jobs.put("follow", self._follow)
        self._compared.set()

    def _requested(self, kind: str, record: Json) -> None:
        """May be repeated: after a failure, and after a new connection."""
        if self._live.is_resolved(str(record.get("id"))):
            return
        session = session_of(record)
        question = read(kind, record, self._user, self._conversation(session))
        if question is None:
            self._unasked(kind, record, "unreadable")
            return
        self._live.keep(question)  # before it is stored, so that its end finds it however the write went
        if not self._rows.open(question, self._expires_at(now_ms())):
            question = self._rows.get(self._user[0], question.id) or question
            if question.state not in (OPEN, CHOSEN):  # it ended here while there was no link to say so
                self._unasked(kind, record, "closed")
                self._ends.close(question, question.state, question.answers, question.by)
                return
            self._live.keep(question)
        self._opened.add(question.gateway_id)
        if question.id not in self._announced:
            self._announce(question)

    def _announce(self, question: Question) -> None:
        self._jobs.later(max(question.expires_at - now_ms(), 0) / SECOND + 0.2, "choices", self._choices)
        self._ends.show(question)
        self._asking.ask(question, self._rows)
        self._announced.add(question.id)
        self.on_asked(question.row())
        log.event("question_asked", question=question.id, kind=question.kind, parts=len(question.parts))

    def _unasked(self, kind: str, record: Json, reason: str) -> None:
        """Nobody is asked: OpenClaw must not wait for an answer."""
        name = record.get("id")
        log.event("question_not_asked", kind=kind, reason=reason, named=isinstance(name, str))
        if isinstance(name, str):
            self._ends.withdraw(kind, name)

    def _given_up(self, kind: str, record: Json) -> None:
        """It could not be stored. One that is stored can be answered on the page, whatever failed after that."""
        name = str(record.get("id"))
        if name not in self._opened:
            self._live.drop(name)
            self._unasked(kind, record, "failed")

    def _conversation(self, session: str) -> str:
        """An automation's own session is shown nowhere: what it asks is asked in the main conversation."""
        return conversation_named(self._user[0], session.removeprefix(WEB)) if session.startswith(WEB) else "main"

    def _choices(self) -> None:
        """A job for each, so that one that fails does not hold up the others."""
        for question in self._rows.unclosed(self._user[0]):
            self._jobs.put(f"choice {question.id}", partial(self._ends.look, question))

    def _handed_over(self, question: Question) -> None:
        """OpenClaw writes its list as it starts the command."""
        if question.answers.get(DECISION) == [ALLOW_ALWAYS]:
            self._jobs.later(LISTED_SECONDS, f"follow {question.id}", lambda: self._follow(question))

    def _follow(self, question: Question | None = None) -> None:
        if self._ends.gateway is not None:
            self._allowed.follow(self._ends.gateway, question)

    def revoked(self, _: Json | None = None) -> None:
        """The person has ended something that was allowed for good."""
        self._jobs.put("follow", self._follow)

    def _resolved(self, payload: Json) -> None:
        question = self._live.of(str(payload.get("id")))
        if question is not None:
            self._ends.resolved(self._rows.get(self._user[0], question.id) or question, payload)

    def _end_all(self) -> None:
        for question in self._rows.unclosed(self._user[0]):
            if question.generation != self._user[1]:
                continue
            try:
                self._ends.close(question, GONE, question.answers, question.by)
            except AWS_ERRORS as error:  # the next container closes it
                log.failure("question_failed", error, question=question.id)


def _listed(reply: Any) -> list[Json]:
    """`question.list` answers an object; `exec.approval.list` a bare list, which the client wraps."""
    found = reply.get("questions") or reply.get("list") or []
    return [one for one in found if isinstance(one, dict)]

"""Brings what OpenClaw asks to the person, and the answer back.

    requested -> row -> tabs, chat          choice (row) -> resolve -> resolved -> row closed -> tabs, chat

OpenClaw keeps its questions in its memory: after each connection its list is compared with the rows, and what it
does not know any more is gone (the resumed turn asks again, as a new question).
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from bridge.questions.allowed import Allowed
from bridge.questions.reading import ALLOW_ALWAYS, DECISION, WEB, answers_of, is_reply, read, resolution, session_of
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.telegram.asking import Asking
from bridge.turns.delivery import Delivery
from bridge.turns.outcome import session_key
from chalicelib.messages.inbox import Message
from chalicelib.messages.proactive import conversation_named
from chalicelib.messages.questions import (
    ANSWERED,
    APPROVAL,
    CANCELLED,
    CHOSEN,
    EXPIRED,
    GONE,
    QUESTION,
    Question,
    Questions,
)
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms
from chalicelib.wire.protocol import ProtocolError

Json = dict[str, Any]
REQUESTED = {"question.requested": QUESTION, "exec.approval.requested": APPROVAL}
RESOLVED = {"question.resolved", "exec.approval.resolved"}
EVENTS = {*REQUESTED, *RESOLVED}
LISTS = {"question.list": QUESTION, "exec.approval.list": APPROVAL}
REPLY_SECONDS = 30.0  # longer than a request may take
RETRY_SECONDS = 2.0
LISTED_SECONDS = 2.0


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
        self._delivery = delivery
        self._asking = asking
        self._expires_at = expires_at
        self._rows = rows or Questions()
        self._allowed = allowed or Allowed(*user)
        self._gateway: Gateway | None = None
        self._open: dict[str, Question] = {}  # by the gateway's id
        self._tried: set[str] = set()  # messages that were offered once; a refused one has a turn of its own
        self._lock = threading.Lock()
        self._todo: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="questions", daemon=True)

    def start(self, gateway: Gateway | None) -> None:
        self._thread.start()
        if gateway is not None:
            self.connected(gateway)

    def connected(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._todo.put(lambda: self._compare(gateway))

    def hear(self, event: Json) -> None:
        """An event of the gateway. Must not wait."""
        name, payload = str(event.get("event")), event.get("payload")
        if not isinstance(payload, dict):
            return
        if name in REQUESTED:
            self._todo.put(lambda: self._requested(REQUESTED[name], payload))
        elif name in RESOLVED:
            self._todo.put(lambda: self._resolved(payload))

    def look(self, _: Json | None = None) -> None:
        """A choice was made, or may have been (a frame may be lost); and what waits too long is ended."""
        self._todo.put(self._choices)

    def close(self, seconds: float) -> None:
        """The container ends: what still waits ends with it, and says so."""
        self._todo.put(self._end_all)
        self._todo.put(None)
        if self._thread.is_alive():
            self._thread.join(seconds)

    def waits_in(self, session: str) -> bool:
        """Whether a person is asked something in that session: its run says nothing meanwhile."""
        with self._lock:
            return any(session_key(one.conversation_id) == session for one in self._open.values())

    def takes(self, message: Message) -> bool:
        """Whether a message answers the open question of its conversation: a plain text that came after it."""
        question = self._question_of(message.conversation_id)
        after = question is not None and message.queued_at >= question.at
        return after and message.id not in self._tried and is_reply(message)

    def _question_of(self, conversation_id: str) -> Question | None:
        with self._lock:
            found = [one for one in self._open.values() if one.conversation_id == conversation_id]
        return next((one for one in found if one.kind == QUESTION), None)

    def reply(self, message: Message) -> bool:
        """Take a message as the answer to the open question of its conversation. False: there is none any more."""
        question = self._question_of(message.conversation_id)
        self._tried.add(message.id)
        if question is None:
            return False
        answers = answers_of(message.text, question.parts)
        taken: Future[bool] = Future()

        def hand_over() -> None:
            try:
                taken.set_result(self._hand_over(chosen))
            except (GatewayError, GatewayClosed) as error:
                taken.set_exception(error)

        try:
            chosen = self._rows.choose(self._user[0], question.id, answers, "text")
            self._todo.put(hand_over)
            return taken.result(REPLY_SECONDS)
        except (ProtocolError, GatewayError, GatewayClosed, TimeoutError) as error:
            log.event("reply_not_taken", question=question.id, reason=type(error).__name__)
            return False

    def _work(self) -> None:
        while (work := self._todo.get()) is not None:
            try:
                work()
            except GatewayClosed:
                continue  # the next connection begins with the list
            except (GatewayError, *AWS_ERRORS) as error:
                log.failure("question_failed", error)
                self._again(work)
            except Exception as error:  # noqa: BLE001  one question that cannot be read must not end the others
                log.failure("question_broken", error)

    def _again(self, work: Callable[[], None]) -> None:
        timer = threading.Timer(RETRY_SECONDS, self._todo.put, (work,))
        timer.daemon = True
        timer.start()

    def _compare(self, gateway: Gateway) -> None:
        """Make the rows agree with what OpenClaw still waits for."""
        records = [(kind, one) for method, kind in LISTS.items() for one in _listed(gateway.request(method, {}))]
        known = {str(record.get("id")) for _, record in records}
        for question in self._rows.unclosed(self._user[0]):
            if question.gateway_id not in known:
                self._closed(question, GONE, question.answers, question.by)
        for kind, record in records:
            self._requested(kind, record)
        self._choices()
        self._allowed.follow(gateway)

    def _requested(self, kind: str, record: Json) -> None:
        session = session_of(record)
        question = read(kind, record, self._user, self._conversation(session))
        if question is None:
            return
        if not self._rows.open(question, self._expires_at(now_ms())):
            question = self._rows.get(self._user[0], question.id) or question
            with self._lock:
                self._open[question.gateway_id] = question
            return
        with self._lock:
            self._open[question.gateway_id] = question
        log.event("question_asked", question=question.id, kind=kind, parts=len(question.parts))
        self._show(question)
        self._asking.ask(question, self._rows)
        self._look_later(question)

    def _look_later(self, question: Question) -> None:
        timer = threading.Timer(max(question.expires_at - now_ms(), 0) / 1000 + 0.2, self.look)
        timer.daemon = True
        timer.start()

    def _conversation(self, session: str) -> str:
        """An automation's own session is shown nowhere: what it asks is asked in the main conversation."""
        return conversation_named(self._user[0], session.removeprefix(WEB)) if session.startswith(WEB) else "main"

    def _choices(self) -> None:
        for question in self._rows.unclosed(self._user[0]):
            if question.state == CHOSEN:
                self._hand_over(question)
            elif question.expires_at <= now_ms():
                self._expire(question)

    def _hand_over(self, question: Question) -> bool:
        """A choice to OpenClaw, then the row is closed. False: it came too late."""
        gateway = self._gateway
        if gateway is None:
            raise GatewayClosed("no gateway")
        method, params = resolution(question)
        try:
            gateway.request(method, params)
        except GatewayError as error:
            if error.passing:
                raise
            log.event("choice_refused", question=question.id, code=error.code, reason=error.reason)
            self._too_late(gateway, question)
            return False
        self._closed(question, ANSWERED if question.answers else CANCELLED, question.answers, question.by)
        if question.answers.get(DECISION) == [ALLOW_ALWAYS]:
            self._follow_later(question)
        return True

    def _follow_later(self, question: Question) -> None:
        """OpenClaw writes its list as it starts the command."""
        timer = threading.Timer(LISTED_SECONDS, self._todo.put, (lambda: self._follow(question),))
        timer.daemon = True
        timer.start()

    def _follow(self, question: Question | None = None) -> None:
        if self._gateway is not None:
            self._allowed.follow(self._gateway, question)

    def revoked(self, _: Json | None = None) -> None:
        """The person has ended something that was allowed for good."""
        self._todo.put(self._follow)

    def _too_late(self, gateway: Gateway, question: Question) -> None:
        """OpenClaw refused the choice: what became of the question there is what the person is shown."""
        try:
            record = gateway.request("question.get", {"id": question.gateway_id})["question"]
        except GatewayError:  # it is not known any more, or it was an approval
            record = {}
        if record.get("status") == "pending":
            record = {"status": "cancelled"}  # an answer that it does not take: nobody can give a better one now
        status = str(record.get("status"))
        state = {"answered": ANSWERED, "expired": EXPIRED, "cancelled": CANCELLED}.get(status, GONE)
        answers = (record.get("answers") or {}).get("answers") or {}
        self._closed(question, state, answers, "elsewhere" if answers else "")

    def _expire(self, question: Question) -> None:
        """Nobody answered. The agent goes on by its own judgment; an approval is refused."""
        method, params = resolution(replace(question, answers={}, by="timeout"))
        if self._gateway is not None:
            try:
                self._gateway.request(method, params)
            except GatewayError as error:
                log.event("question_over", question=question.id, reason=error.reason)
        self._closed(question, EXPIRED, {})

    def _resolved(self, payload: Json) -> None:
        with self._lock:
            question = self._open.get(str(payload.get("id")))
        if question is None:
            return
        question = self._rows.get(self._user[0], question.id) or question
        decision = payload.get("decision")
        if decision is not None:
            state, answers = ANSWERED, {DECISION: [str(decision)]}
        else:
            state = {"answered": ANSWERED, "expired": EXPIRED}.get(str(payload.get("status")), CANCELLED)
            answers = (payload.get("answers") or {}).get("answers") or {}
        self._closed(question, state, answers, question.by or ("elsewhere" if answers else ""))

    def _end_all(self) -> None:
        for question in self._rows.unclosed(self._user[0]):
            if question.generation == self._user[1]:
                self._closed(question, GONE, question.answers, question.by)

    def _closed(self, question: Question, state: str, answers: dict[str, list[str]], by: str = "") -> None:
        with self._lock:
            self._open.pop(question.gateway_id, None)
        closed = self._rows.close(question, state, answers, by)
        if closed is None:
            return
        log.event("question_closed", question=question.id, state=state, by=by)
        self._show(closed)
        self._asking.settle(closed, self._rows)

    def _show(self, question: Question) -> None:
        self._delivery.refresh()
        self._delivery.everyone(question.frame())


def _listed(reply: Any) -> list[Json]:
    """`question.list` answers an object; `exec.approval.list` a bare list, which the client wraps."""
    found = reply.get("questions") or reply.get("list") or []
    return [one for one in found if isinstance(one, dict)]

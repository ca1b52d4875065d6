"""Every end of a question: to OpenClaw, into its rows, onto every screen. On the thread of the questions only."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from bridge.questions.jobs import passing
from bridge.questions.live import Live
from bridge.questions.reading import DECISION, resolution, same, withdrawal
from bridge.telegram.asking import Asking
from bridge.turns.delivery import Delivery
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

Json = dict[str, Any]
Answers = dict[str, list[str]]
STATES = {"answered": ANSWERED, "expired": EXPIRED, "cancelled": CANCELLED}


class Ends:
    """Each end may be begun again after a failure: it goes on where it failed, and the first end counts."""

    def __init__(self, rows: Questions, live: Live, delivery: Delivery, asking: Asking) -> None:
        self._rows, self._live = rows, live
        self._delivery, self._asking = delivery, asking
        self._ending: dict[str, tuple[str, Answers, str]] = {}  # state, answers, by: decided, not yet shown
        self._done: set[str] = set()  # shown everywhere
        self.gateway: Gateway | None = None
        self.on_handed_over: Callable[[Question], None] = lambda question: None

    def look(self, question: Question) -> None:
        """Hand over what was chosen, end what waits too long, and finish what was begun."""
        if question.id in self._ending or question.id in self._done:
            self._finish(question)
        elif question.state == CHOSEN:
            self._hand_over(question)
        elif question.expires_at <= now_ms():
            self._expire(question)

    def _hand_over(self, question: Question) -> None:
        """A choice to OpenClaw, then the row is closed."""
        method, params = resolution(question)
        try:
            self._request(method, params)
        except GatewayError as error:
            if error.passing:
                raise
            log.event("choice_refused", question=question.id, code=error.code, reason=error.reason)
            self._too_late(question)
            return
        self.on_handed_over(question)
        self.close(question, ANSWERED if question.answers else CANCELLED, question.answers, question.by)

    def _too_late(self, question: Question) -> None:
        """OpenClaw refused the choice: what became of the question there is what the person is shown."""
        record = self._record(question)
        pending = question.kind == APPROVAL or record.get("status") == "pending"
        if pending and self.withdraw(question.kind, question.gateway_id):
            # An answer that it does not take: nobody can give a better one now.
            record = {"status": "cancelled"}
        self._as_there(question, record, GONE)

    def _expire(self, question: Question) -> None:
        """Nobody answered. The agent goes on by its own judgment; an approval is refused."""
        if self.withdraw(question.kind, question.gateway_id, "timeout"):
            self.close(question, EXPIRED, {})
        else:
            self._as_there(question, self._record(question), EXPIRED)

    def vanished(self, question: Question) -> None:
        """OpenClaw waits for it no more, and nobody has heard why."""
        chosen = question.state == CHOSEN
        self._as_there(question, self._record(question) if chosen else {}, GONE, question.answers if chosen else {})

    def give_up(self, question: Question) -> None:
        """A written choice that cannot be handed over: it is taken back, and the message gets a turn of its own."""
        if question.id in self._ending or question.id in self._done:
            self._finish(question)
            return
        log.event("choice_given_up", question=question.id)
        record: Json = {}
        try:
            if not self.withdraw(question.kind, question.gateway_id):
                record = self._record(question)
        except GatewayClosed:
            log.event("question_not_withdrawn", question=question.id)  # the next connection finds its row closed
        self._as_there(question, record, GONE, question.answers)

    def resolved(self, question: Question, payload: Json) -> None:
        """OpenClaw's event."""
        decision = payload.get("decision")
        if decision is not None:
            self._close_as(question, ANSWERED, {DECISION: [str(decision)]})
            return
        answers = (payload.get("answers") or {}).get("answers") or {}
        self._close_as(question, STATES.get(str(payload.get("status")), CANCELLED), answers)

    def withdraw(self, kind: str, gateway_id: str, by: str = "bridge") -> bool:
        """Let OpenClaw go on without an answer. False: it did not wait for one any more."""
        method, params = withdrawal(kind, gateway_id, by)
        try:
            self._request(method, params)
        except GatewayError as error:
            if error.passing:
                raise
            log.event("question_over", kind=kind, code=error.code, reason=error.reason)
            return False
        return True

    def _request(self, method: str, params: Json) -> Json:
        if self.gateway is None:
            raise GatewayClosed("no gateway")
        return self.gateway.request(method, params)

    def _record(self, question: Question) -> Json:
        """What OpenClaw has of a question, up to 15 s after its end; nothing of an approval."""
        if question.kind != QUESTION:
            return {}
        try:
            found = self._request("question.get", {"id": question.gateway_id})["question"]
        except GatewayError as error:
            if error.passing:
                raise
            return {}
        return dict(found)

    def _as_there(self, question: Question, record: Json, unknown: str, known: Answers | None = None) -> None:
        """Close it with the end that OpenClaw tells of. `unknown`, with the answers `known`: the end without one."""
        state = STATES.get(str(record.get("status")))
        if state is None:
            self.close(question, unknown, known or {}, question.by if known else "")
        else:
            self._close_as(question, state, (record.get("answers") or {}).get("answers") or {})

    def _close_as(self, question: Question, state: str, answers: Answers) -> None:
        """With those answers, which are the person's choice or somebody else's."""
        mine = same(answers, question.answers)
        self.close(question, state, answers, question.by if mine else "elsewhere" if answers else "")

    def close(self, question: Question, state: str, answers: Answers, by: str = "") -> None:
        if question.id not in self._done:
            self._ending.setdefault(question.id, (state, answers, by))
        self._finish(question)

    def _finish(self, question: Question) -> None:
        """Both rows, the tabs, the chat. Each step may be repeated."""
        self._live.end(question.gateway_id)
        if question.id in self._done:
            self._live.drop(question.gateway_id)
            return
        state, answers, by = self._ending[question.id]
        closed = self._rows.close(question, state, answers, by)
        if closed is not None:
            log.event("question_closed", question=question.id, state=state, by=by)
        else:
            closed = self._rows.get(question.user_id, question.id)  # closed by an earlier try, and its reply was lost
        self._live.closed(closed or replace(question, state=state, answers=answers, by=by))
        if closed is not None:  # else it was never stored, or the user's data is deleted
            self._show_end(closed)
        self._done.add(question.id)
        self._live.drop(question.gateway_id)
        self._ending.pop(question.id)

    def _show_end(self, closed: Question) -> None:
        try:
            self.show(closed)
            self._asking.settle(closed, self._rows)
        except Exception as error:  # refused for good: a reload shows it, the row has the end
            if passing(error):
                raise
            log.failure("end_not_shown", error, question=closed.id)

    def show(self, question: Question) -> None:
        self._delivery.refresh()
        self._delivery.everyone(question.frame())

"""Keeps turns away from the provider when the month's limit is reached."""

import threading
from collections.abc import Callable

from bridge.provider.budget import REACHED, UNKNOWN, Budget
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.turns.answering import Answering, Gate
from bridge.turns.delivery import Delivery, Stream
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms

# DynamoDB's own time-outs and retries end before this.
LOOK_SECONDS = 30.0


class Budgeted(Gate):
    """An answerer that asks the budget first."""

    def __init__(self, answerer: Answering, budget: Budget) -> None:
        super().__init__(answerer)
        self._budget = budget
        self._look: threading.Thread | None = None

    def expect(self) -> None:
        """A message is being claimed: what is left of the month is read meanwhile."""
        look = threading.Thread(target=self._read, name="budget", daemon=True)
        look.start()
        self._look = look  # only now: a turn of another conversation may be about to join it

    def _read(self) -> None:
        try:
            self._budget.look()
        except AWS_ERRORS as error:
            log.failure("budget_unread", error)  # what was known stays good; the next try looks again

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        return self._within(lambda: self._answerer.answer(message, stream, delivery))

    def steer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        return self._within(lambda: self._answerer.steer(message, stream, delivery))

    def _within(self, work: Callable[[], Outcome]) -> Outcome:
        if self._look is not None:
            self._look.join(LOOK_SECONDS)
        refusal = self._budget.refusal()
        if refusal is not None:
            return Outcome("error", "", now_ms(), refusal.code, refusal.text)
        with self._budget.turn():
            outcome = work()
        refused = outcome.code in (REACHED, UNKNOWN)  # the run says so itself, whatever other turns did meanwhile
        if outcome.reason == "error" and (refused or self._budget.cut_off):
            refusal = self._budget.refusal()
            if refusal is not None:
                return Outcome("error", outcome.text, outcome.at, refusal.code, refusal.text)
            if refused:  # the limit was raised, or a month began: the next try may go on
                return Outcome("error", outcome.text, outcome.at, UNKNOWN, "The month's limit was raised meanwhile.")
        return outcome

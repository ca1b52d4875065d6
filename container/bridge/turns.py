"""Drains the inbox: claims one message at a time and has OpenClaw answer it.

One turn at a time per user: the gateway folds a second message of a session into the running
turn, and its answer could not be told apart.
"""

import queue
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.answer import Outcome
from bridge.aws_errors import AWS_ERRORS
from bridge.delivery import Delivery, Run, Stream, replay
from bridge.telegram import FINISH_SECONDS, Channel, Channels, Nowhere
from chalicelib import log, metrics
from chalicelib.clock import SECOND, now_ms
from chalicelib.conversations import answer_row, failure_row, question_row
from chalicelib.inbox import HOPELESS, MAX_ATTEMPTS, REFUSED, Inbox, Message, NotClaimable
from chalicelib.protocol import Frame, answer_id, error_frame, run_unknown
from chalicelib.services import ConversationService
from chalicelib.tasks import LeaseLost

DRAIN_SECONDS = 30
KEPT_RUNS = 20


@dataclass(frozen=True)
class Identity:
    user_id: str
    generation: int


class Answering(Protocol):
    """Has the agent answer a message; `abort` and `interrupt` come from other threads."""

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome: ...
    def abort(self) -> None: ...
    def interrupt(self) -> None: ...


class Turns:
    """The worker thread and the runs it knows."""

    def __init__(
        self,
        identity: Identity,
        inbox: Inbox,
        conversations: ConversationService,
        delivery: Delivery,
        answerer: "Answering",
        channels: Channels | None = None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._me = identity
        self._inbox = inbox
        self._conversations = conversations
        self._delivery = delivery
        self._answerer = answerer
        self._channels = channels or Nowhere()
        self._ended = ended
        self._chat: Channel = Nowhere()  # where the running turn's answer also goes
        self._wakes: queue.Queue[Message | None] = queue.Queue()
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._stopping = threading.Event()
        self._empty = False  # whether the last drain left nothing behind
        self._pause: float = DRAIN_SECONDS  # until the next look, if nothing wakes us: less when a try is due
        self.current: Message | None = None
        self.expect: Callable[[], None] = lambda: None  # called when a message is about to be claimed
        self.expires_at: Callable[[int], int | None] = lambda now: None  # the user's retention setting
        self.lost = threading.Event()
        self.on_lost: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._work, name="turns", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self, message: Message | None = None) -> None:
        """There is work; the message itself if it came with the wake."""
        self._wakes.put(message)

    def stop(self, seconds: float) -> None:
        """No new claims. A running turn may end within that time, else it is handed back."""
        self._stopping.set()
        self._wakes.put(None)
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._answerer.interrupt()
            self._thread.join(5)

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                self._round()
        except LeaseLost:
            log.event("lease_lost", user=self._me.user_id, generation=self._me.generation)
            self.lost.set()
            self.on_lost()

    def _round(self) -> None:
        message: Message | None = None
        try:
            message = self._wakes.get(timeout=self._pause)
        except queue.Empty:
            self._empty = False
        if self._stopping.is_set():
            return
        try:
            # Nothing else waits: the message in the wake is the next one, no query is needed.
            if message is not None and self._empty and self._wakes.empty() and self._take(message):
                return
            self._drain()
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001  the inbox keeps the messages; the next round tries again
            log.failure("round_failed", error)
            self._stopping.wait(1)

    def _drain(self) -> None:
        self._empty = False
        progress = True
        while progress and not self._stopping.is_set():
            waiting = self._inbox.waiting(self._me.user_id)
            progress = False
            for message in waiting:
                if self._stopping.is_set():
                    return
                progress = self._take(message) or progress
            self._empty = not waiting
            due = min((message.not_before for message in waiting), default=0) - now_ms()
            self._pause = min(DRAIN_SECONDS, max(due / SECOND, 1)) if waiting else DRAIN_SECONDS

    def _take(self, message: Message) -> bool:
        """Claim and answer one message; False when it is not for us now."""
        run = self._new_run(message)
        active = {"runId": run.run_id, "conversationId": run.conversation_id, "replyTo": run.reply_to}
        self.expect()
        try:
            claimed = self._inbox.claim(message, self._me.generation, active)
        except NotClaimable:
            return False
        self._remember(run)
        self.current = claimed
        try:
            claimed = self._channels.prepare(claimed)
            self._chat = self._channels.begin(claimed, run)
            if claimed.attempts > MAX_ATTEMPTS:
                # Each earlier try took its container down: another one would go the same way.
                lethal = Outcome("error", "", now_ms(), "MESSAGE_DEAD", "the agent crashed on it each time")
                self._failed(claimed, Stream(run, self._delivery), lethal)
            else:
                self._answer(claimed, run)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001  a message that stays claimed would wait for its lease's end
            log.failure("turn_broken", error, message_id=claimed.id)
            broken = Outcome("error", run.text, now_ms(), "INTERNAL", "the answer could not be made or saved")
            self._failed(claimed, Stream(run, self._delivery), broken)
        finally:
            self._chat.abandon()  # no effect after its finish
            self.current = None
            self._ended()
        return True

    def _new_run(self, message: Message) -> Run:
        run_id = f"{message.id}.{self._me.generation}.{message.claims + 1}"
        return Run(run_id, message.id, message.conversation_id)

    def _remember(self, run: Run) -> None:
        self._runs[run.run_id] = run
        while len(self._runs) > KEPT_RUNS:
            self._runs.popitem(last=False)

    def _answer(self, message: Message, run: Run) -> None:
        stream = Stream(run, self._delivery)
        threading.Thread(target=self._delivery.refresh, name="tabs", daemon=True).start()
        outcome = self._answerer.answer(message, stream, self._delivery)
        self._measure(message, stream, outcome)
        if outcome.reason == "interrupted":
            self._inbox.hand_back(message, self._me.generation)
            return
        if outcome.reason == "error":
            self._failed(message, stream, outcome)
            return
        # Before the message is closed: a crash in between repeats the turn, which finds what was sent.
        self._chat.finish(outcome.text, FINISH_SECONDS)
        until = self.expires_at(now_ms())
        self._save(message, outcome, until)
        stream.finish({"messageId": answer_id(message.id), "reason": outcome.reason, "length": len(outcome.text)})
        self._touch(message, outcome, until)

    def _touch(self, message: Message, outcome: Outcome, until: int | None) -> None:
        """The conversation's place in the list. The answer is saved: nothing here may undo that."""
        try:
            self._conversations.touch(message.user_id, message.conversation_id, message.text or outcome.text, until)
        except AWS_ERRORS as error:
            log.failure("conversation_untouched", error, message_id=message.id)

    @staticmethod
    def _measure(message: Message, stream: Stream, outcome: Outcome) -> None:
        values: dict[str, float] = {"PendingMessagesConsumed": 1}
        if outcome.reason not in ("interrupted", "error"):  # those are no whole answers: another try may come
            values |= {"ResponseLength": len(outcome.text), "MessageLatency": outcome.at - message.queued_at}
        if stream.first_at is not None:
            values["FirstResponseTime"] = stream.first_at - message.queued_at
        metrics.emit(**values)

    def _save(self, message: Message, outcome: Outcome, until: int | None) -> None:
        rows = [question_row(message, until), answer_row(message, outcome.text, outcome.reason, outcome.at, until)]
        self._inbox.finish(message, self._me.generation, rows)

    def _failed(self, message: Message, stream: Stream, outcome: Outcome) -> None:
        error = {"code": outcome.code, "message": outcome.error}
        until = self.expires_at(now_ms())
        failure = failure_row(message, outcome.text, error, outcome.at, until)
        dead = self._inbox.fail(message, self._me.generation, outcome.code, [question_row(message, until), failure])
        if not dead:
            self._empty, self._pause = False, 1  # it waits again, and is due sooner than the next look
        log.event("turn_failed", message_id=message.id, code=outcome.code, attempts=message.attempts, dead=dead)
        stream.finish({"messageId": None, "reason": "error", "length": len(outcome.text), "error": error})
        if dead and outcome.code in HOPELESS:
            if outcome.code in REFUSED:  # the month's limit is by design; a provider's refusal is for the operator too
                metrics.emit(DeadLetter=1)
            self._chat.finish(f"⚠️ {outcome.error}", FINISH_SECONDS)
        elif dead:
            metrics.emit(DeadLetter=1)
            text = f"This message could not be answered in {message.attempts} tries: {outcome.error}"
            self._delivery.everyone(error_frame("MESSAGE_DEAD", text, message.id))
            self._chat.finish(f"⚠️ {text}", FINISH_SECONDS)

    def resume(self, request: dict[str, Any]) -> None:
        """A tab asks for what it missed of a run (or of the run that is live in a conversation)."""
        connection_id = str(request["connectionId"])
        self._delivery.join(connection_id, str(request["endpoint"]))
        run = self._find(request.get("runId"), request.get("conversationId"))
        frames: list[Frame] = [run_unknown(request.get("runId"), request.get("conversationId"))]
        if run is not None:
            frames = replay(run, int(request.get("lastSeq") or 0), request.get("runId"))
        for frame in frames:
            self._delivery.one(connection_id, frame)

    def _find(self, run_id: str | None, conversation_id: str | None) -> Run | None:
        runs = list(self._runs.values())
        if run_id is not None:
            return next((run for run in runs if run.known_as(run_id)), None)
        live = [run for run in runs if run.end is None and run.conversation_id == conversation_id]
        return live[-1] if live else None

    def abort(self, run_id: str | None) -> None:
        """The user pressed stop."""
        message = self.current
        if message is None:
            return
        run = self._find(run_id, None) if run_id is not None else None
        if run_id is None or (run is not None and run.reply_to == message.id):
            self._answerer.abort()

"""Has OpenClaw answer one message exactly once, through gateway crashes and redelivery.

A message sent for the first time is simply sent. One that may have been sent before (an earlier
claim, or the gateway died under us) is looked up in the transcript first: an answer there is the
answer; a question without one is being resumed by the gateway itself, under a run of its own,
which is followed; only then is it sent again, under a new key.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from bridge.openclaw.events import Activity, End, Reducer, SilentRun, Text, events_of
from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from bridge.openclaw.history import look_up
from bridge.openclaw.process import NotReady, OpenClaw
from bridge.openclaw.session_models import SessionModels
from bridge.provider.failures import UNPREPARED, explained
from bridge.turns.delivery import Delivery, Stream
from bridge.turns.outcome import STEERED, Asked, Outcome, session_key
from bridge.turns.recovery import END_SECONDS, LOOK_SECONDS, SILENCE_SECONDS, Recovery
from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms
from chalicelib.platform.parallel import each

Events = queue.Queue[dict[str, Any]]
GATEWAY_LIVES = 3
# How long a message for a running turn waits until OpenClaw has taken that turn's own message.
HOST_SECONDS = 5.0
# How long a run is silent until the transcript is asked whether it is over.
CHECK_SECONDS = 15.0
# Looks into the transcript for a message whose run is over and left no answer.
FOLDED_LOOKS = 3
NO_ANSWER = "the run ended without an answer"
UNPREPARED_TRIES = 3
# OpenClaw takes "stop" and its likes for a command; turns come one by one, so nothing can run then.
NOTHING_RUNS = "Nothing is running, so there is nothing to stop."


class Answerer:
    """Runs turns on the one OpenClaw, several at once; `abort` and `interrupt` come from other threads."""

    def __init__(self, openclaw: OpenClaw, data_bucket: str, model: Callable[[], str | None] = lambda: None) -> None:
        self._openclaw = openclaw
        self._models = SessionModels(model, openclaw.default_model)
        self._bucket = data_bucket
        self._recovery = Recovery()
        # Messages whose run ended with an error here: the gateway will not go on with it by itself.
        self._failed: deque[str] = deque(maxlen=50)
        self._interrupted = threading.Event()
        self._asked: dict[str, Asked] = {}  # by message id

    def stray(self, frame: dict[str, Any]) -> None:
        """An event of a run that nobody watches: perhaps one the gateway resumed by itself."""
        self._recovery.stray(frame)

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        """Answer a message, streaming into `stream`. Never raises for what the agent or provider does."""
        asked = self._asked[message.id] = Asked(message, stream, delivery)
        try:
            return self._lives(asked)
        finally:
            del self._asked[message.id]

    def steer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        """Hand a message to the run of its conversation. OpenClaw takes it in, or runs it afterwards.

        "interrupted": there was no run to take it, so it waits for its own turn.
        """
        session = session_key(message.conversation_id)
        host = next((asked for asked in self._asked.values() if asked.session == session), None)
        if host is None or not host.begun.wait(HOST_SECONDS) or self._openclaw.gateway is None:
            return Outcome("interrupted", "", now_ms())
        asked = Asked(message, stream, delivery)
        try:
            outcome = self._send(self._openclaw.gateway, asked, message.id)
        except (GatewayError, GatewayClosed, SilentRun) as error:
            log.event("steer_failed", message_id=message.id, reason=type(error).__name__)
            return Outcome("interrupted", "", now_ms())
        if outcome.reason != "final":  # it was not taken in: that run was stopped, or failed
            return Outcome("interrupted", "", now_ms())
        return outcome if outcome.text else Outcome(STEERED, "", now_ms())

    def _lives(self, asked: Asked) -> Outcome:
        """Through crashes of the gateway."""
        suspect = asked.message.claims > 1
        for life in range(GATEWAY_LIVES):
            gateway = self._openclaw.gateway
            try:
                return self._turn(gateway, asked, suspect, life)
            except GatewayClosed:
                if self._interrupted.is_set():
                    return Outcome("interrupted", asked.stream.run.text, now_ms())
                log.event("gateway_lost_in_turn", message_id=asked.message.id)
                suspect = True
            except SilentRun as error:
                return self._error("PROVIDER_ERROR", f"the agent fell silent: {error}", asked)
            except (GatewayError, NotReady) as error:
                return self._error("INTERNAL", f"the agent refused the message: {error}", asked)
            try:
                self._openclaw.reconnect(gateway)
            except NotReady as error:
                return self._error("INTERNAL", f"the agent did not come back: {error}", asked)
        return self._error("INTERNAL", f"the agent crashed {GATEWAY_LIVES} times in this turn", asked)

    @staticmethod
    def _error(code: str, text: str, asked: Asked) -> Outcome:
        return Outcome("error", asked.stream.run.text, now_ms(), code, text)

    def _turn(self, gateway: Gateway | None, asked: Asked, suspect: bool, life: int) -> Outcome:
        if gateway is None:
            raise GatewayClosed("not started")
        message = asked.message
        key = message.id
        if suspect:
            found = self._found(gateway, asked)
            if isinstance(found, Outcome):
                return found
            if found:
                key = f"{message.id}.{message.claims}.{life}"
                log.event("sent_again_under_new_key", message_id=message.id)
        outcome = self._send(gateway, asked, key)
        for again in range(UNPREPARED_TRIES):
            if outcome.reason != "error" or outcome.code != UNPREPARED or self._interrupted.wait(0.5 * again):
                break
            log.event("models_unprepared", message_id=message.id)
            key = f"{message.id}.{message.claims}.{life}.{again}"
            outcome = self._send(gateway, asked, key)
        if outcome.reason == "final" and not outcome.text:
            # Its answer may be another run's: a message that meets a running one is folded into that.
            found = self._found(gateway, asked)
            return found if isinstance(found, Outcome) else outcome
        return outcome

    def _found(self, gateway: Gateway, asked: Asked) -> Outcome | bool:
        """The end of a message that may have been sent before; else whether its transcript has it."""
        message_id, ended = asked.message.id, asked.message.id in self._failed
        known, resumed = self._recovery.of(gateway, asked.session, message_id, ended, lambda: self._told_to_end(asked))
        if known.answer is not None:
            asked.stream.update(known.answer)
            return Outcome("final", known.answer, now_ms())
        if self._interrupted.is_set():  # told to stop while it waited: nothing is sent any more
            return Outcome("interrupted", "", now_ms())
        if asked.stopped and resumed is None:
            return Outcome("aborted", asked.stream.run.text, now_ms())
        if resumed is None:
            return known.sent
        log.event("following_resumed_run", message_id=message_id)
        return self._watched(gateway, asked, resumed, lambda: self._over(gateway, asked), known.said)

    def _told_to_end(self, asked: Asked) -> bool:
        return asked.stopped or self._interrupted.is_set()

    @staticmethod
    def _over(gateway: Gateway, asked: Asked) -> Outcome | None:
        """The end of a run that was over before it was watched: no event of it comes any more."""
        known = look_up(gateway, asked.session, asked.message.id)
        if known.answer is None and known.running:
            return None
        if known.answer is None:
            return Answerer._error("PROVIDER_ERROR", NO_ANSWER, asked)
        asked.stream.update(known.answer)
        return Outcome("final", known.answer, now_ms())

    def _ended_before(self, gateway: Gateway, asked: Asked) -> Outcome:
        """The gateway says that a run of this key is over. Another run may have taken the message in.

        When that one was stopped, the gateway begins a new run for the message a moment later.
        """
        for _ in range(FOLDED_LOOKS):
            found = self._found(gateway, asked)
            if isinstance(found, Outcome):
                return found
            if self._interrupted.wait(LOOK_SECONDS):
                return Outcome("interrupted", "", now_ms())
        return self._error("PROVIDER_ERROR", NO_ANSWER, asked)

    def _send(self, gateway: Gateway, asked: Asked, key: str) -> Outcome:
        message = asked.message
        self._models.apply(gateway, asked.session)
        params = asked.request(key, self._bucket)
        if message.id in self._failed:
            self._failed.remove(message.id)  # this try may be interrupted, and resumed

        def begin() -> Outcome | None:
            reply = gateway.request("chat.send", params)
            if "runId" not in reply:
                asked.stream.update(NOTHING_RUNS)
                return Outcome("final", NOTHING_RUNS, now_ms())
            asked.begun.set()
            return self._ended_before(gateway, asked) if reply.get("status") == "ok" else None

        return self._watched(gateway, asked, key, begin)

    def _watched(
        self, gateway: Gateway, asked: Asked, run: str, begin: Callable[[], Outcome | None], before: str = ""
    ) -> Outcome:
        """Follow a run to its end, which `begin` may know already. One that is given up is ended.

        `before`: what the turn has said before this run.
        """
        events = gateway.watch(run)
        asked.run = run
        try:
            known = begin()
            if known is not None:
                return known
            if self._told_to_end(asked):  # before there was a run to end
                self._abort(asked)
            return self._consume(gateway, events, asked, Reducer(before))
        except (SilentRun, GatewayError) as error:
            silent = isinstance(error, SilentRun) or error.code == "TIMEOUT"
            if silent and self._end(gateway, asked, events):
                self._failed.append(asked.message.id)
            raise
        finally:
            asked.run = ""
            gateway.unwatch(run)

    def _end(self, gateway: Gateway, asked: Asked, events: Events) -> bool:
        """End a run that says nothing: while it lasts, OpenClaw folds the session's next message into it.

        False when OpenClaw did not hear that either and was killed; the next turn starts it again.
        """
        log.event("silent_run_ended", run=asked.run)
        try:
            gateway.request("chat.abort", {"sessionKey": asked.session, "runId": asked.run})
            if any(isinstance(event, End) for event in events_of(events, END_SECONDS)):
                return True
        except (GatewayError, GatewayClosed, SilentRun) as error:
            log.event("silent_run_killed", reason=type(error).__name__)
        self._openclaw.kill()
        return False

    def _consume(
        self, gateway: Gateway, events: "queue.Queue[dict[str, Any]]", asked: Asked, reducer: Reducer
    ) -> Outcome:
        """A run's events to its end. In silence the transcript is asked: the last event may have been missed."""
        heard = time.monotonic()
        while True:
            try:
                for event in events_of(events, CHECK_SECONDS, reducer):
                    heard = time.monotonic()
                    if isinstance(event, End):
                        return self._ended(event, asked.stream)
                    self._show(event, asked)
            except SilentRun:
                if time.monotonic() - heard > SILENCE_SECONDS:
                    raise
                over = self._over(gateway, asked)
                if over is not None:
                    return over

    @staticmethod
    def _show(event: Text | Activity, asked: Asked) -> None:
        if isinstance(event, Text):
            asked.stream.update(event.text)
            return
        activity = {"type": "activity", **asked.stream.run.head(), "kind": event.kind}
        asked.delivery.everyone(activity | ({"name": event.name, "state": event.state} if event.name else {}))

    def _ended(self, end: End, stream: Stream) -> Outcome:
        if end.reason == "error":
            self._failed.append(stream.run.reply_to)
            code, text = explained(end.failures, end.error)
            log.event("model_failed", code=code, tried=[f"{f.provider}/{f.model}: {f.kind}" for f in end.failures])
            return Outcome("error", end.text, now_ms(), code, text)
        if end.reason == "restart":
            raise GatewayClosed("OpenClaw starts itself anew")
        if end.reason == "aborted" and self._interrupted.is_set():
            return Outcome("interrupted", end.text, now_ms())
        stream.update(end.text)
        return Outcome(end.reason, end.text, now_ms())

    def abort(self, message_id: str) -> None:
        """End a message's turn now; what it said so far is its answer. One that has not begun ends as it begins."""
        asked = self._asked.get(message_id)
        if asked is not None:
            asked.stopped = True
            self._abort(asked)

    def _abort(self, asked: Asked) -> None:
        gateway = self._openclaw.gateway
        if gateway is None or not asked.run:
            return
        try:
            gateway.request("chat.abort", {"sessionKey": asked.session, "runId": asked.run})
        except (GatewayError, GatewayClosed) as error:
            log.event("abort_failed", reason=type(error).__name__)

    def interrupt(self) -> None:
        """We are stopping: end all turns without an answer, their messages go back to the inbox."""
        self._interrupted.set()
        each([lambda asked=asked: self._abort(asked) for asked in list(self._asked.values())])  # type: ignore[misc]

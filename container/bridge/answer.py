"""Has OpenClaw answer one message exactly once, through gateway crashes and redelivery.

A message sent for the first time is simply sent. One that may have been sent before (an earlier
claim, or the gateway died under us) is looked up in the transcript first: an answer there is the
answer; a question without one is being resumed by the gateway itself, under a run of its own,
which is followed; only then is it sent again, under a new key.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridge.delivery import Delivery, Stream
from bridge.failures import UNPREPARED, explained
from bridge.gateway import Gateway, GatewayClosed, GatewayError
from bridge.history import look_up
from bridge.openclaw import NotReady, OpenClaw
from bridge.recovery import END_SECONDS, SILENCE_SECONDS, Recovery
from bridge.turn_events import Activity, End, SilentRun, Text, events_of
from chalicelib import log
from chalicelib.attachments import load
from chalicelib.clock import now_ms
from chalicelib.inbox import Message

GATEWAY_LIVES = 3
UNPREPARED_TRIES = 3
# OpenClaw takes "stop" and its likes for a command; turns come one by one, so nothing can run then.
NOTHING_RUNS = "Nothing is running, so there is nothing to stop."


@dataclass(frozen=True)
class Outcome:
    """How a turn ended: final, aborted, error or interrupted (by our own shutdown)."""

    reason: str
    text: str
    at: int
    code: str = ""
    error: str = ""


def session_key(conversation_id: str) -> str:
    return conversation_id.lower() if conversation_id == "main" else f"web-{conversation_id.lower()}"


class Answerer:
    """Runs turns on the one OpenClaw; `abort` and `interrupt` come from other threads."""

    def __init__(self, openclaw: OpenClaw, data_bucket: str, model: Callable[[], str | None] = lambda: None) -> None:
        self._openclaw = openclaw
        self._model = model
        self._patched: dict[str, str] = {}  # the model each session was last told to use
        self._bucket = data_bucket
        self._recovery = Recovery()
        # Messages whose run ended with an error here: the gateway will not go on with it by itself.
        self._failed: deque[str] = deque(maxlen=50)
        self._interrupted = threading.Event()
        self._running: tuple[str, str] | None = None

    def stray(self, frame: dict[str, Any]) -> None:
        """An event of a run that nobody watches: perhaps one the gateway resumed by itself."""
        self._recovery.stray(frame)

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        """Answer a message, streaming into `stream`. Never raises for what the agent or provider does."""
        suspect = message.claims > 1
        for life in range(GATEWAY_LIVES):
            try:
                return self._turn(message, stream, delivery, suspect, life)
            except GatewayClosed:
                if self._interrupted.is_set():
                    return Outcome("interrupted", stream.run.text, now_ms())
                log.event("gateway_lost_in_turn", message_id=message.id)
                suspect = True
            except SilentRun as error:
                return self._error("PROVIDER_ERROR", f"the agent fell silent: {error}", stream)
            except (GatewayError, NotReady) as error:
                return self._error("INTERNAL", f"the agent refused the message: {error}", stream)
            try:
                self._openclaw.reconnect()
            except NotReady as error:
                return self._error("INTERNAL", f"the agent did not come back: {error}", stream)
        return self._error("INTERNAL", f"the agent crashed {GATEWAY_LIVES} times in this turn", stream)

    @staticmethod
    def _error(code: str, text: str, stream: Stream) -> Outcome:
        return Outcome("error", stream.run.text, now_ms(), code, text)

    def _turn(self, message: Message, stream: Stream, delivery: Delivery, suspect: bool, life: int) -> Outcome:
        gateway = self._openclaw.gateway
        if gateway is None:
            raise GatewayClosed("not started")
        key, session = message.id, session_key(message.conversation_id)
        if suspect:
            found = self._found(gateway, message, session, stream, delivery)
            if isinstance(found, Outcome):
                return found
            if found:
                key = f"{message.id}.{message.claims}.{life}"
                log.event("sent_again_under_new_key", message_id=message.id)
        outcome = self._send(gateway, message, key, session, stream, delivery)
        for again in range(UNPREPARED_TRIES):
            if outcome.reason != "error" or outcome.code != UNPREPARED or self._interrupted.wait(0.5 * again):
                break
            log.event("models_unprepared", message_id=message.id)
            key = f"{message.id}.{message.claims}.{life}.{again}"
            outcome = self._send(gateway, message, key, session, stream, delivery)
        if outcome.reason == "final" and not outcome.text:
            # Its answer may be another run's: a message that meets a running one is folded into that.
            found = self._found(gateway, message, session, stream, delivery)
            return found if isinstance(found, Outcome) else outcome
        return outcome

    def _found(
        self, gateway: Gateway, message: Message, session: str, stream: Stream, delivery: Delivery
    ) -> Outcome | bool:
        """The end of a message that may have been sent before; else whether its transcript has it."""
        ended = message.id in self._failed
        self._running = (session, "")
        try:
            known, resumed = self._recovery.of(gateway, session, message.id, ended, self._interrupted.is_set)
        finally:
            self._running = None
        if known.answer is not None:
            stream.update(known.answer)
            return Outcome("final", known.answer, now_ms())
        if self._interrupted.is_set():  # told to stop while it waited: nothing is sent any more
            return Outcome("interrupted", "", now_ms())
        if resumed is None:
            return known.sent
        log.event("following_resumed_run", message_id=message.id)
        run = (session, resumed)
        over = lambda: self._over(gateway, session, message.id, stream)  # noqa: E731
        return self._watched(gateway, run, stream, delivery, over, known.said)

    @staticmethod
    def _over(gateway: Gateway, session: str, message_id: str, stream: Stream) -> Outcome | None:
        """The end of a run that was over before it was watched: no event of it comes any more."""
        known = look_up(gateway, session, message_id)
        if known.answer is None and known.running:
            return None
        if known.answer is None:
            return Outcome("error", stream.run.text, now_ms(), "PROVIDER_ERROR", "the run ended without an answer")
        stream.update(known.answer)
        return Outcome("final", known.answer, now_ms())

    def _send(
        self, gateway: Gateway, message: Message, key: str, session: str, stream: Stream, delivery: Delivery
    ) -> Outcome:
        self._choose_model(gateway, session)
        params: dict[str, Any] = {"sessionKey": session, "message": message.text, "idempotencyKey": key}
        if message.attachments:
            params["attachments"] = [self._attachment(entry) for entry in message.attachments]
        if message.id in self._failed:
            self._failed.remove(message.id)  # this try may be interrupted, and resumed

        def begin() -> Outcome | None:
            reply = gateway.request("chat.send", params)
            if "runId" not in reply:
                stream.update(NOTHING_RUNS)
                return Outcome("final", NOTHING_RUNS, now_ms())
            return self._over(gateway, session, message.id, stream) if reply.get("status") == "ok" else None

        return self._watched(gateway, (session, key), stream, delivery, begin)

    def _watched(
        self,
        gateway: Gateway,
        run: tuple[str, str],
        stream: Stream,
        delivery: Delivery,
        begin: Callable[[], Outcome | None],
        before: str = "",
    ) -> Outcome:
        """Follow a run (session, id) to its end, which `begin` may know already. One that is given up is ended.

        `before`: what the turn has said before this run.
        """
        events = gateway.watch(run[1])
        self._running = run
        try:
            known = begin()
            return known if known is not None else self._consume(events, stream, delivery, before)
        except (SilentRun, GatewayError) as error:
            silent = isinstance(error, SilentRun) or error.code == "TIMEOUT"
            if silent and self._end(gateway, run, events):
                self._failed.append(stream.run.reply_to)
            raise
        finally:
            self._running = None
            gateway.unwatch(run[1])

    def _end(self, gateway: Gateway, run: tuple[str, str], events: "queue.Queue[dict[str, Any]]") -> bool:
        """End a run that says nothing: while it lasts, OpenClaw folds the session's next message into it.

        False when OpenClaw did not hear that either and was killed; the next turn starts it again.
        """
        log.event("silent_run_ended", run=run[1])
        try:
            gateway.request("chat.abort", {"sessionKey": run[0], "runId": run[1]})
            if any(isinstance(event, End) for event in events_of(events, END_SECONDS)):
                return True
        except (GatewayError, GatewayClosed, SilentRun) as error:
            log.event("silent_run_killed", reason=type(error).__name__)
        self._openclaw.kill()
        return False

    def _choose_model(self, gateway: Gateway, session: str) -> None:
        """Have a session use the model of the user's settings; one that is refused leaves the default.

        Without a setting a session keeps what it has (`/model` in the chat), unless it was ours.
        """
        model = self._model() or (self._openclaw.default_model if session in self._patched else None)
        if model is None or self._patched.get(session) == model:
            return
        self._patched[session] = model
        try:
            gateway.request("sessions.patch", {"key": session, "model": model})
        except GatewayError as error:
            log.event("model_refused", code=error.code)

    def _attachment(self, entry: dict[str, str]) -> dict[str, str]:
        head = {
            "type": entry["mimeType"].partition("/")[0],
            "mimeType": entry["mimeType"],
            "fileName": entry["fileName"],
        }
        return head | {"content": load(entry, self._bucket)}

    def _consume(
        self, events: "queue.Queue[dict[str, Any]]", stream: Stream, delivery: Delivery, before: str
    ) -> Outcome:
        for event in events_of(events, SILENCE_SECONDS, before):
            if isinstance(event, Text):
                stream.update(event.text)
            elif isinstance(event, Activity):
                activity = {"type": "activity", **stream.run.head(), "kind": event.kind}
                delivery.everyone(activity | ({"name": event.name, "state": event.state} if event.name else {}))
            else:
                return self._ended(event, stream)
        raise GatewayClosed("events ended")

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

    def abort(self) -> None:
        """End the running turn now; what it said so far is its answer."""
        running, gateway = self._running, self._openclaw.gateway
        if running is None or gateway is None or not running[1]:
            return
        try:
            gateway.request("chat.abort", {"sessionKey": running[0], "runId": running[1]})
        except (GatewayError, GatewayClosed) as error:
            log.event("abort_failed", reason=type(error).__name__)

    def interrupt(self) -> None:
        """We are stopping: end the turn without an answer, it goes back to the inbox."""
        self._interrupted.set()
        self.abort()

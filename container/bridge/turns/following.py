"""Follows one run of OpenClaw to its end. Ends a run that sends no events for too long."""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from bridge.openclaw.events import Activity, End, Model, Reducer, SilentRun, Text, Thought, events_of
from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from bridge.openclaw.history import look_up
from bridge.openclaw.process import OpenClaw
from bridge.provider.failures import explained
from bridge.turns.card import TOOL
from bridge.turns.delivery import Stream, card_frame, step_frame
from bridge.turns.outcome import Asked, Outcome, failure
from bridge.turns.recovery import END_SECONDS, SILENCE_SECONDS
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms

Events = queue.Queue[dict[str, Any]]
# After so many silent seconds, the transcript is read: the run may be over.
CHECK_SECONDS = 15.0
NO_ANSWER = "the run ended without an answer"


class Follower:
    """`failed`: ids of messages with a run that ended in an error. The gateway does not resume such a run."""

    def __init__(self, openclaw: OpenClaw) -> None:
        self._openclaw = openclaw
        self.failed: deque[str] = deque(maxlen=50)
        self.interrupted = threading.Event()
        self.asks: Callable[[str], bool] = lambda session: False  # whether a person is asked something there

    def told_to_end(self, asked: Asked) -> bool:
        return asked.stopped or self.interrupted.is_set()

    @staticmethod
    def over(gateway: Gateway, asked: Asked) -> Outcome | None:
        """The outcome of a run that ended before we watched it, from the transcript; None while it runs.

        Such a run sends no more events.
        """
        known = look_up(gateway, asked.session, asked.message.id)
        if known.answer is None and known.running:
            return None
        if known.answer is None:
            return failure("PROVIDER_ERROR", NO_ANSWER, asked)
        asked.stream.update(known.answer)
        return Outcome("final", known.answer, now_ms())

    def watched(
        self, gateway: Gateway, asked: Asked, run: str, begin: Callable[[], Outcome | None], before: str = ""
    ) -> Outcome:
        """Begin a run and follow it to its end. If we give up, the run is ended.

        `begin` returns an outcome if the run needs no following. `before`: the text of the turn's earlier runs.
        """
        events = gateway.watch(run)
        asked.run = run
        try:
            known = begin()
            if known is not None:
                return known
            if self.told_to_end(asked):  # before there was a run to end
                self.abort(asked)
            return self._consume(gateway, events, asked, Reducer(before))
        except (SilentRun, GatewayError) as error:
            silent = isinstance(error, SilentRun) or error.code == "TIMEOUT"
            if silent and self._end(gateway, asked, events):
                self.failed.append(asked.message.id)
            raise
        finally:
            asked.run = ""
            gateway.unwatch(run)

    def _end(self, gateway: Gateway, asked: Asked, events: Events) -> bool:
        """End a silent run. Otherwise OpenClaw would fold the next message of the session into it.

        If OpenClaw does not react to that either, it is killed: False. The next turn starts it again.
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
        """Read the events of a run to its end. After a silence, ask the transcript: we may have missed the end."""
        while True:
            try:
                for event in events_of(events, CHECK_SECONDS, reducer):
                    if isinstance(event, End):
                        return self._ended(event, asked.stream)
                    self._show(event, asked)
            except SilentRun:
                if self.asks(asked.session):
                    reducer.heard = time.monotonic()  # it waits for a person, who may take longer than any provider
                    continue
                if time.monotonic() - reducer.heard > SILENCE_SECONDS:
                    raise
                over = self.over(gateway, asked)
                if over is not None:
                    return over

    @staticmethod
    def _show(event: Text | Thought | Activity | Model, asked: Asked) -> None:
        if isinstance(event, Text):
            asked.stream.update(event.text)
            return
        if isinstance(event, Thought):
            asked.stream.think(event.text)
            return
        if isinstance(event, Model):
            asked.stream.run.model = event.name
            return
        if event.name == TOOL:
            if asked.stream.run.card.tool(event.data):
                asked.delivery.everyone(card_frame(asked.stream.run))
            return
        activity = {"type": "activity", **asked.stream.run.head(), "kind": event.kind}
        asked.delivery.everyone(activity | ({"name": event.name, "state": event.state} if event.name else {}))
        step = asked.stream.run.work.tool(event.data) if event.data else None
        if step is not None:
            asked.delivery.everyone(step_frame(asked.stream.run, step))

    def _ended(self, end: End, stream: Stream) -> Outcome:
        if end.reason == "error":
            self.failed.append(stream.run.reply_to)
            code, text = explained(end.failures, end.error)
            log.event("model_failed", code=code, tried=[f"{f.provider}/{f.model}: {f.kind}" for f in end.failures])
            return Outcome("error", end.text, now_ms(), code, text)
        if end.reason == "restart":
            raise GatewayClosed("OpenClaw restarts itself")
        if end.reason == "aborted" and self.interrupted.is_set():
            return Outcome("interrupted", end.text, now_ms())
        stream.update(end.text)
        return Outcome(end.reason, end.text, now_ms(), end.error)

    def abort(self, asked: Asked) -> None:
        """End the run that answers a message."""
        gateway = self._openclaw.gateway
        if gateway is None or not asked.run:
            return
        try:
            gateway.request("chat.abort", {"sessionKey": asked.session, "runId": asked.run})
        except (GatewayError, GatewayClosed) as error:
            log.event("abort_failed", reason=type(error).__name__)

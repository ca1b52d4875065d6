"""Lets OpenClaw answer one message exactly once, despite gateway crashes and redelivery.

A new message is simply sent. A message may have been sent before if it was claimed before, or if the gateway
crashed during the turn. Then we look into the transcript first:
- It has an answer: use it.
- It has the question only: the gateway resumes the turn under a new run. Follow that run.
- Otherwise send the message again, under a new key.
docs/architecture.md lists all cases.
"""

from collections.abc import Callable, Sequence
from typing import Any

from bridge.openclaw.events import NO_TEXT, SilentRun
from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from bridge.openclaw.history import Known, chose_silence, look_up
from bridge.openclaw.process import NotReady, OpenClaw
from bridge.openclaw.session_models import SessionModels
from bridge.provider.failures import UNPREPARED
from bridge.turns.delivery import Delivery, Stream
from bridge.turns.following import NO_ANSWER, Follower
from bridge.turns.outcome import CRASHED, STEERED, Asked, Outcome, failure, session_key
from bridge.turns.reconcile import Nothing, Untold
from bridge.turns.recovery import LOOK_SECONDS, SILENCE_SECONDS, Recovery
from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms
from chalicelib.platform.parallel import each

GATEWAY_LIVES = 3
# A message for a running turn waits so long for OpenClaw to accept the first message of that turn.
HOST_SECONDS = 5.0
# How often we look into the transcript for the answer to a message after its run ended without one.
FOLDED_LOOKS = 3
UNPREPARED_TRIES = 3
# Of a conversation, other messages' ids and a text: whether the person has that text as the answer to one of them.
Shown = Callable[[str, Sequence[str], str], bool]
# OpenClaw treats "stop" and similar words as a command. A conversation has one turn at a time: nothing runs then.
NOTHING_RUNS = "Nothing is running, so there is nothing to stop."


class Answerer:
    """Runs turns on OpenClaw, several at once. Other threads may call `abort` and `interrupt`."""

    def __init__(
        self,
        openclaw: OpenClaw,
        model: Callable[[], str | None] = lambda: None,
        untold: Untold | None = None,
    ) -> None:
        self._openclaw = openclaw
        self.models = SessionModels(model, openclaw.default_model)
        self._recovery = Recovery()
        self._follower = Follower(openclaw)
        self._untold = untold or Nothing()
        self.shown: Shown = lambda conversation, others, text: False
        self._asked: dict[str, Asked] = {}  # by message id

    def asks_person(self, asks: Callable[[str], bool]) -> None:
        """`asks`: whether the run of a session waits for a person. Such a run may be silent."""
        self._follower.asks = asks

    def stray(self, frame: dict[str, Any]) -> None:
        """Take an event of a run that nobody watches. The gateway may have resumed that run by itself."""
        self._recovery.stray(frame)

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        """Answer a message and stream the text into `stream`. Failures of agent or provider become an Outcome."""
        asked = self._asked[message.id] = Asked(message, stream, delivery)
        try:
            return self._lives(asked)
        finally:
            del self._asked[message.id]

    def steer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        """Hand a message to the running turn of its conversation. OpenClaw takes it in, or answers it afterwards.

        The outcome is "interrupted" if no run could take it: then the message waits for its own turn.
        """
        session = session_key(message.conversation_id)
        host = next((asked for asked in self._asked.values() if asked.session == session), None)
        if host is None or not host.begun.wait(HOST_SECONDS) or self._openclaw.gateway is None:
            return Outcome("interrupted", "", now_ms())
        if not host.run.startswith(host.message.id):  # a resumed run takes no messages in
            return Outcome("interrupted", "", now_ms())
        asked = Asked(message, stream, delivery)
        try:
            outcome = self._send(self._openclaw.gateway, asked, message.id)
        except (GatewayError, GatewayClosed, SilentRun) as error:
            log.event("steer_failed", message_id=message.id, reason=type(error).__name__)
            return Outcome("interrupted", "", now_ms())
        # A run that is stopped lets go of the messages that wait for it: their own runs end as if it had taken them in.
        if outcome.reason != "final" or (host.stopped and not outcome.text):
            return Outcome("interrupted", "", now_ms())
        return outcome if outcome.text else Outcome(STEERED, "", now_ms())

    def _lives(self, asked: Asked) -> Outcome:
        """Try again after each crash of the gateway, up to GATEWAY_LIVES times."""
        suspect = asked.message.claims > 1
        for life in range(GATEWAY_LIVES):
            gateway = lost = self._openclaw.gateway
            try:
                return self._turn(gateway, asked, suspect, life)
            except GatewayClosed:
                log.event("gateway_lost_in_turn", message_id=asked.message.id)
            except SilentRun as error:
                return failure("PROVIDER_ERROR", f"the agent fell silent: {error}", asked)
            except GatewayError as error:
                if not error.passing:
                    return failure("INTERNAL", f"the agent refused the message: {error}", asked)
                log.event("gateway_refused_for_now", message_id=asked.message.id, code=error.code)
                lost = None
                self._follower.interrupted.wait((error.retry_after_ms or 500) / 1000)
            if self._follower.interrupted.is_set():
                return Outcome("interrupted", asked.stream.run.text, now_ms())
            suspect = True
            try:
                self._openclaw.reconnect(lost)
            except NotReady as error:
                return failure(CRASHED, f"the agent did not come back: {error}", asked)
        return failure(CRASHED, f"the agent crashed {GATEWAY_LIVES} times in this turn", asked)

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
            if outcome.code != UNPREPARED or self._follower.interrupted.wait(0.5 * again):
                break
            log.event("models_unprepared", message_id=message.id)
            outcome = self._send(gateway, asked, f"{message.id}.{message.claims}.{life}.{again}")
        if outcome.reason != "final" or outcome.text:
            return outcome
        settled = self._settled(gateway, asked, outcome.code == NO_TEXT)
        if settled is None:
            log.event("sent_again_unanswered", message_id=message.id)
            outcome = self._send(gateway, asked, f"{message.id}.{message.claims}.{life}.again")
            if outcome.reason != "final" or outcome.text:
                return outcome
            settled = self._settled(gateway, asked, outcome.code == NO_TEXT)
        return settled or failure("PROVIDER_ERROR", NO_ANSWER, asked)

    def _settled(self, gateway: Gateway, asked: Asked, no_text: bool) -> Outcome | None:
        """Find out why the run of a message ended without text. None: OpenClaw accepted the message, but lost it.

        There are three other reasons. Another run took the message in. OpenClaw waits for the end of that run and
        then answers under a new run id. Or the agent chose to say nothing.
        """
        looks = FOLDED_LOOKS
        deadline = now_ms() + SILENCE_SECONDS * 1000
        while looks:
            known = look_up(gateway, asked.session, asked.message.id)
            if known.answer is not None:
                return self._known(asked, known, known.answer)
            if not known.active and chose_silence(gateway, asked.session, asked.message.id):
                return Outcome("final", "", now_ms())
            if no_text and not known.active:  # a file without a word is added to its entry a moment later
                return failure("PROVIDER_ERROR", "the model gave no text", asked)
            if asked.stopped:
                gateway.request("chat.abort", {"sessionKey": asked.session})
                return Outcome("aborted", asked.stream.run.text, now_ms())
            looks = FOLDED_LOOKS if known.active and now_ms() < deadline else looks - 1
            if self._follower.interrupted.wait(LOOK_SECONDS / 2):
                return Outcome("interrupted", "", now_ms())
        return None

    def _known(self, asked: Asked, known: Known, answer: str) -> Outcome:
        """The answer that the transcript has. STEERED if the person has it under another message that shares it."""
        message = asked.message
        others = [name for name in known.together if name != message.id]
        if others and self.shown(message.conversation_id, others, answer):
            log.event("answered_with_another", message_id=message.id)
            return Outcome(STEERED, "", now_ms())
        asked.stream.update(answer)
        return Outcome("final", answer, now_ms())

    def _found(self, gateway: Gateway, asked: Asked) -> Outcome | bool:
        """Look for a message that may have been sent before: its outcome, or whether the transcript has it."""
        message_id, ended = asked.message.id, asked.message.id in self._follower.failed
        known, resumed = self._recovery.of(
            gateway, asked.session, message_id, ended, lambda: self._follower.told_to_end(asked)
        )
        if known.answer is not None:
            return self._known(asked, known, known.answer)
        if self._follower.interrupted.is_set():  # we were told to stop while we waited: send nothing
            return Outcome("interrupted", "", now_ms())
        if asked.stopped and resumed is None:
            if known.active:  # resumed, but its run has not shown itself yet
                gateway.request("chat.abort", {"sessionKey": asked.session})
            return Outcome("aborted", asked.stream.run.text, now_ms())
        if resumed is None:
            if known.sent and not ended and chose_silence(gateway, asked.session, message_id):
                return Outcome("final", "", now_ms())
            return known.sent
        log.event("following_resumed_run", message_id=message_id)
        over = lambda: self._follower.over(gateway, asked)  # noqa: E731
        outcome = self._follower.watched(gateway, asked, resumed, over, known.said)
        if outcome.reason == "final" and not outcome.text:
            return self._settled(gateway, asked, outcome.code == NO_TEXT) or True
        return outcome

    def _ended_before(self, gateway: Gateway, asked: Asked) -> Outcome:
        """The gateway says that the run with this key is over. Another run may have taken the message in.

        If that other run was stopped, the gateway soon begins a new run for the message.
        """
        for _ in range(FOLDED_LOOKS):
            found = self._found(gateway, asked)
            if isinstance(found, Outcome):
                return found
            if self._follower.interrupted.wait(LOOK_SECONDS):
                return Outcome("interrupted", "", now_ms())
        return failure("PROVIDER_ERROR", NO_ANSWER, asked)

    def _send(self, gateway: Gateway, asked: Asked, key: str) -> Outcome:
        if self._follower.told_to_end(asked):  # while the message was prepared: there is no run to end
            reason = "aborted" if asked.stopped else "interrupted"
            return Outcome(reason, asked.stream.run.text, now_ms())
        message = asked.message
        # Who has just asked to approve commands must not see one run: the settings come before the message.
        self._openclaw.follow_settings()
        steers = message.id not in self._asked
        self.models.apply(gateway, asked.session, message.conversation_id, steers)
        params = asked.request(key, self._untold.before(gateway, message))
        if message.id in self._follower.failed:
            self._follower.failed.remove(message.id)  # if this try is interrupted, the gateway may resume it

        def begin() -> Outcome | None:
            reply = gateway.request("chat.send", params)
            if "runId" not in reply:
                asked.stream.update(NOTHING_RUNS)
                return Outcome("final", NOTHING_RUNS, now_ms())
            asked.begun.set()
            self._untold.told(gateway, message)
            return self._ended_before(gateway, asked) if reply.get("status") == "ok" else None

        try:
            return self._follower.watched(gateway, asked, key, begin)
        finally:
            self.models.ended(asked.session)

    def abort(self, message_id: str) -> None:
        """End the turn of a message now, or as soon as it begins. The text so far is its answer."""
        asked = self._asked.get(message_id)
        if asked is not None:
            asked.stream.stop.pressed = True
            self._follower.abort(asked)

    def interrupt(self) -> None:
        """The container stops: end all turns without an answer. Their messages go back to the inbox."""
        self._follower.interrupted.set()
        each([lambda asked=asked: self._follower.abort(asked) for asked in list(self._asked.values())])  # type: ignore[misc]

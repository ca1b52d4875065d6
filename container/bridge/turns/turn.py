"""One turn: a claimed message is answered, closed, and shown wherever it belongs."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bridge.shared.aws_errors import AWS_ERRORS
from bridge.telegram.channel import FINISH_SECONDS, Channel, Channels, Nowhere
from bridge.turns.answering import Answering
from bridge.turns.beside import beside
from bridge.turns.claims import Claims, Held
from bridge.turns.delivery import Delivery, Run, Stream
from bridge.turns.outcome import CRASHED, STEERED, Outcome
from bridge.turns.stopping import Stop
from bridge.turns.thought import joined
from chalicelib.agents.tasks import LeaseLost
from chalicelib.lifecycle.services import ConversationService
from chalicelib.messages.conversations import answer_row, failure_row, question_row
from chalicelib.messages.inbox import CRASHES, HOPELESS, REFUSED, Message
from chalicelib.platform import log, metrics
from chalicelib.platform.clock import now_ms
from chalicelib.platform.models import ConversationItem
from chalicelib.wire.protocol import answer_id, error_frame

# The table of tabs mostly answers in milliseconds; whoever misses the first words asks for them (a gap).
TABS_SECONDS = 1.0


def _nothing() -> None:
    return


@dataclass
class Means:
    """What every turn works with. `expires_at`: the user's retention setting.

    `tell`: called with an answer's row before it is saved; what it returns is called after that.
    """

    claims: Claims
    conversations: ConversationService
    delivery: Delivery
    answerer: Answering
    channels: Channels
    expires_at: Callable[[int], int | None] = lambda now: None
    tell: Callable[[Message, ConversationItem], Callable[[], None]] = lambda message, row: _nothing


class Turn:
    """Answers one message. `run` raises LeaseLost only."""

    def __init__(self, means: Means, held: Held, run: Run) -> None:
        self._means = means
        self._message = held.message
        self._thought = held.thought  # messages that are answered with it
        self._run = run
        self._stream = Stream(run, means.delivery)
        self._stop = self._stream.stop = held.stop
        self._chat: Channel = Nowhere()  # where the answer also goes
        self.requeued = False  # whether a message of it waits in the inbox again

    def run(self) -> None:
        """From the claim to the saved answer, or back to the inbox."""
        try:
            self._begin()
            if self._message.attempts > CRASHES:
                # Each earlier try took its container down: another one would go the same way.
                self._failed(Outcome("error", "", now_ms(), "MESSAGE_DEAD", "the agent crashed on it each time"))
            else:
                self._end(self._answer())
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001  a message that stays claimed would wait for its lease's end
            log.failure("turn_broken", error, message_id=self._message.id)
            text = "the answer could not be made or saved"
            self._failed(Outcome("error", self._run.text, now_ms(), "INTERNAL", text))
        finally:
            self._chat.abandon()  # no effect after its finish

    def _begin(self) -> None:
        self._message = self._prepared(self._message)
        self._thought = [self._prepared(message) for message in self._thought]
        self._means.claims.replace(self._message)
        self._chat = self._means.channels.begin(self._message, self._run)

    def _prepared(self, message: Message) -> Message:
        """With its files; that may take minutes, so it is left out when nobody wants the answer any more."""
        return message if self._stop.told() else self._means.channels.prepare(message, self._stop.told)

    def _answer(self) -> Outcome:
        if reason := self._stop.reason(self._message):
            return Outcome(reason, self._run.text, now_ms())
        tabs = threading.Thread(target=self._means.delivery.refresh, name="tabs", daemon=True)
        tabs.start()
        self._stream.audience = lambda: tabs.join(TABS_SECONDS)
        asked = joined([self._message, *self._thought])
        return self._means.answerer.answer(asked, self._stream, self._means.delivery)

    def _end(self, outcome: Outcome) -> None:
        steered = self._means.claims.close(self._message.id)
        self._measure(outcome)
        if outcome.reason == "interrupted":
            self._hand_back(self._message, self._thought)
        if outcome.reason in ("interrupted", "error"):
            for message in steered:  # the run failed: each is asked by itself
                self._hand_back(message, [])
        if outcome.reason == "interrupted":
            return
        if outcome.reason == "error":
            self._failed(outcome)
            return
        # Before the message is closed: a crash in between repeats the turn, which finds what was sent.
        if outcome.reason != STEERED:  # else the chat has it as the answer to another message
            self._chat.finish(outcome.text, FINISH_SECONDS, outcome.files)
        until = self._means.expires_at(now_ms())
        answer = self._answer_row(outcome, until)
        saved = self._means.tell(self._message, answer)
        self._save(answer, [*self._thought, *steered], until)
        saved()
        self._finish_stream(self._stream, outcome)
        for message in [*self._thought, *steered]:
            run = Run(f"{message.id}.steered", message.id, message.conversation_id)
            self._finish_stream(Stream(run, self._means.delivery), Outcome(STEERED, "", outcome.at))
        self._touch(outcome, until)

    def _hand_back(self, message: Message, thought: list[Message]) -> None:
        self.requeued = True
        self._means.claims.hand_back(message, thought)

    @staticmethod
    def _finish_stream(stream: Stream, outcome: Outcome) -> None:
        end = {"messageId": answer_id(stream.run.reply_to), "reason": outcome.reason, "length": len(outcome.text)}
        end |= {"model": stream.run.model} if stream.run.model else {}
        end |= {"costUsd": stream.run.cost_usd} if stream.run.cost_usd is not None else {}
        end |= beside(outcome.text, {"card": stream.run.card.shown, "thinking": stream.run.thinking})
        stream.finish(end | ({"files": list(outcome.files)} if outcome.files else {}))

    def _touch(self, outcome: Outcome, until: int | None) -> None:
        """The conversation's place in the list. The answer is saved: nothing here may undo that."""
        message = self._message
        try:
            named = message.user_id, message.conversation_id, message.text or outcome.text, until
            self._means.conversations.touch(*named, title=message.cause)
        except AWS_ERRORS as error:
            log.failure("conversation_untouched", error, message_id=message.id)

    def _measure(self, outcome: Outcome) -> None:
        values: dict[str, float] = {"PendingMessagesConsumed": 1}
        if outcome.reason not in ("interrupted", "error"):  # those are no whole answers: another try may come
            latency = outcome.at - self._message.queued_at
            values |= {"ResponseLength": len(outcome.text), "MessageLatency": latency}
        if self._stream.first_at is not None:
            values["FirstResponseTime"] = self._stream.first_at - self._message.queued_at
        metrics.emit(**values)

    def _answer_row(self, outcome: Outcome, until: int | None) -> ConversationItem:
        answer = answer_row(self._message, outcome.text, outcome.reason, outcome.at, until)
        answer.files = list(outcome.files) or None
        return self._with_work(answer)

    def _save(self, answer: ConversationItem, steered: list[Message], until: int | None) -> None:
        rows = [question_row(self._message, until), answer]
        for other in steered:
            rows += [question_row(other, until), answer_row(other, "", STEERED, int(answer.created_at or 0), until)]
        self._means.claims.finish(self._message, rows, steered)

    def _with_work(self, answer: ConversationItem) -> ConversationItem:
        """The answer's row with what the agent did and thought for it, the model that wrote it, and its cost."""
        answer.work, answer.model = self._run.work.ended() or None, self._run.model or None
        answer.cost_usd = self._run.cost_usd
        kept = beside(answer.content or "", {"card": self._run.card.shown, "thinking": self._run.thinking})
        answer.card, answer.thinking = kept.get("card"), kept.get("thinking")
        return answer

    def _failed(self, outcome: Outcome) -> None:
        message = self._message
        error = {"code": outcome.code, "message": outcome.error}
        until = self._means.expires_at(now_ms())
        answer = failure_row(message, outcome.text, error, outcome.at, until)
        rows = [question_row(message, until), self._with_work(answer)]
        for other in self._thought:
            rows += [question_row(other, until), answer_row(other, "", STEERED, outcome.at, until)]
        dead = self._means.claims.fail(message, outcome.code, rows, self._thought)
        self.requeued = self.requeued or not dead
        log.event("turn_failed", message_id=message.id, code=outcome.code, attempts=message.attempts, dead=dead)
        if outcome.code == CRASHED and not dead:
            return  # as after a crash of the whole container: the next try goes on in the same place
        self._stream.finish({"messageId": None, "reason": "error", "length": len(outcome.text), "error": error})
        if dead and outcome.code in HOPELESS:
            if outcome.code in REFUSED:  # the month's limit is by design; a provider's refusal is for the operator too
                metrics.emit(DeadLetter=1)
            self._chat.finish(f"⚠️ {outcome.error}", FINISH_SECONDS)
        elif dead:
            metrics.emit(DeadLetter=1)
            text = f"This message could not be answered in {message.attempts} tries: {outcome.error}"
            self._means.delivery.everyone(error_frame("MESSAGE_DEAD", text, message.id))
            self._chat.finish(f"⚠️ {text}", FINISH_SECONDS)


class SteeredTurn(Turn):
    """A message for a run that goes on ("send now"). That run's answer is its answer."""

    def __init__(self, means: Means, held: Held, run: Run, host: Held) -> None:
        super().__init__(means, held, run)
        self._host = host
        # Whoever presses stop means the run that goes on. What waits for it gets its own turn.
        self._stop = self._stream.stop = Stop(held.stop.shutdown)
        self.adopted = False  # whether the running turn has taken it in, and closes it

    def _begin(self) -> None:
        """Its answer goes where the running turn's goes."""
        self._message = self._prepared(self._message)
        self._means.claims.replace(self._message)

    def _answer(self) -> Outcome:
        if reason := self._stop.reason(self._message):
            return Outcome(reason, "", now_ms())
        return self._means.answerer.steer(self._message, self._stream, self._means.delivery)

    def _end(self, outcome: Outcome) -> None:
        if outcome.reason == STEERED:
            self.adopted = self._means.claims.adopt(self._host, self._message)
            if not self.adopted:
                # That run ended meanwhile: the message's own turn finds what the transcript has of it.
                self._hand_back(self._message, [])
            return
        super()._end(outcome)


class Replies(Protocol):
    """The questions of the agent, as the turns see them. `reply`: False when nothing is asked any more."""

    def takes(self, message: Message) -> bool: ...
    def reply(self, message: Message) -> bool: ...


class ReplyTurn(SteeredTurn):
    """A written answer to an open question: the run that asked goes on with it, so it needs no run of its own."""

    def __init__(self, means: Means, held: Held, run: Run, host: Held | None, replies: Replies) -> None:
        super().__init__(means, held, run, host or held)
        self._asks_elsewhere = host is None  # an automation asks, which is no turn of ours
        self._replies = replies

    def _answer(self) -> Outcome:
        taken = self._replies.reply(self._message)
        return Outcome(STEERED if taken else "interrupted", "", now_ms())

    def _end(self, outcome: Outcome) -> None:
        if outcome.reason == STEERED and not self._asks_elsewhere:
            self.adopted = self._means.claims.adopt(self._host, self._message)
        if not self.adopted:  # handed back, or closed by itself: that run may have ended with the answer
            Turn._end(self, outcome)

"""A gate behind a turn: the files of its answer are stored before it counts as answered."""

from collections.abc import Callable
from dataclasses import replace

from bridge.files.shelf import NOTHING, UNKNOWN, Kept, Shelf
from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from bridge.turns.answering import Answering, Gate
from bridge.turns.cost import cost_of
from bridge.turns.delivery import Delivery, Stream
from bridge.turns.outcome import Outcome, session_key
from bridge.turns.thinking import thinking_of
from chalicelib.messages.inbox import Message
from chalicelib.platform import log


class Filed(Gate):
    """`gateway` is the present connection, None while OpenClaw is down."""

    def __init__(self, answerer: Answering, shelf: Shelf, gateway: Callable[[], Gateway | None]) -> None:
        super().__init__(answerer)
        self._shelf = shelf
        self._gateway = gateway

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        outcome = super().answer(message, stream, delivery)
        if outcome.reason not in ("final", "aborted"):
            return outcome
        try:
            kept = self._kept(message)
        except GatewayClosed:
            # OpenClaw died behind the answer. Whoever asks again starts it and finds the answer in the transcript.
            log.event("files_again", message_id=message.id)
            again = super().answer(replace(message, claims=max(message.claims, 2)), stream, delivery)
            if again.reason not in ("final", "aborted"):
                return again
            outcome, kept = again, self._second(message)
        except GatewayError as error:
            log.failure("files_unread", error, message_id=message.id)
            kept = UNKNOWN
        return _with(outcome, kept, stream)

    def steer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        """OpenClaw may answer it in a run of its own after all; then that answer may have files too."""
        outcome = super().steer(message, stream, delivery)
        if outcome.reason != "final":
            return outcome
        return _with(outcome, self._second(message), stream)

    def _kept(self, message: Message) -> Kept:
        if message.command.startswith("/"):
            return NOTHING
        gateway = self._gateway()
        if gateway is None:
            raise GatewayClosed("not connected")
        return self._shelf.of_answer(gateway, session_key(message.conversation_id), message.id)

    def _second(self, message: Message) -> Kept:
        try:
            return self._kept(message)
        except (GatewayError, GatewayClosed) as error:
            log.failure("files_unread", error, message_id=message.id)
            return UNKNOWN


def _with(outcome: Outcome, kept: Kept, stream: Stream) -> Outcome:
    """The answer with its files, and with what of them is missing in its text. Cost and thinking go with the stream."""
    stream.run.cost_usd, stream.run.thinking = cost_of(kept.rows), thinking_of(kept.rows)
    text = kept.text(outcome.text)
    if text != outcome.text:
        stream.update(text)
    return replace(outcome, text=text, files=kept.files)

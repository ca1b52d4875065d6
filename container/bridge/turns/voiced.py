"""A voice message is answered by voice too, where the person wants that and a provider speaks."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace

from bridge.files.fetching import Unavailable
from bridge.files.shelf import Shelf
from bridge.provider.speaking import Speaking
from bridge.telegram.format import spoken
from bridge.turns.answering import Answering, Gate
from bridge.turns.delivery import Delivery, Stream
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import Message

# Characters: about 100 s, and two cents. Nobody wants to hear more in one piece.
MOST = 1_500
NAME = "voice-answer.ogg"


class Voiced(Gate):
    """`wanted`: the user's setting. The recording is a file of the answer, beside its text."""

    def __init__(self, answerer: Answering, shelf: Shelf, speaking: Speaking, wanted: Callable[[], bool]) -> None:
        super().__init__(answerer)
        self._shelf = shelf
        self._speaking = speaking
        self._wanted = wanted
        self._told: set[str] = set()  # problems, each once in this container's life

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        outcome = super().answer(message, stream, delivery)
        words = spoken(outcome.text) if outcome.reason == "final" and self._asked(message) else ""
        if not 0 < len(words) <= MOST or stream.stop.told():
            return outcome
        heard = self._speaking.speak(words)
        problem = heard.problem
        if not problem:
            try:
                name = hashlib.sha256(f"{message.id}\nvoice".encode()).hexdigest()[:32]
                file = self._shelf.store(name, NAME, io.BytesIO(heard.content), voice=True)
                return replace(outcome, files=(*outcome.files, file.public()))
            except Unavailable as error:
                problem = str(error)
        return self._without(outcome, stream, problem)

    def _asked(self, message: Message) -> bool:
        return self._wanted() and any(entry.get("voice") for entry in message.attachments)

    def _without(self, outcome: Outcome, stream: Stream, problem: str) -> Outcome:
        if problem in self._told:
            return outcome
        self._told.add(problem)
        text = f"{outcome.text}\n\n⚠️ This answer is not spoken: {problem}."
        stream.update(text)
        return replace(outcome, text=text)

"""Which answers are spoken too, and what becomes of those that cannot be."""

from types import SimpleNamespace
from typing import Any

import pytest

from bridge.files.fetching import Unavailable
from bridge.provider.speaking import Spoken
from bridge.turns.outcome import Outcome
from bridge.turns.stopping import Stop
from bridge.turns.voiced import MOST, Voiced
from chalicelib.messages.files import StoredFile
from chalicelib.messages.inbox import Message

VOICE = [{"mimeType": "audio/ogg", "fileName": "voice.ogg", "voice": True, "transcript": "tea?"}]
ASKED = Message("ann", "message-1", "", "main", 1, attachments=VOICE)
TEXT = "**Green** tea.\n\n```\nx = 1\n```"
WRITTEN = Message("ann", "message-2", "tea?", "main", 1)
FORWARDED = Message("ann", "message-3", "", "main", 1, attachments=[VOICE[0] | {"voice": False}])


class World:
    def __init__(self, text: str = TEXT, reason: str = "final", problem: str = "") -> None:
        self.outcome, self.problem = Outcome(reason, text, 1), problem
        self.words: list[str] = []
        self.stored: list[bytes] = []
        self.full = self.wanted = True
        self.stop = Stop()
        self.gate = Voiced(self, self, self, lambda: self.wanted)  # type: ignore[arg-type]

    def answer(self, *_: object) -> Outcome:
        return self.outcome

    def speak(self, words: str) -> Spoken:
        self.words.append(words)
        return Spoken(problem=self.problem) if self.problem else Spoken(b"OggS")

    def store(self, name: str, label: str, content: Any, voice: bool = False) -> StoredFile:
        if not self.full:
            raise Unavailable("it could not be stored")
        self.stored.append(content.read())
        return StoredFile(name, label, "audio/ogg", 4, voice)

    def asks(self, message: Message = ASKED) -> Outcome:
        stream: Any = SimpleNamespace(stop=self.stop, update=lambda text: None)
        return self.gate.answer(message, stream, stream)


def test_a_voice_message_is_answered_by_voice_too() -> None:
    world = World()
    outcome = world.asks()
    assert (outcome.text, world.words) == (world.outcome.text, ["Green tea."]), "no marks, and no code"
    [file] = outcome.files
    assert (file["name"], file["voice"], world.stored) == ("voice-answer.ogg", True, [b"OggS"])
    assert world.asks().files == outcome.files, "a repeated turn has the same file"


@pytest.mark.parametrize("message", [WRITTEN, FORWARDED])
def test_what_is_not_the_persons_voice_is_answered_as_text(message: Message) -> None:
    world = World()
    assert world.asks(message) == world.outcome
    assert world.words == []


@pytest.mark.parametrize(
    "world", [World("a " * MOST), World("```\nx = 1\n```"), World(""), World(reason="aborted"), World(reason="error")]
)
def test_what_nobody_wants_to_hear_is_not_spoken(world: World) -> None:
    assert world.asks() == world.outcome
    assert world.words == []


def test_it_is_a_setting_and_a_stop_counts() -> None:
    world = World()
    world.wanted = False
    assert world.asks() == world.outcome
    world.wanted = world.stop.pressed = True
    assert world.asks() == world.outcome
    assert world.words == []


def test_a_problem_is_told_once() -> None:
    world = World(problem="that needs an OpenAI key")
    assert world.asks().text.endswith("⚠️ This answer is not spoken: that needs an OpenAI key.")
    assert world.asks() == world.outcome
    world.problem, world.full = "", False
    assert world.asks().text.endswith("⚠️ This answer is not spoken: it could not be stored.")

"""Estimates what a model call may cost, and decides which calls may run at the same time.

    spent + what the running calls may cost  <  limit    the next call is sent at once
                                             >= limit    it waits until a running call has been counted
    spent                                    >= limit    refused (budget.py)

So near the limit calls are sent one after the other and exceed it by one call at most. A single call
is always sent: otherwise the rest of the month's budget could not be used.
"""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

from bridge.provider.budget import Budget
from chalicelib.people.spending import NANO
from chalicelib.providers.prices import Tokens, nano_usd
from chalicelib.providers.routes import SPEECH, TRANSCRIPTIONS, Route
from chalicelib.providers.usage import BYTES_PER_TOKEN, Reader

Json = dict[str, Any]
# An answer's greatest length in tokens as the APIs name it, and how many answers are asked for.
LENGTHS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens")
ANSWERS = ("n", "candidateCount", "candidate_count")
# Of a request that names no length: most models end there by themselves.
UNBOUNDED = 64_000
FREE = ("/count_tokens", ":countTokens")
_MODEL = re.compile(rb'name="model"(?:\r\n[^\r\n]+)*\r\n\r\n([^\r\n]{1,100})')
# A voice message has 16 kbit/s at least; OpenAI counts 10 tokens for a second.
SOUND_BYTES_A_SECOND, SOUND_TOKENS_A_SECOND = 2_000, 10
# About 21 tokens for a second of speech, in which about 15 letters or 5 syllables of Korean (15 bytes) are said.
SPOKEN_TOKENS_A_BYTE = 1.5


@dataclass
class Call:
    """One call from its admission until it is counted. `most`: its estimated highest cost, in nano dollars."""

    route: Route
    model: str
    reader: Reader
    most: int
    free: bool = False
    cause: str = ""  # what it is made for (people/shares.py)
    sent: bool = False
    status: int | None = None  # of the provider's answer
    _begun: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """Called before the call is sent, and again before a retry."""
        self.sent, self.status, self._begun = False, None, time.monotonic()

    def end(self) -> None:
        self.reader.seconds = time.monotonic() - self._begun

    @property
    def owed(self) -> bool:
        """Whether it must be counted: it was answered, or sent and never answered. An error costs nothing."""
        return not self.free and (self.status == 200 if self.status is not None else self.sent)


def call_of(route: Route, path: str, body: bytes) -> Call:
    """Reads from the request: the model (for Gemini it is in the path) and how long the answer may become."""
    if path.endswith(TRANSCRIPTIONS):
        return _recording(route, body)
    asked = _json(body)
    if path.endswith(SPEECH):
        return _speech(route, asked)
    model = path.rpartition("/models/")[2].partition(":")[0] if "/models/" in path else str(asked.get("model", ""))
    reader, free = Reader(len(body), most_output=_most_output(asked)), path.endswith(FREE)
    # Input that is written to a cache costs most.
    tokens = Tokens(output=reader.most_output, cache_write=len(body) // BYTES_PER_TOKEN)
    return Call(route, model, reader, 0 if free else nano_usd(route.prices, model, tokens) or 0, free)


def _recording(route: Route, body: bytes) -> Call:
    """A form with a recording. If the provider reports no usage, its length is estimated from its bytes."""
    named = _MODEL.search(body)
    model = named[1].decode(errors="replace") if named else ""
    tokens = len(body) * SOUND_TOKENS_A_SECOND // SOUND_BYTES_A_SECOND
    reader = Reader(tokens * BYTES_PER_TOKEN, events=False, most_output=tokens)
    cost = nano_usd(route.prices, model, Tokens(fresh=tokens, output=tokens, audio=tokens))
    return Call(route, model, reader, cost or 0)


def _speech(route: Route, asked: Json) -> Call:
    """A text to be read aloud. If the provider reports no usage, the speech is estimated from the text."""
    model, size = str(asked.get("model", "")), len(str(asked.get("input", "")).encode(errors="replace"))
    tokens = round(size * SPOKEN_TOKENS_A_BYTE)
    reader = Reader(size, most_output=tokens, least_output=tokens)
    return Call(route, model, reader, nano_usd(route.prices, model, Tokens(fresh=size, output=tokens)) or 0)


def _json(body: bytes) -> Json:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return asked if isinstance(asked, dict) else {}


def _most_output(asked: Json) -> int:
    places = [asked, asked.get("generationConfig"), asked.get("generation_config")]  # the latter two are Gemini's
    return max(_numbers(places, LENGTHS), default=UNBOUNDED) * max(_numbers(places, ANSWERS), default=1)


def _numbers(places: list[Any], names: tuple[str, ...]) -> list[int]:
    values = [place.get(name) for place in places if isinstance(place, dict) for name in names]
    return [value for value in values if isinstance(value, int) and not isinstance(value, bool) and value > 0]


class Gate:
    """Adds up what the calls under way may cost. Belongs to one event loop."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._reserved = 0
        self._changed = asyncio.Event()

    def take(self, most: int) -> bool:
        """Reserve the cost of a call that the budget allows. False: wait for `changed`, then ask the budget again."""
        room = self._budget.room() or 0.0
        if self._reserved > 0 and self._reserved >= room * NANO:
            return False
        self._reserved += most
        return True

    def release(self, most: int) -> None:
        """A call has ended and the budget knows its cost."""
        self._reserved -= most
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        await self._changed.wait()

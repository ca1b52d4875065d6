"""Reads the token counts from a provider's answer while the answer is streamed."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.providers.prices import Tokens

Json = dict[str, Any]
# A longer event or JSON answer is skipped: usage comes in shorter ones.
MAX_BYTES = 8_000_000
# If a provider reports no usage: bytes of a request per token, from English text in JSON.
BYTES_PER_TOKEN = 4
# … and how many tokens a fast large model writes in a second, with thinking.
TOKENS_A_SECOND = 100


@dataclass
class Reader:
    """Reads an answer's bytes. `tokens` has the count afterwards; `exact` says whether it is the provider's.

    `events`: the answer is server-sent events, otherwise it is one JSON document. `most_output`,
    `least_output` and `seconds` (how long the call took) limit the estimate if the provider reports nothing.
    """

    request_bytes: int
    events: bool = True
    most_output: int = 0
    least_output: int = 0
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    usd: float | None = None  # OpenRouter names the price itself
    ended: bool = False
    _seen: int = 0
    _tail: bytearray = field(default_factory=bytearray)
    _skipping: bool = False

    def feed(self, data: bytes) -> None:
        *lines, tail = data.split(b"\n") if self.events else [data]
        for line in lines:
            self._keep(line)
            self._read()
        self._keep(tail)

    def finish(self) -> None:
        """The answer is complete."""
        self._read()
        self.ended = True

    def _keep(self, data: bytes) -> None:
        if self._skipping or len(self._tail) + len(data) > MAX_BYTES:
            self._skipping = True
            self._tail.clear()
        else:
            self._tail += data

    def _read(self) -> None:
        line, self._tail, self._skipping = bytes(self._tail), bytearray(), False
        if line.startswith(b"data:"):
            self._seen += 1
            line = line[5:]
        if b'"usage' not in line:  # `usage`, Gemini's `usageMetadata`
            return
        try:
            for usage in _usages(json.loads(line)):
                self._take(usage)
        except (ValueError, RecursionError):  # RecursionError: deeply nested JSON
            return

    def _take(self, usage: Json) -> None:
        """Later counts replace earlier ones: providers repeat them as they grow."""
        for name, value in usage.items():
            if isinstance(value, int) and not isinstance(value, bool):
                self.counts[name] = max(value, self.counts.get(name, 0))
            elif isinstance(value, dict) and name.endswith("_details"):
                self._take(value)
            elif name == "promptTokensDetails" and isinstance(value, list):  # Gemini's, by modality
                for part in value:
                    if isinstance(part, dict) and part.get("modality") == "AUDIO":
                        self._take({"audio_tokens": part.get("tokenCount")})
        cost = usage.get("cost")
        if isinstance(cost, int | float) and not isinstance(cost, bool):
            self.usd = float(cost)

    @property
    def exact(self) -> bool:
        return self.ended and bool(self.counts)

    @property
    def tokens(self) -> Tokens:
        """The provider's count. Without one, an estimate from the time, with at least one token for each event."""
        tokens = self._counted()
        tokens = replace(tokens, audio=min(self.counts.get("audio_tokens", 0), tokens.fresh))
        if self.exact:
            return tokens
        written = min(self.most_output, round(self.seconds * TOKENS_A_SECOND))
        output = max(tokens.output, self._seen, written, self.least_output)
        if not self.counts:
            return Tokens(self.request_bytes // BYTES_PER_TOKEN, output)
        return Tokens(tokens.fresh, output, tokens.cache_read, tokens.cache_write)

    def _counted(self) -> Tokens:
        count = self.counts.get
        if "promptTokenCount" in self.counts:  # Gemini
            cached = count("cachedContentTokenCount", 0)
            given = count("promptTokenCount", 0) + count("toolUsePromptTokenCount", 0)
            return Tokens(given - cached, count("candidatesTokenCount", 0) + count("thoughtsTokenCount", 0), cached)
        if "prompt_tokens" in self.counts:  # OpenAI's chat completions and all who speak like them
            cached = count("cached_tokens", count("prompt_cache_hit_tokens", 0))
            return Tokens(count("prompt_tokens", 0) - cached, count("completion_tokens", 0), cached)
        if "cached_tokens" in self.counts:  # OpenAI's responses: the input includes the cached tokens
            cached = count("cached_tokens", 0)
            return Tokens(count("input_tokens", 0) - cached, count("output_tokens", 0), cached)
        return Tokens(  # Anthropic: the input does not include the cached tokens
            count("input_tokens", 0),
            count("output_tokens", 0),
            count("cache_read_input_tokens", 0),
            count("cache_creation_input_tokens", 0),
        )


def _usages(body: Any) -> list[Json]:
    """The usage objects of an answer or an event, wherever the API puts them."""
    if isinstance(body, list):  # Gemini without server-sent events
        return [usage for entry in body for usage in _usages(entry)]
    if not isinstance(body, dict):
        return []
    places = [body, body.get("message"), body.get("response")]
    found = [place.get(name) for place in places if isinstance(place, dict) for name in ("usage", "usageMetadata")]
    return [usage for usage in found if isinstance(usage, dict)]

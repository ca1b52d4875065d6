"""Has a provider speak an answer. The call goes through our own proxy, so it is admitted, metered and holds no key.

OpenClaw's own `tts` would need a provider's plugin at each start, and speaks what it thinks fit; here the person's
setting and a limit decide.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import requests

from chalicelib.platform import log
from chalicelib.providers.routes import SPEECH, TOKEN_HEADER, Route

SECONDS = (10.0, 60.0)
MOST_BYTES = 5_000_000
OGG = b"OggS"
VOICE = "alloy"
NOBODY = "that needs an OpenAI key"


@dataclass(frozen=True)
class Spoken:
    """An Ogg Opus recording. `problem`: why there is none, in words for the person."""

    content: bytes = b""
    problem: str = ""


class Speaking:
    """`url`: of our proxy."""

    def __init__(self, routes: Iterable[Route], url: str, token: str) -> None:
        self._route = next((route for route in routes if route.speaks), None)
        self._url, self._token = url, token

    def speak(self, text: str) -> Spoken:
        """Takes up to a minute. What the provider refuses is a problem of this answer only."""
        route = self._route
        if route is None:
            return Spoken(problem=NOBODY)
        body: dict[str, Any] = {"model": route.speaks, "input": text, "voice": VOICE, "response_format": "opus"}
        if route.id == "openai":
            body["stream_format"] = "sse"  # only then it says what was used
        headers = {TOKEN_HEADER: self._token}
        try:
            with requests.post(
                f"{self._url}/{route.id}{SPEECH}", json=body, headers=headers, timeout=SECONDS, stream=True
            ) as answer:
                if answer.status_code != 200:
                    log.event("speech_failed", provider=route.id, status=answer.status_code)
                    return Spoken(problem=f"the provider refused it (status {answer.status_code})")
                content = _content(answer)
        except requests.RequestException as error:
            log.event("speech_failed", provider=route.id, reason=type(error).__name__)
            return Spoken(problem="the provider did not answer")
        if not content.startswith(OGG):
            log.event("speech_failed", provider=route.id, reason="no recording", bytes=len(content))
            return Spoken(problem="the provider's answer was no recording")
        return Spoken(content)


def _content(answer: requests.Response) -> bytes:
    """The recording; empty when it is too long or cannot be read."""
    events = "event-stream" in answer.headers.get("Content-Type", "")
    found = bytearray()
    for part in _parts(answer) if events else answer.iter_content(65_536):
        found += part
        if len(found) > MOST_BYTES:
            return b""
    return bytes(found)


def _parts(answer: requests.Response) -> Iterator[bytes]:
    """The pieces in the events `speech.audio.delta`."""
    for line in answer.iter_lines(65_536):
        if not line.startswith(b"data:"):
            continue
        try:
            event = json.loads(line[5:])
            if event["type"] == "speech.audio.delta":
                yield base64.b64decode(event["audio"], validate=True)
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
            log.event("speech_event_unreadable")

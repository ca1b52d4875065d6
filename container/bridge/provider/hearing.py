"""Has a provider write down what is said in a recording. The call goes through our own proxy, so it is metered.

Why not OpenClaw's `tools.media.audio`: it would need the providers' plugins at each start and an API key in its
configuration, which it disables after a refusal; it takes recordings only by chat.send; and what it heard is in the
prompt only, so that nobody could show or correct it, or say before the turn why it heard nothing.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import requests

from chalicelib.platform import log
from chalicelib.providers.routes import COMPLETIONS, GEMINI, TOKEN_HEADER, Route

Json = dict[str, Any]
TASK = "Write down exactly what is said in this recording, in its own language. Answer with these words only."
# Gemini and OpenRouter take 20 MB of a request, in base64.
EMBEDDED_BYTES = 14_000_000
SECONDS = (10.0, 120.0)
# Characters, and tokens that the model may write; an hour of speech has about 50,000 characters.
MOST, TOKENS = 60_000, 16_384
# How an answer ends that the provider did not cut, in both APIs' words. Some servers name no end.
WHOLE = ("stop", "STOP", None)
NOBODY = "it was not transcribed: that needs an OpenAI, Gemini or OpenRouter key"
SILENT = "nothing was heard in it"
UNREADABLE = "it was not transcribed: the provider's reply could not be read"


@dataclass(frozen=True)
class Heard:
    """`problem`: why there is no text, in words for the person. `cut`: the text is only the beginning."""

    text: str = ""
    problem: str = ""
    cut: bool = False


class Hearing:
    """`url`: of our proxy."""

    def __init__(self, routes: Iterable[Route], url: str, token: str) -> None:
        self._route = next((route for route in routes if route.hears), None)
        self._url, self._token = url, token

    def hear(self, name: str, mime_type: str, content: bytes) -> Heard:
        """Takes up to two minutes. What the provider refuses is a problem of this recording only."""
        route = self._route
        if route is None:
            return Heard(problem=NOBODY)
        if not route.transcribes and len(content) > EMBEDDED_BYTES:
            return Heard(problem="the recording is too long to be transcribed")
        try:
            answer = self._ask(route, name, mime_type, content)
        except requests.RequestException as error:
            log.event("transcription_failed", provider=route.id, reason=type(error).__name__)
            return Heard(problem="it was not transcribed: the provider did not answer")
        if answer.status_code != 200:
            log.event("transcription_failed", provider=route.id, status=answer.status_code)
            return Heard(problem=f"it was not transcribed: the provider refused it (status {answer.status_code})")
        heard = _heard(answer)
        if heard.problem == UNREADABLE:
            log.event("transcription_failed", provider=route.id, reason="unreadable", bytes=len(answer.content))
        elif heard.cut:
            log.event("transcription_cut", provider=route.id, length=len(heard.text))
        return heard

    def _ask(self, route: Route, name: str, mime_type: str, content: bytes) -> requests.Response:
        headers = {TOKEN_HEADER: self._token}
        base = f"{self._url}/{route.id}"
        if route.transcribes:
            form = {"model": route.hears, "response_format": "json"}
            recording = {"file": (_ascii(name, mime_type), content, mime_type)}
            url = f"{base}/audio/transcriptions"
            return requests.post(url, data=form, files=recording, headers=headers, timeout=SECONDS)
        encoded = base64.b64encode(content).decode()
        if route.api == GEMINI:
            url, body = f"{base}/models/{route.hears}:generateContent", _gemini(encoded, mime_type)
        else:
            assert route.api == COMPLETIONS
            url, body = f"{base}/chat/completions", _completion(route.hears, encoded, mime_type)
        return requests.post(url, json=body, headers=headers, timeout=SECONDS)


def _ascii(name: str, mime_type: str) -> str:
    """Providers know the format by the ending."""
    ending = name.rpartition(".")[2].lower()
    known = ending if ending in ("mp3", "mp4", "mpeg", "mpga", "m4a", "wav", "webm", "flac", "ogg") else ""
    return f"recording.{known or _format(mime_type)}"


def _format(mime_type: str) -> str:
    kind = mime_type.partition("/")[2]
    return {"mpeg": "mp3", "x-wav": "wav", "mp4": "m4a", "x-m4a": "m4a", "opus": "ogg"}.get(kind, kind)


def _gemini(encoded: str, mime_type: str) -> Json:
    parts = [{"text": TASK}, {"inlineData": {"mimeType": mime_type, "data": encoded}}]
    return {"contents": [{"role": "user", "parts": parts}], "generationConfig": {"maxOutputTokens": TOKENS}}


def _completion(model: str, encoded: str, mime_type: str) -> Json:
    sound = {"type": "input_audio", "input_audio": {"data": encoded, "format": _format(mime_type)}}
    content = [{"type": "text", "text": TASK}, sound]
    return {"model": model, "max_tokens": TOKENS, "messages": [{"role": "user", "content": content}]}


def _heard(answer: requests.Response) -> Heard:
    """The words in any of the three forms. Another form is no silence, and neither is an answer that was broken off."""
    try:
        text, end = _words(answer.json())
    except (ValueError, LookupError, TypeError, AttributeError):
        return Heard(problem=UNREADABLE)
    text = text.strip()
    if text:
        return Heard(text[:MOST].strip(), cut=len(text) > MOST or end not in WHOLE)
    return Heard(problem=SILENT if end in WHOLE else UNREADABLE)


def _words(body: Json) -> tuple[str, str | None]:
    """What was said, and how the answer ended."""
    if "text" in body:
        return str(body["text"] or ""), None
    if "candidates" in body:
        first = body["candidates"][0]
        parts = first.get("content", {}).get("parts", [])  # left out when there are no words
        return "".join(str(part.get("text", "")) for part in parts), first.get("finishReason")
    choice = body["choices"][0]
    return str(choice["message"]["content"] or ""), choice.get("finish_reason")

"""One streamed call to a model, in the format of its provider: the request, and the text in its events."""

import json
from collections.abc import Callable
from typing import Any

from chalicelib.providers.routes import ANTHROPIC, GEMINI, Route

Json = dict[str, Any]
Turns = list[tuple[str, str]]  # ("user" or "assistant", text), beginning and ending with the user

# How each API says that an answer is whole; it may also be cut at its length, or withheld.
WHOLE = ("end_turn", "stop_sequence", "stop", "STOP")
# Of the answer, in tokens: a few sentences. Models that think need some of it for that.
MOST_TOKENS, MOST_WITH_THOUGHT = 600, 2_000


def request(route: Route, model: str, system: str, turns: Turns) -> tuple[str, Json]:
    """The URL, and the body of a call that streams."""
    if route.api == ANTHROPIC:
        messages = [{"role": role, "content": text} for role, text in turns]
        body = {"model": model, "max_tokens": MOST_TOKENS, "system": system, "messages": messages, "stream": True}
        return f"{route.base}/v1/messages", body
    if route.api == GEMINI:
        contents = [{"role": "user" if role == "user" else "model", "parts": [{"text": text}]} for role, text in turns]
        most = {"maxOutputTokens": MOST_WITH_THOUGHT}
        body = {"systemInstruction": {"parts": [{"text": system}]}, "contents": contents, "generationConfig": most}
        return f"{route.base}/models/{model}:streamGenerateContent?alt=sse", body
    messages = [{"role": "system", "content": system}, *({"role": role, "content": text} for role, text in turns)]
    body = {"model": model, "messages": messages, "stream": True, "stream_options": {"include_usage": True}}
    # OpenAI's own models take no other name of the limit; the servers that copied its format know the older one.
    limit = ("max_completion_tokens", MOST_WITH_THOUGHT) if route.id == "openai" else ("max_tokens", MOST_TOKENS)
    return f"{route.base}/chat/completions", body | dict([limit])


def most_tokens(body: Json) -> int:
    """The longest answer that a request allows."""
    found = body.get("max_tokens") or body.get("max_completion_tokens") or body["generationConfig"]["maxOutputTokens"]
    return int(found)


def reader(route: Route) -> Callable[[Json], str]:
    """Reads the text of one event."""
    return {ANTHROPIC: _anthropic, GEMINI: _gemini}.get(route.api, _completions)


def event_of(line: bytes) -> Json | None:
    """The JSON of a line of server-sent events; None for other lines. Raises ValueError for an error."""
    if not line.startswith(b"data:") or line[5:].strip() in (b"", b"[DONE]"):
        return None
    found = json.loads(line[5:])
    if not isinstance(found, dict):
        return None
    if found.get("type") == "error" or found.get("error"):
        raise ValueError("the provider broke off with an error")
    return found


def end_of(event: Json) -> str:
    """Why the answer ended, in the provider's word; empty in the middle of it."""
    choice = (event.get("choices") or event.get("candidates") or [{}])[0]
    found = (event.get("delta") or {}).get("stop_reason") if event.get("type") == "message_delta" else None
    return str(found or choice.get("finish_reason") or choice.get("finishReason") or "")


def _anthropic(event: Json) -> str:
    delta = event.get("delta") or {}
    return str(delta.get("text", "")) if event.get("type") == "content_block_delta" else ""


def _completions(event: Json) -> str:
    choices = event.get("choices") or [{}]
    return str((choices[0].get("delta") or {}).get("content") or "")


def _gemini(event: Json) -> str:
    candidates = event.get("candidates") or [{}]
    parts = (candidates[0].get("content") or {}).get("parts") or []
    return "".join(str(part.get("text", "")) for part in parts if not part.get("thought"))

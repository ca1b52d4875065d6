"""Model providers for tests: each speaks its own API and records its requests.

The answers have the public format of each API: server-sent events with the usage where the real provider
puts it. With `behave` a test changes the next answers, for example to errors.
"""

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Json


@dataclass
class Providers:
    """A server on loopback in a thread of its own; `url` is its root."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    says: str = "Good morning."
    hears: str = "Buy green tea."
    thinks: str = ""  # before it answers, in the APIs that show it
    usage: tuple[int, int, int] = (1000, 50, 200)  # input (with the cached), output, cached
    behave: Behaviour | None = None
    open: int = 0  # answers being written
    _thread: threading.Thread | None = None
    _stop: Callable[[], object] = lambda: None

    def __enter__(self) -> "Providers":
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._thread is not None
        self._stop()
        self._thread.join(10)

    async def _serve(self, started: threading.Event) -> None:
        stopping, loop = asyncio.Event(), asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(stopping.set)
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await stopping.wait()
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await asked_for(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.method, request.path_qs, headers, body))
        self.open += 1
        try:
            return await (self.behave or self._well)(request)
        finally:
            self.open -= 1

    async def _well(self, request: web.Request) -> web.StreamResponse:
        body = self.asked[-1].body
        sound = any(f'"{part}": {{' in json.dumps(body) for part in ("input_audio", "inlineData"))
        if request.path.endswith("/audio/transcriptions") or sound:
            return web.json_response(heard(request.path, self.hears))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        async for event in self._events(request.path, body):
            await response.write(event)
        await response.write_eof()
        return response

    async def _events(self, path: str, body: Json) -> AsyncIterator[bytes]:
        model = str(body.get("model", ""))
        if path.endswith("/messages"):
            frames = anthropic(model, self.says, self.usage, self.thinks)
        elif path.endswith("/chat/completions"):
            frames = completions(model, self.says, self.usage, self.thinks)
        else:
            kind = responses if path.endswith("/responses") else gemini
            frames = kind(model, self.says, self.usage)
        for event in frames:
            yield event


async def asked_for(request: web.Request) -> Json:
    """A JSON body; of a form its fields, with what is known of the file. A form without a part is a mistake."""
    if not request.can_read_body:
        return {}
    if request.content_type != "multipart/form-data":
        body: Json = await request.json()
        return body
    form = await request.post()
    file = form["file"]
    assert isinstance(file, web.FileField)
    sound = file.file.read()
    known = {"name": file.filename, "type": file.content_type, "sha256": hashlib.sha256(sound).hexdigest()}
    return {"model": form["model"], "response_format": form["response_format"], "file": known}


def heard(path: str, text: str) -> Json:
    """What is said in a recording, in the form of each API, with its usage: 300 tokens of sound, 10 of text."""
    if path.endswith("/audio/transcriptions"):
        sound = {"text_tokens": 0, "audio_tokens": 300}
        usage: Json = {"type": "tokens", "input_tokens": 300, "input_token_details": sound, "output_tokens": 10}
        return {"text": text, "usage": usage | {"total_tokens": 310}}
    if path.endswith("/chat/completions"):
        usage = {"prompt_tokens": 300, "completion_tokens": 10, "total_tokens": 310, "cost": 0.000094}
        return {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}], "usage": usage}
    modal = [{"modality": "TEXT", "tokenCount": 20}, {"modality": "AUDIO", "tokenCount": 300}]
    usage = {"promptTokenCount": 320, "promptTokensDetails": modal, "candidatesTokenCount": 10}
    return {"candidates": [{"content": {"parts": [{"text": text}]}}], "usageMetadata": usage}


def event(data: Json, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def words(text: str) -> list[str]:
    return [word + " " for word in text.split(" ")[:-1]] + [text.rsplit(" ", maxsplit=1)[-1]]


# A thought that a provider hands back only encrypted.
HIDDEN = "hidden"


def anthropic(model: str, text: str, usage: tuple[int, int, int], thinks: str = "") -> list[bytes]:
    total, output, cached = usage
    counted = {
        "input_tokens": total - cached,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": 1,
    }
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [], "usage": counted}
    stop = {"stop_reason": None, "stop_sequence": None}
    thought = _anthropic_thought(thinks)
    at = len(thought) and 1
    frames: list[Json] = [
        {"type": "message_start", "message": message | stop},
        *thought,
        {"type": "content_block_start", "index": at, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": at, "delta": {"type": "text_delta", "text": word}}
            for word in words(text)
        ),
        {"type": "content_block_stop", "index": at},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": output},
        },
        {"type": "message_stop"},
    ]
    return [event(frame, str(frame["type"])) for frame in frames]


def _anthropic_thought(text: str) -> list[Json]:
    if not text:
        return []
    hidden = text == HIDDEN
    block = {"type": "redacted_thinking", "data": "RW5jcnlwdGVk"} if hidden else {"type": "thinking", "thinking": ""}
    deltas = [{"type": "thinking_delta", "thinking": word} for word in words(text)]
    deltas.append({"type": "signature_delta", "signature": "U2lnbmVk"})
    return [
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in ([] if hidden else deltas)),
        {"type": "content_block_stop", "index": 0},
    ]


def completions(model: str, text: str, usage: tuple[int, int, int], thinks: str = "") -> list[bytes]:
    total, output, cached = usage
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model}

    def chunk(delta: Json, finish: str | None = None) -> bytes:
        return event(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    counted = {
        "prompt_tokens": total,
        "completion_tokens": output,
        "total_tokens": total + output,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    last = [chunk({}, "stop"), event(head | {"choices": [], "usage": counted}), b"data: [DONE]\n\n"]
    thought = [chunk({"reasoning": word}) for word in words(thinks)] if thinks else []
    said = [chunk({"content": word}) for word in words(text)]
    return [chunk({"role": "assistant", "content": ""}), *thought, *said, *last]


def responses(model: str, text: str, usage: tuple[int, int, int]) -> list[bytes]:
    total, output, cached = usage
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    whole = item | {"status": "completed", "content": [part | {"text": text}]}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    answer = {"id": "resp_1", "object": "response", "model": model, "status": "in_progress", "output": []}
    counted = {
        "input_tokens": total,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": total + output,
    }
    frames: list[Json] = [
        {"type": "response.created", "response": answer},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **place, "part": part},
        *({"type": "response.output_text.delta", **place, "delta": word} for word in words(text)),
        {"type": "response.output_text.done", **place, "text": text},
        {"type": "response.content_part.done", **place, "part": part | {"text": text}},
        {"type": "response.output_item.done", "output_index": 0, "item": whole},
        {
            "type": "response.completed",
            "response": answer | {"status": "completed", "output": [whole], "usage": counted},
        },
    ]
    return [event(frame | {"sequence_number": number}, str(frame["type"])) for number, frame in enumerate(frames)]


def gemini(_: str, text: str, usage: tuple[int, int, int]) -> list[bytes]:
    total, output, cached = usage
    counted = {
        "promptTokenCount": total,
        "candidatesTokenCount": output,
        "cachedContentTokenCount": cached,
        "totalTokenCount": total + output,
    }

    def part(word: str, more: Json) -> bytes:
        candidate = {"content": {"role": "model", "parts": [{"text": word}]}, "index": 0} | more
        return event({"candidates": [candidate], "usageMetadata": counted, "modelVersion": "gemini"})

    said = words(text)
    return [*(part(word, {}) for word in said[:-1]), part(said[-1], {"finishReason": "STOP"})]

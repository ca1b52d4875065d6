"""An OpenAI-compatible model that writes the time into its answers: `python -m bench.model` prints its port.

`stream N every M ms` makes it write N words, M ms apart. The first and the last word are the time when
they were written (time.monotonic, which all processes of a machine share). So a reader can compute how
long they took. Any other message is answered with five words in this form. `after N ms` makes it think so long first.
"""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from bench.stamps import asked_in, words
from local.demo_model import last_user_text
from local.serving import main

Json = dict[str, Any]


def chunk(delta: Json, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "bench", "object": "chat.completion.chunk", "created": int(time.time()), "model": "bench"}
    return f"data: {json.dumps(body | {'choices': [choice]})}\n\n".encode()


async def stream(text: str) -> AsyncIterator[bytes]:
    asked = asked_in(text)
    wait = re.search(r"after (\d{1,4}) ms", text)
    await asyncio.sleep(int(wait[1]) / 1000 if wait else 0)
    for word in words(asked):
        yield chunk({"content": word})
        if asked.pause:
            await asyncio.sleep(asked.pause)
    yield chunk({}, "stop")
    usage = {"prompt_tokens": 10, "completion_tokens": asked.count, "total_tokens": 10 + asked.count}
    last = {"id": "bench", "object": "chat.completion.chunk", "model": "bench", "choices": [], "usage": usage}
    yield f"data: {json.dumps(last)}\n\n".encode()
    yield b"data: [DONE]\n\n"


async def complete(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    asked = re.sub(r"\s+", " ", last_user_text(body["messages"]))
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):  # whoever asked was killed
        async for part in stream(asked):
            await response.write(part)
        await response.write_eof()
    return response


def application() -> web.Application:
    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.router.add_post("/v1/chat/completions", complete)
    return app


if __name__ == "__main__":
    main(__doc__, application)

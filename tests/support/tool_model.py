"""A model that calls the tool it is told to: `call NAME {json}`. Then it says what the tool returned.

`only MEDIA:…` makes it say just that line.
"""

import json
import re
import uuid
from typing import Any

from aiohttp import web

Json = dict[str, Any]
RESULT = "RESULT "
PAGE = (
    "<html><title>Tea</title><body><nav>Shop</nav><article><h1>Tea</h1>"
    + "<p>Green tea is brewed at 70 degrees.</p>" * 5
    + "</article></body></html>"
)
# What OpenClaw itself puts behind a message of the person.
INTERNAL = "OpenClaw runtime context"


def text_of(message: Json) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content or [] if part.get("type") == "text")


async def behave(request: web.Request) -> web.StreamResponse:
    """For Providers.behave: OpenAI's chat completions, streamed; and a page for the agent to read."""
    if request.method == "GET":
        return web.Response(text=PAGE, content_type="text/html")
    messages = [one for one in (await request.json())["messages"] if INTERNAL not in text_of(one)]
    last = messages[-1]
    wanted = re.search(r"call (\w+) (\{.*\})", text_of(last), re.DOTALL) if last["role"] == "user" else None
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    if wanted:
        function = {"name": wanted[1], "arguments": wanted[2]}
        call = {"index": 0, "id": f"call_{uuid.uuid4().hex[:12]}", "type": "function", "function": function}
        await response.write(_chunk({"role": "assistant", "content": "", "tool_calls": [call]}))
        await response.write(_chunk({}, "tool_calls"))
    else:
        only = re.search(r"\bonly (MEDIA:.+)", text_of(last), re.DOTALL) if last["role"] == "user" else None
        await response.write(_chunk({"role": "assistant", "content": only[1] if only else RESULT + text_of(last)}))
        await response.write(_chunk({}, "stop"))
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _chunk(delta: Json, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "demo", "choices": [choice]}
    return f"data: {json.dumps(body)}\n\n".encode()

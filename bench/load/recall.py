"""A model that asks back: it says what it was told, runs what it is asked to, and remembers every call."""

import asyncio
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bridge.turns.reconcile import HEAD, TAIL
from tests.support.providers import event

Json = dict[str, Any]
TOKEN = re.compile(r"told-[0-9a-f]{8}")
QUOTED = re.compile(re.escape(HEAD) + ".*?" + re.escape(TAIL), re.DOTALL)
RESUMED = "Your previous turn was interrupted"
TITLE = "concise session title"
RECALL = "recall what I told you"
PAUSE = 0.04  # seconds between words


@dataclass(frozen=True)
class Call:
    """One call of the model: which message it was for, and when it came (ms)."""

    token: str
    at: float
    resumed: bool
    after_tool: bool


@dataclass
class Recall:
    """`behave` for tests/support/providers.py."""

    calls: list[Call] = field(default_factory=list)

    async def behave(self, request: web.Request) -> web.StreamResponse:
        messages: list[Json] = (await request.json()).get("messages", [])
        command, answer = self._answer(messages)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        deltas: list[Json] = [{"content": word} for word in re.findall(r"\S+\s*", answer)]
        if command:
            function = {"name": "exec", "arguments": json.dumps({"command": command})}
            deltas = [{"tool_calls": [{"index": 0, "id": uuid.uuid4().hex, "type": "function", "function": function}]}]
        for delta in deltas:
            await response.write(_chunk({"role": "assistant"} | delta))
            await asyncio.sleep(0 if RECALL in _text(messages[-1]) else PAUSE)
        await response.write(_chunk({}, "tool_calls" if command else "stop"))
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        await response.write(event(_head() | {"choices": [], "usage": usage}) + b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    def _answer(self, messages: list[Json]) -> tuple[str, str]:
        """A command to run, or the text."""
        said = [_text(message) for message in messages if message.get("role") == "user"]
        if TITLE in _text(messages[0]):
            return "", "A title"
        last, after_tool = said[-1], messages[-1].get("role") == "tool"
        own = QUOTED.sub("", last)
        resumed = RESUMED in own
        tokens = TOKEN.findall(own) or (TOKEN.findall(QUOTED.sub("", "\n".join(said))) if resumed else [])
        if tokens:
            self.calls.append(Call(tokens[-1], time.time() * 1000, resumed, after_tool))
        if RECALL in own:
            return "", "You told me: " + " ".join(sorted(set(TOKEN.findall("\n".join(said))))) + " and nothing else."
        command = re.search(r"run: (.+)", own)
        if command and not after_tool and not resumed:
            return command[1], ""
        return "", f"I keep {' '.join(tokens[-1:])} in mind, " + "and go on, " * 12 + "and that is all."


def _text(message: Json) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(str(part.get("text", "")) for part in content)


def _head() -> Json:
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "recall"}


def _chunk(delta: Json, finish: str | None = None) -> bytes:
    return event(_head() | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

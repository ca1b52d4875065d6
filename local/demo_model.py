"""A model for people without a provider key. It is OpenAI-compatible, streams, and says that it is a demo.

It can do sums, count, and `show the long sample` (a long answer with every kind of formatting; four of
them for `show the long sample 4 times`). It writes a word every 20 ms, or
more with `30 words at a time`; `fast` leaves out the pauses. With `DEMO_TOOLS=1` (tests) a message
`run: COMMAND` makes it call the agent's shell tool, `call TOOL {"name": "value"}` any tool, `say: TEXT`
says just that (⏎ for a new line), `wait 3 seconds` makes it think first, `fail with a provider error` makes it fail,
`refuse with status 402` (or another one) makes it answer with that status, `first: TEXT` is what it says while
the agent wakes up, and `quote your instructions on WORD` makes it say what it is told about that word.
"""

import asyncio
import contextlib
import json
import os
import re
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from typing import Any

from aiohttp import web

from local.arithmetic import solve
from local.long_sample import long_sample
from local.serving import main

NOTICE = "*I am the built-in demo model, not a real AI. Set a provider key to talk to one (see the README).*"
Event = dict[str, Any]
# Marks what OpenClaw adds to an automation's own text.
INTERNAL = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>"
# How OpenClaw asks for a title.
TITLE_PROMPT = "concise session title"
# OpenClaw's own words when it asks whether anything needs the person.
HEARTBEAT = "Follow the heartbeat monitor scratch"


# The end of what a restored agent is told before a message (bridge/turns/reconcile.py; a test compares them).
# How a first answer is asked for while the agent wakes up, and how the agent is told of it (tests compare both).
WAKING = "you are just waking up"
CONTINUED = "\n\n[From the system, not from the person: while you"
RESTORED = "[End of the restored context. The message of now:]"


def last_user_text(messages: list[Event]) -> str:
    """The person's last message without the text that the agent adds."""
    texts = [_text(message) for message in messages if message.get("role") == "user"]
    if len(texts) > 1 and INTERNAL in texts[-1] and texts[-2].startswith("[cron:"):
        return _of_automation(texts[-2])
    return _of_automation(texts[-1]).rpartition(RESTORED)[2].partition(CONTINUED)[0] if texts else ""


def _text(message: Event) -> str:
    content = message.get("content", "")
    if isinstance(content, list):
        content = "\n".join(part.get("text", "") for part in content if part.get("type") == "text")
    return str(content)


def _of_automation(text: str) -> str:
    """An automation's own text, without the conversation before it; any other text as it is."""
    return text.partition("\nCurrent time:")[0].rpartition("\n\n")[2] if text.startswith("[cron:") else text


def reply(text: str) -> str:
    """The demo's answer to a message."""
    line = text.strip().splitlines()[-1] if text.strip() else ""
    count = re.search(r"count to (\d{1,4})", text, re.IGNORECASE)
    if count:
        return " ".join(str(n) for n in range(1, int(count.group(1)) + 1)) + "\n\n" + NOTICE
    sample = re.search(r"show the long sample(?: (\d) times)?", text, re.IGNORECASE)
    if sample:
        return long_sample() * int(sample.group(1) or 1)
    solved = solve(line)
    if solved:
        expression, value = solved
        shown = int(value) if isinstance(value, float) and value.is_integer() else value
        return f"**{expression} = {shown}**\n\n{NOTICE}"
    return (
        f"You wrote: “{line[:500]}”\n\n{NOTICE}\n\n"
        "I can do two things:\n\n- sums, such as `21*2`\n- counting, such as `count to 50`\n"
    )


def chunks_of(text: str, words: int = 1) -> Iterable[str]:
    return re.findall(rf"(?:\S+\s*){{1,{words}}}|\s+", text)


def _pause(text: str) -> float:
    """Seconds between words: slow enough to see, unless the message says `fast`."""
    return 0.0 if re.search(r"\bfast\b", text) else float(os.environ.get("DEMO_PAUSE", "0.02"))


def _thinking(text: str) -> float:
    """Seconds before the first word, for tests; what a tool is told is not for us."""
    wanted = re.search(r"wait (\d{1,2}) seconds", text) if os.environ.get("DEMO_TOOLS") == "1" else None
    return float(wanted[1]) if wanted and not re.search(r"call \w+ \{", text) else 0.0


def _own(messages: list[Event]) -> list[Event]:
    """Without what OpenClaw adds at the end of an automation's run, behind a tool's result too."""
    said = [_text(message) for message in messages if message.get("role") == "user"]
    adds = len(said) > 1 and INTERNAL in said[-1] and said[-2].startswith("[cron:")
    return messages[:-1] if adds and messages[-1].get("role") == "user" else messages


def _waking(messages: list[Event]) -> bool:
    return messages[0].get("role") == "system" and WAKING in _text(messages[0])


def _continues(messages: list[Event]) -> bool:
    """Whether the person has read a first answer to the message already."""
    said = [_text(message) for message in messages if message.get("role") == "user"]
    return bool(said) and CONTINUED in said[-1].rpartition(RESTORED)[2]


def _mark(messages: list[Event]) -> str:
    """Whether its answer can stand, where that is asked for: all but tools and what is to be remembered."""
    if "[[done]]" not in _text(messages[0]):
        return ""
    return "[[agent]] " if re.search(r"run: |call |recall|say: ", last_user_text(messages)) else "[[done]] "


def _first(text: str) -> str:
    said = re.search(r"first: (.+)", text) if os.environ.get("DEMO_TOOLS") == "1" else None
    return said[1].partition(" say: ")[0].strip() if said else reply(text)


def _after_tool(messages: list[Event]) -> bool:
    return _own(messages)[-1].get("role") == "tool"


def _tool_call(messages: list[Event]) -> Event | None:
    if os.environ.get("DEMO_TOOLS") != "1" or _after_tool(messages) or _waking(messages):
        return None
    text = last_user_text(messages)
    command, call = re.search(r"run: (.+)", text), re.search(r"call (\w+) (\{.*\})", text)
    if call:
        function = {"name": call[1], "arguments": call[2]}
    elif command:
        function = {"name": "exec", "arguments": json.dumps({"command": command[1].strip()})}
    else:
        return None
    return {"index": 0, "id": f"call_{uuid.uuid4().hex[:12]}", "type": "function", "function": function}


def _title(text: str) -> str:
    """A title as a model makes one: at most six words, the first one with a capital."""
    words = re.findall(r"[^\s,.;:?!]+", text)[:6]
    return " ".join(words).capitalize()


def _recalled(messages: list[Event]) -> str:
    """All user messages of the request's transcript. They show whether a memory survived."""
    said = [_text(message) for message in messages if message.get("role") == "user"]
    return "You told me:\n\n" + "\n".join(f"> {line}" for text in said[:-1] for line in text.splitlines())


def _heartbeat(messages: list[Event]) -> str:
    """It finds nothing, unless a message before has said what: `on heartbeat say: …` (tests)."""
    told = [re.search(r"on heartbeat say: (.+)", _text(one)) for one in messages if one.get("role") == "user"]
    found = [one[1].strip() for one in told if one is not None]
    return found[-1] if found and os.environ.get("DEMO_TOOLS") == "1" else "NO_REPLY"


def _quoted(messages: list[Event], word: str) -> str:
    """The lines with that word of what the model is told."""
    told = "\n".join(_text(one) for one in messages if one.get("role") in ("system", "developer"))
    return "\n".join(line for line in told.splitlines() if word in line) or "Nothing."


def _answer(messages: list[Event]) -> str:
    if HEARTBEAT in last_user_text(messages):
        return _heartbeat(messages)
    quoted = re.search(r"quote your instructions on (\w+)", last_user_text(messages))
    if quoted and os.environ.get("DEMO_TOOLS") == "1" and not _after_tool(messages):
        return _quoted(messages, quoted[1])
    if _waking(messages):
        return _mark(messages) + _first(last_user_text(messages))
    said = re.search(r"say: (.+)", last_user_text(messages)) if os.environ.get("DEMO_TOOLS") == "1" else None
    if said and not _after_tool(messages):
        return said[1].strip().replace("⏎", "\n")
    if _continues(messages) and not _after_tool(messages):
        return "NOTHING_TO_SAY"
    if TITLE_PROMPT in str(messages[0].get("content", "")):
        return _title(last_user_text(messages))
    if "recall what I told you" in last_user_text(messages):
        return _recalled(messages)
    if _after_tool(messages) and "MEDIA:" in _text(_own(messages)[-1]):
        return _text(_own(messages)[-1])  # as the agent gives a file: a line outside of code
    if _after_tool(messages):
        return f"The command printed:\n\n```\n{_own(messages)[-1].get('content')}\n```\n"
    return reply(last_user_text(messages))


def _chunk(model: str, delta: Event, finish: str | None = None) -> bytes:
    body = {
        "id": "chatcmpl-demo",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return f"data: {json.dumps(body)}\n\n".encode()


async def _stream(model: str, messages: list[Event]) -> AsyncIterator[bytes]:
    call = _tool_call(messages)
    yield _chunk(model, {"role": "assistant", "content": ""})
    if call is not None:
        yield _chunk(model, {"content": "Let me run that. "})
        yield _chunk(model, {"tool_calls": [call]})
        yield _chunk(model, {}, "tool_calls")
    else:
        answer = _answer(messages)
        await asyncio.sleep(_thinking(last_user_text(messages)))
        at_a_time = re.search(r"(\d{1,3}) words at a time", last_user_text(messages))
        for word in chunks_of(answer, int(at_a_time.group(1)) if at_a_time else 1):
            yield _chunk(model, {"content": word})
            await asyncio.sleep(_pause(last_user_text(messages)))
        yield _chunk(model, {}, "stop")
    size = sum(len(str(m.get("content", ""))) for m in messages) // 4
    usage = {"prompt_tokens": size, "completion_tokens": 20, "total_tokens": size + 20}
    last = {"id": "chatcmpl-demo", "object": "chat.completion.chunk", "model": model, "choices": [], "usage": usage}
    yield f"data: {json.dumps(last)}\n\n".encode()
    yield b"data: [DONE]\n\n"


async def complete(request: web.Request) -> web.StreamResponse:
    wanted = os.environ.get("DEMO_KEY")  # tests: a provider that insists on its key
    if wanted and request.headers.get("Authorization") != f"Bearer {wanted}":
        return web.json_response({"error": {"message": "invalid key", "type": "invalid_request_error"}}, status=401)
    body = await request.json()
    messages, model = body.get("messages", []), body.get("model", "demo")
    if not messages:
        return web.json_response({"error": {"message": "messages is empty"}}, status=400)
    if os.environ.get("DEMO_TOOLS") == "1" and "fail with a provider error" in last_user_text(messages):
        return web.json_response({"error": {"message": "the provider is broken"}}, status=409)
    refused = re.search(r"refuse with status ([45]\d\d)", last_user_text(messages))
    if os.environ.get("DEMO_TOOLS") == "1" and refused:
        error = {"message": "refused", "type": "insufficient_quota", "code": "insufficient_quota"}
        return web.json_response({"error": error}, status=int(refused[1]))
    if not body.get("stream"):
        message = {"role": "assistant", "content": _answer(messages)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return web.json_response({"id": "chatcmpl-demo", "model": model, "choices": [choice], "usage": usage})
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):  # the client has stopped the answer
        async for part in _stream(model, messages):
            await response.write(part)
        await response.write_eof()
    return response


async def transcribe(request: web.Request) -> web.Response:
    """It cannot hear. For tests a recording may carry its words behind `SAYS:`."""
    sound = (await request.post()).get("file")
    content = sound.file.read() if isinstance(sound, web.FileField) else b""
    if os.environ.get("DEMO_TOOLS") != "1":
        return web.json_response({"error": {"message": "the demo model cannot hear"}}, status=404)
    said = content.partition(b"SAYS:")[2].decode(errors="replace").rstrip("\0")
    return web.json_response({"text": said or f"A recording of {len(content)} bytes."})


async def speak(request: web.Request) -> web.Response:
    """It cannot speak. For tests a recording holds the text behind `SPOKE:`."""
    if os.environ.get("DEMO_TOOLS") != "1":
        return web.json_response({"error": {"message": "the demo model cannot speak"}}, status=404)
    text = str((await request.json()).get("input"))
    return web.Response(body=b"OggS SPOKE:" + text.encode(), content_type="audio/ogg")


async def models(_: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "demo", "object": "model"}]})


def application() -> web.Application:
    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_post("/v1/audio/transcriptions", transcribe)
    app.router.add_post("/v1/audio/speech", speak)
    app.router.add_get("/v1/models", models)
    return app


if __name__ == "__main__":
    main(__doc__, application)

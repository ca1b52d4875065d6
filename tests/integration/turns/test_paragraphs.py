"""An answer with texts before, between and after tool calls, on the real gateway: the same paragraphs everywhere.

In the stream, in what is saved and sent to Telegram (the outcome's text), in the transcript, and after
OpenClaw was killed in mid-answer.
"""

import asyncio
import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bridge.openclaw.history import look_up
from bridge.openclaw.process import OpenClaw
from bridge.turns.answer import Answerer
from bridge.turns.delivery import Delivery, Run, Stream
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import Message
from chalicelib.providers.routes import KNOWN, Route
from tests.support.bridge_parts import KEY, custom, make_config, proxied, secrets_with
from tests.support.client import eventually
from tests.support.fakes import FakeConnections, FakePost
from tests.support.providers import Providers, event

pytestmark = pytest.mark.timeout(150)
Json = dict[str, Any]
LAST = "I have written both.\n\n- one\n- two\n\nThat is all."
TEXTS = ["I will write the file.", "Now a chart.", LAST]
WHOLE = "\n\n".join(TEXTS)
MODELS = {"custom": "custom/demo", "anthropic": f"anthropic/{KNOWN[0].model}"}


def step(messages: list[Json]) -> int:
    """How many tools were called since the person wrote (a resumed turn goes on counting)."""
    count = 0
    for message in messages:
        said = json.dumps(message["content"])
        if message["role"] == "tool" or '"tool_result"' in said:
            count += 1
        elif message["role"] == "user" and "please work" in said:
            count = 0
    return min(count, len(TEXTS) - 1)


def completions(number: int) -> list[bytes]:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "demo"}

    def chunk(delta: Json, finish: str | None = None) -> bytes:
        return event(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    words = [chunk({"content": f"{word} "}) for word in TEXTS[number].split(" ")]
    if number == len(TEXTS) - 1:
        return [*words, chunk({}, "stop"), b"data: [DONE]\n\n"]
    function = {"name": "exec", "arguments": json.dumps({"command": f"echo {number}"})}
    call = {"index": 0, "id": f"call_{uuid.uuid4().hex[:12]}", "type": "function", "function": function}
    return [*words, chunk({"tool_calls": [call]}), chunk({}, "tool_calls"), b"data: [DONE]\n\n"]


def claude(number: int) -> list[bytes]:
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    frames: list[Json] = [
        {"type": "message_start", "message": message | {"stop_reason": None, "stop_sequence": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    for word in TEXTS[number].split(" "):
        delta: Json = {"type": "text_delta", "text": f"{word} "}
        frames.append({"type": "content_block_delta", "index": 0, "delta": delta})
    frames.append({"type": "content_block_stop", "index": 0})
    ends = number == len(TEXTS) - 1
    if not ends:
        block = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:12]}", "name": "exec", "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps({"command": f"echo {number}"})}
        frames += [
            {"type": "content_block_start", "index": 1, "content_block": block},
            {"type": "content_block_delta", "index": 1, "delta": delta},
            {"type": "content_block_stop", "index": 1},
        ]
    stop = {"stop_reason": "end_turn" if ends else "tool_use", "stop_sequence": None}
    frames += [{"type": "message_delta", "delta": stop, "usage": {"output_tokens": 5}}, {"type": "message_stop"}]
    return [event(frame, str(frame["type"])) for frame in frames]


@dataclass
class Part:
    """The real gateway before a model that calls two tools; `held` keeps it in the middle of its last text."""

    openclaw: OpenClaw
    held: threading.Event
    reached: threading.Event
    runs: dict[str, Run] = field(default_factory=dict)

    def ask(self, conversation: str, model: str) -> tuple[Outcome, Stream]:
        delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
        run = self.runs[conversation] = Run("r", f"m-{conversation}", conversation)
        stream = Stream(run, delivery)
        message = Message("ann", f"m-{conversation}", "please work", conversation, 0, claims=1)
        answerer = Answerer(self.openclaw, lambda: MODELS[model])
        self.openclaw.on_stray = answerer.stray
        return answerer.answer(message, stream, delivery), stream

    def transcript(self, conversation: str) -> str | None:
        gateway = self.openclaw.gateway
        assert gateway is not None
        return look_up(gateway, f"web-{conversation}", f"m-{conversation}").answer


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    held, reached = threading.Event(), threading.Event()

    async def work(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        number = step(body["messages"])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        frames = claude(number) if request.path.endswith("/messages") else completions(number)
        for index, frame in enumerate(frames):
            while held.is_set() and number == len(TEXTS) - 1 and index == 6:
                reached.set()
                await asyncio.sleep(0.05)
            await response.write(frame)
            await asyncio.sleep(0.02)
        await response.write_eof()
        return response

    with Providers() as providers:
        providers.behave = work
        known = KNOWN[0]
        claude_route = Route(known.id, known.api, f"{providers.url}/anthropic", known.model, known.parameter)
        config = make_config(
            tmp_path_factory.mktemp("openclaw") / "home", custom(f"{providers.url}/custom"), claude_route
        )
        keys = secrets_with(openai_api_key=KEY, anthropic_api_key=KEY)
        with proxied(config.routes, keys, token=config.proxy_token) as proxy:
            openclaw = OpenClaw(config, proxy.url)
            openclaw.start()
            yield Part(openclaw, held, reached)
            openclaw.stop()


@pytest.mark.parametrize("model", MODELS)
def test_stream_saved_answer_and_transcript_have_the_same_paragraphs(part: Part, model: str) -> None:
    outcome, stream = part.ask(f"whole-{model}", model)
    assert (outcome.reason, outcome.text) == ("final", WHOLE)
    assert (stream.run.text, stream.run.before) == (WHOLE, []), "nothing that was shown was taken back"
    assert part.transcript(f"whole-{model}") == WHOLE


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_that_a_kill_interrupted_has_them_too(part: Part, model: str) -> None:
    """The paragraphs before the kill stay; the resumed run's text follows them."""
    run, killer = f"killed-{model}", threading.Thread(target=lambda: kill_in_the_last_text(part, f"killed-{model}"))
    killer.start()
    outcome, stream = part.ask(run, model)
    killer.join()
    assert (outcome.reason, outcome.text) == ("final", WHOLE)
    assert stream.run.text == WHOLE
    assert eventually(lambda: part.transcript(run), 10) == WHOLE


def kill_in_the_last_text(part: Part, run: str) -> None:
    part.reached.clear()
    part.held.set()
    try:
        assert part.reached.wait(30), "the last text has begun; of Claude's OpenClaw shows nothing yet"
        eventually(lambda: "Now a chart." in part.runs[run].text, 10)
        part.openclaw.kill()
    finally:
        part.held.clear()

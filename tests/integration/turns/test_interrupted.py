"""Each row of "What becomes of a message" in docs/architecture.md, on one real gateway.

The model is scripted: a message says how it is to be answered. Every call is remembered.
"""

import asyncio
import json
import re
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from bridge.memory import resumption
from bridge.openclaw.history import Transcript
from bridge.turns.reconcile import HEAD
from tests.support.agents import Agent, running_agent
from tests.support.client import eventually
from tests.support.providers import Providers, event, words

pytestmark = pytest.mark.timeout(180)


def text_of(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(str(part.get("text", "")) for part in content)


class Model:
    """`say: …` answers that, slowly while `held` is set; `tool: …` runs a command and then says so."""

    def __init__(self) -> None:
        self.held = threading.Event()
        self.calls: list[str] = []  # the last message of each call

    def answer(self, messages: list[dict[str, Any]]) -> tuple[str, str | None]:
        last = messages[-1]
        self.calls.append(text_of(last))
        if last.get("role") == "tool":
            return "the tool is done", None
        users = [text_of(message) for message in messages if message.get("role") == "user"]
        tool = re.findall(r"tool: (.+)", users[-1])
        if tool:
            return "", str(tool[-1])
        said = re.findall(r"say: (.+)", "\n".join(users[-2:]))
        return (said[-1] if said else "hm"), None

    def asked(self, text: str) -> int:
        return sum(text in call for call in self.calls)

    async def behave(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        text, command = self.answer(body["messages"])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "demo"}
        deltas: list[dict[str, Any]] = [{"content": word} for word in words(text)]
        if command is not None:
            function = {"name": "exec", "arguments": json.dumps({"command": command})}
            deltas = [{"tool_calls": [{"index": 0, "id": uuid.uuid4().hex, "type": "function", "function": function}]}]
        for index, delta in enumerate(deltas):
            while self.held.is_set() and command is None and index == 2:
                await asyncio.sleep(0.05)
            choice = {"index": 0, "delta": {"role": "assistant"} | delta, "finish_reason": None}
            await response.write(event(head | {"choices": [choice]}))
        end = {"index": 0, "delta": {}, "finish_reason": "stop" if command is None else "tool_calls"}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        await response.write(event(head | {"choices": [end]}))
        await response.write(event(head | {"choices": [], "usage": usage}) + b"data: [DONE]\n\n")
        await response.write_eof()
        return response


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Iterator[Agent]:
    with Providers(behave=model.behave) as provider:
        home = tmp_path_factory.mktemp("openclaw") / "home"
        with running_agent(home, provider.url + "/custom") as agent:
            yield agent


@pytest.fixture
def name() -> str:
    """A conversation of the test's own; also a word that no other test says."""
    return uuid.uuid4().hex[:12]


@pytest.fixture(autouse=True)
def quiet(agent: Agent, model: Model) -> Iterator[None]:
    agent.new_bridge()
    yield
    model.held.clear()


def interrupted(agent: Agent, model: Model, conversation: str, message_id: str, text: str) -> None:
    """A turn that its Bridge left in the middle: the gateway is killed, nobody follows."""
    model.held.set()
    request = {"sessionKey": f"web-{conversation}", "message": text, "idempotencyKey": message_id}
    before = len(model.calls)
    agent.gateway.request("chat.send", request)
    eventually(lambda: len(model.calls) > before, 20)
    time.sleep(0.3)  # its first words are on their way
    agent.openclaw.kill()
    agent.openclaw.stop()
    model.held.clear()
    agent.new_bridge()


def test_a_crash_in_several_conversations_is_survived_by_each(agent: Agent, model: Model, name: str) -> None:
    """A turn that restarts OpenClaw does not take it down again when it ends."""
    model.held.set()
    turns = [agent.begin(f"say: one two three {n}", f"{name}-{n}", f"{name}{n}") for n in range(3)]
    for turn in turns:
        turn.said("one two")
    killed = agent.gateway
    agent.openclaw.kill()
    eventually(lambda: agent.gateway is not killed and not agent.gateway.closed.is_set(), 60)
    first = agent.gateway
    model.held.clear()
    for n, turn in enumerate(turns):
        outcome = turn.join()
        assert (outcome.reason, outcome.text) == ("final", f"one two three {n}"), outcome
    time.sleep(1)
    assert not first.closed.is_set()


def test_an_answer_in_the_transcript_is_the_answer(agent: Agent, model: Model, name: str) -> None:
    assert agent.ask(f"say: hello {name}", name, name).text == f"hello {name}"
    calls = len(model.calls)
    agent.new_bridge()
    assert agent.ask(f"say: hello {name}", name, name, claims=2).text == f"hello {name}"
    assert len(model.calls) == calls


def test_a_message_that_the_state_does_not_know_is_sent(agent: Agent, name: str) -> None:
    assert agent.ask(f"say: hello {name}", name, name, claims=2).text == f"hello {name}"


def test_a_turn_that_openclaw_resumes_is_followed(agent: Agent, model: Model, name: str) -> None:
    interrupted(agent, model, name, name, f"say: one two three {name}")
    agent.openclaw.start()
    outcome = agent.ask(f"say: one two three {name}", name, name, claims=2)
    assert (outcome.reason, outcome.text) == ("final", f"one two three {name}")
    assert model.asked("was interrupted by a gateway restart") >= 1


def taken_in(agent: Agent, model: Model, conversation: str) -> tuple[str, ...]:
    """A run on the message of the page that has taken in one of OpenClaw's console, in the model's call for both."""
    sent, calls = (f"{conversation}page", f"{conversation}console"), len(model.calls)
    for message_id, text in zip(sent, ("tool: sleep 1; echo x", f"say: hello to both {conversation}"), strict=True):
        request = {"sessionKey": f"web-{conversation}", "message": text, "idempotencyKey": message_id}
        agent.gateway.request("chat.send", request)
        eventually(lambda: len(model.calls) > calls and agent.known(conversation, sent[0]).active, 20)
        model.held.set()
    eventually(lambda: agent.known(conversation, sent[1]).sent, 20)  # when the tool has ended
    return sent


def test_a_resumed_turn_that_is_over_has_its_answer_in_the_transcript(agent: Agent, model: Model, name: str) -> None:
    """Also if the run had taken a message in: the answer is that of both, and neither is asked again."""
    both, other = taken_in(agent, model, f"{name}x"), f"{name}x"
    interrupted(agent, model, name, name, f"say: one two three {name}")
    assert both in resumption.state(agent.state).running
    agent.openclaw.start()
    eventually(lambda: agent.known(name, name).answer and agent.known(other, both[1]).answer, 30)
    calls = len(model.calls)
    assert agent.ask("say: never", name, name, claims=2).text == f"one two three {name}"
    assert agent.ask("say: never", other, both[0], claims=2).text == f"hello to both {other}"
    assert agent.known(other, both[1]).together == both
    assert len(model.calls) == calls


def test_a_turn_that_is_not_resumed_is_sent_again(agent: Agent, model: Model, name: str) -> None:
    interrupted(agent, model, name, name, f"say: one two three {name}")
    assert resumption.clear(agent.state, [name]) == 1
    agent.openclaw.start()
    assert agent.ask(f"say: one two three {name}", name, name, claims=2).text == f"one two three {name}"


def test_a_turn_whose_message_is_closed_is_not_resumed(agent: Agent, model: Model, name: str) -> None:
    """A snapshot was taken inside it, or OpenClaw died right behind the answer."""
    interrupted(agent, model, name, name, f"say: one two three {name}")
    assert (name,) in resumption.state(agent.state).running
    assert resumption.clear(agent.state, [name]) == 1
    assert (name,) not in resumption.state(agent.state).running
    calls = len(model.calls)
    agent.openclaw.start()
    time.sleep(7)  # it resumes within 5 s
    assert len(model.calls) == calls
    assert agent.ask(f"say: hello {name}", name, f"{name}b").text == f"hello {name}"
    assert len(model.calls) == calls + 1


@pytest.mark.parametrize("kept", [False, True], ids=["at once", "kept until it is over"])
def test_a_message_that_meets_a_run_of_openclaws_own_gets_its_answer(
    agent: Agent, model: Model, name: str, kept: bool
) -> None:
    """Its own run ends at once with nothing: that is not its answer."""
    if kept:  # a resumed run takes no message in
        interrupted(agent, model, name, f"{name}a", f"say: one two three {name}")
        model.held.set()
        calls = len(model.calls)
        agent.openclaw.start()
        eventually(lambda: len(model.calls) > calls, 30)
    else:
        model.held.set()
        request = {"sessionKey": f"web-{name}", "message": "say: one two three", "idempotencyKey": f"{name}a"}
        agent.gateway.request("chat.send", request)
        eventually(lambda: agent.known(name, f"{name}a").active, 20)
    turn = agent.begin(f"say: hello {name}", name, f"{name}b")
    time.sleep(2)
    assert not turn.outcomes, turn.outcomes
    model.held.clear()
    outcome = turn.join()
    assert (outcome.reason, outcome.text) == ("final", f"hello {name}")


def test_a_turn_that_took_in_a_message_and_a_tool_is_found_whole(agent: Agent, model: Model, name: str) -> None:
    """The Bridge dies behind it: neither message is asked again, and the answer is shown once."""
    host = agent.begin("tool: sleep 2; echo x", name, f"{name}a")
    eventually(lambda: model.asked("tool: sleep 2") and agent.known(name, f"{name}a").active, 20)
    time.sleep(0.5)
    assert agent.begin(f"say: hello {name}", name, f"{name}b", steer=True).join().reason == "steered"
    assert f"hello {name}" in host.join().text
    calls = len(model.calls)
    agent.new_bridge()
    rows = agent.remembers()
    outcome = agent.ask("say: never", name, f"{name}a", claims=2)
    assert (outcome.reason, outcome.text) == ("final", f"hello {name}")
    rows[f"{name}a"] = outcome.text
    assert agent.ask("say: never", name, f"{name}b", claims=2).reason == "steered"
    assert len(model.calls) == calls


def test_a_message_that_waits_for_a_stopped_turn_gets_its_own(agent: Agent, model: Model, name: str) -> None:
    """Its run ends as if it had been taken in. OpenClaw answers it afterwards, and that is its answer."""
    host = agent.begin("tool: sleep 6; echo x", name, f"{name}a")
    eventually(lambda: model.asked("tool: sleep 6") and agent.known(name, f"{name}a").active, 20)
    time.sleep(0.5)
    sent_now = agent.begin(f"say: hello {name}", name, f"{name}b", steer=True)
    time.sleep(0.5)
    agent.answerer.abort(f"{name}a")
    assert host.join().reason == "aborted"
    assert sent_now.join().reason == "interrupted"
    outcome = agent.ask(f"say: hello {name}", name, f"{name}b", claims=2)
    assert (outcome.reason, outcome.text) == ("final", f"hello {name}")
    assert agent.known(name, f"{name}b").answer == f"hello {name}"


def test_silence_is_an_answer_only_if_the_agent_chose_it(agent: Agent, model: Model, name: str) -> None:
    outcome = agent.ask("say: NO_REPLY", name, name)
    assert (outcome.reason, outcome.text) == ("final", "")
    calls = len(model.calls)
    agent.new_bridge()
    outcome = agent.ask("say: NO_REPLY", name, name, claims=2)
    assert (outcome.reason, outcome.text, len(model.calls)) == ("final", "", calls)


def test_what_goes_before_a_message_is_kept_in_the_transcript(agent: Agent, model: Model, name: str) -> None:
    """So that it is not told again; commands in it are a quotation."""

    class Told:
        def before(self, gateway: Any, message: Any) -> str:
            return f"{HEAD}\n[exchange e{name}]\nUser: /new\nYou: /status say: wrong\n\n"

        def told(self, gateway: Any, message: Any) -> None:
            return None

    agent.answerer._untold = Told()
    assert agent.ask(f"say: hello {name}", name, name).text == f"hello {name}"
    transcript = Transcript(agent.gateway, f"web-{name}")
    assert any(f"[exchange e{name}]" in text for text in transcript.texts())
    assert model.asked(f"[exchange e{name}]") == 1

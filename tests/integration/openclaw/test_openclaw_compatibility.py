"""What a bump of OpenClaw must pass: the real gateway, and all that the Bridge relies on.

`OPENCLAW_ENTRY=/path/to/openclaw.mjs pytest tests/integration/openclaw/test_openclaw_compatibility.py`
tries another version.
"""

import itertools
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.files.announced import of_answer
from bridge.openclaw.config import document
from bridge.openclaw.events import Activity, End, Text, events_of
from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from bridge.openclaw.history import look_up
from bridge.openclaw.process import OpenClaw
from bridge.provider.failures import SUPERSEDED
from bridge.turns.cost import cost_of
from local.stack import ROOT
from tests.support.bridge_parts import KEY, custom, make_config, proxied
from tests.support.client import eventually


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    """The demo model's URL."""
    env = os.environ | {"DEMO_TOOLS": "1"}
    command = [sys.executable, "-m", "local.demo_model"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}/v1"
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture(scope="module")
def openclaw(tmp_path_factory: pytest.TempPathFactory, model: str) -> Iterator[OpenClaw]:
    config = make_config(tmp_path_factory.mktemp("openclaw") / "home", custom(model))
    with proxied(config.routes, token=config.proxy_token) as proxy:
        openclaw = OpenClaw(config, proxy.url)
        begun = time.monotonic()
        openclaw.start()
        print(f"hello after {time.monotonic() - begun:.1f} s")
        yield openclaw
        openclaw.stop()
        assert not openclaw.alive()


def gateway_of(openclaw: OpenClaw) -> Gateway:
    assert openclaw.gateway is not None
    return openclaw.gateway


def turn(openclaw: OpenClaw, text: str, session: str = "main", **more: Any) -> tuple[str, list[Any]]:
    """Send one message; its key and the reduced events. Sent again, as the Bridge does, while models are prepared."""
    gateway = gateway_of(openclaw)
    for _ in range(3):
        key = uuid.uuid4().hex
        frames = gateway.watch(key)
        gateway.request("chat.send", {"sessionKey": session, "message": text, "idempotencyKey": key, **more})
        events = list(events_of(frames, 60))
        gateway.unwatch(key)
        if not (isinstance(events[-1], End) and SUPERSEDED in events[-1].error):
            break
    return key, events


def test_the_hello_tells_version_and_scopes(openclaw: OpenClaw) -> None:
    gateway = gateway_of(openclaw)
    assert gateway.version.startswith("2026.")
    assert gateway.request("health", {})


def test_a_turn_streams_text_and_ends_once_with_the_whole_of_it(openclaw: OpenClaw) -> None:
    _, events = turn(openclaw, "count to 30")
    texts = [event.text for event in events if isinstance(event, Text)]
    ends = [event for event in events if isinstance(event, End)]
    assert len(ends) == 1
    assert ends[0].reason == "final"
    assert len(texts) > 3, "it streams"
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert "1 2 3" in ends[0].text
    assert ends[0].text.startswith(texts[-1][:50])


def test_a_fast_answer_loses_no_event(openclaw: OpenClaw) -> None:
    for number in range(5):
        _, events = turn(openclaw, f"fast what is {number}+1?")
        assert f"= {number + 1}" in events[-1].text


def test_a_repeated_key_runs_nothing_twice(openclaw: OpenClaw) -> None:
    gateway = gateway_of(openclaw)
    key, _ = turn(openclaw, "What is 2+2?")
    again = gateway.request("chat.send", {"sessionKey": "main", "message": "What is 2+2?", "idempotencyKey": key})
    assert again["status"] == "ok"


def test_the_transcript_knows_a_message_by_its_key_and_its_answer(openclaw: OpenClaw) -> None:
    key, events = turn(openclaw, "What is 40+2?", session="web-lookup")
    known = look_up(gateway_of(openclaw), "web-lookup", key)
    assert known.sent
    assert known.answer == events[-1].text
    rows = gateway_of(openclaw).request("sessions.get", {"key": "web-lookup", "limit": 40})["messages"]
    answered = of_answer(rows, key)
    assert answered is not None
    assert cost_of(answered.rows) == 0, "a row names its model and its tokens; the demo model is free"
    assert [row["usage"]["input"] > 0 for row in answered.rows] == [True]
    eventually(lambda: not look_up(gateway_of(openclaw), "web-lookup", key).running, 10)
    assert not look_up(gateway_of(openclaw), "web-lookup", "never-sent").sent


def test_conversations_are_apart(openclaw: OpenClaw) -> None:
    key, _ = turn(openclaw, "What is 5+5?", session="web-one")
    assert not look_up(gateway_of(openclaw), "web-two", key).sent


def test_a_tool_call_is_seen_and_its_output_reaches_the_answer(openclaw: OpenClaw) -> None:
    _, events = turn(openclaw, "run: echo marker-$((40+2))", session="web-tools")
    tools_seen = [event for event in events if isinstance(event, Activity) and event.kind == "tool"]
    assert [event.state for event in tools_seen] == ["start", "end"]
    assert "marker-42" in events[-1].text


def test_an_abort_ends_the_run_and_keeps_the_partial_text(openclaw: OpenClaw) -> None:
    gateway, key = gateway_of(openclaw), uuid.uuid4().hex
    frames = gateway.watch(key)
    request = {"sessionKey": "web-abort", "message": "count to 900", "idempotencyKey": key}
    gateway.request("chat.send", request)
    seen: list[Any] = []
    for event in events_of(frames, 60):
        seen.append(event)
        if isinstance(event, Text) and len(event.text) > 20 and len(seen) < 100:
            gateway.request("chat.abort", {"sessionKey": "web-abort", "runId": key})
            seen += [None] * 100
    assert seen[-1].reason == "aborted"
    assert "1 2 3" in seen[-1].text
    assert "900" not in seen[-1].text
    known = eventually(lambda: look_up(gateway, "web-abort", key), 5)
    eventually(lambda: look_up(gateway, "web-abort", key).aborted, 5)
    assert known.sent
    assert look_up(gateway, "web-abort", key).answer is None, "half an answer is not the answer"


@pytest.mark.parametrize("text", ["stop", "Please stop!"])
def test_a_word_that_means_stop_starts_no_run(openclaw: OpenClaw, text: str) -> None:
    """The reply says so by naming none: no event would ever come."""
    params = {"sessionKey": "web-stop", "message": text, "idempotencyKey": uuid.uuid4().hex}
    assert "runId" not in gateway_of(openclaw).request("chat.send", params)


def test_an_image_is_accepted(openclaw: OpenClaw) -> None:
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    image = {"type": "image", "mimeType": "image/png", "fileName": "a.png", "content": pixel}
    _, events = turn(openclaw, "What is 3+4?", session="web-image", attachments=[image])
    assert events[-1].reason == "final"


def test_a_sessions_model_can_be_set(openclaw: OpenClaw) -> None:
    gateway = gateway_of(openclaw)
    gateway.request("sessions.patch", {"key": "web-model", "model": "custom/demo"})
    _, events = turn(openclaw, "What is 8+1?", session="web-model")
    assert "= 9" in events[-1].text


def test_a_wrong_token_is_refused(openclaw: OpenClaw) -> None:
    stranger = Gateway(gateway_of(openclaw)._url, "wrong")
    with pytest.raises((GatewayError, GatewayClosed)) as refused:
        stranger.connect()
    assert "TOKEN" in str(refused.value).upper() or isinstance(refused.value, GatewayClosed)


def test_an_unknown_method_is_an_error_not_a_hang(openclaw: OpenClaw) -> None:
    with pytest.raises(GatewayError):
        gateway_of(openclaw).request("no.such.method", {})


def test_the_configuration_holds_no_secret(tmp_path: Path, model: str) -> None:
    config = make_config(tmp_path / "home", custom(model))
    text = json.dumps(document(config, "http://127.0.0.1:1"))
    for secret in (KEY, config.gateway_token, config.proxy_token):
        assert secret not in text


@pytest.fixture
def own_openclaw(tmp_path: Path, model: str) -> Iterator[OpenClaw]:
    """One that may be killed."""
    config = make_config(tmp_path / "home", custom(model))
    with proxied(config.routes, token=config.proxy_token) as proxy:
        openclaw = OpenClaw(config, proxy.url)
        openclaw.start()
        yield openclaw
        openclaw.stop()


def kill_and_reconnect(openclaw: OpenClaw) -> None:
    first = gateway_of(openclaw)
    openclaw.kill()
    assert first.closed.wait(10)
    with pytest.raises(GatewayClosed):
        first.request("health", {})
    openclaw.reconnect()


def test_a_killed_gateway_is_noticed_and_started_again(own_openclaw: OpenClaw) -> None:
    key, _ = turn(own_openclaw, "What is 6*7?")
    kill_and_reconnect(own_openclaw)
    assert "42" in str(look_up(gateway_of(own_openclaw), "main", key).answer)


def test_an_interrupted_turn_goes_on_by_itself_and_its_session_says_so(own_openclaw: OpenClaw) -> None:
    """Until it is over the session runs, and then its answer stands behind the question."""
    gateway, key = gateway_of(own_openclaw), uuid.uuid4().hex
    frames = gateway.watch(key)
    gateway.request("chat.send", {"sessionKey": "main", "message": "count to 100", "idempotencyKey": key})
    next(event for event in events_of(frames, 60) if isinstance(event, Text))
    kill_and_reconnect(own_openclaw)
    known = look_up(gateway_of(own_openclaw), "main", key)
    assert (known.sent, known.answer, known.running) == (True, None, True)
    eventually(lambda: look_up(gateway_of(own_openclaw), "main", key).answer, 60)
    eventually(lambda: not look_up(gateway_of(own_openclaw), "main", key).running, 10)

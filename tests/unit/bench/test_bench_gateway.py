"""The gateway that stands in for OpenClaw in benchmarks says nothing that the real one does not say.

test_bench_gateway.json holds which fields the frames of the real gateway's turns have; it was
recorded from two turns of the version it names.
"""

import json
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.bridge import scripted
from bench.stamps import ECHO, ask, stamps
from bridge.openclaw.events import End, Text, events_of
from bridge.openclaw.gateway import Gateway, GatewayError
from bridge.openclaw.history import look_up

Json = dict[str, Any]
RECORDED: dict[str, dict[str, list[str]]] = json.loads(Path(__file__).with_suffix(".json").read_text())["kinds"]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with scripted(tmp_path) as gateway:
        yield gateway
        gateway.close()


def send(gateway: Gateway, text: str, key: str) -> "queue.Queue[Json]":
    frames = gateway.watch(key)
    gateway.request("chat.send", {"sessionKey": "main", "message": text, "idempotencyKey": key})
    return frames


def test_its_frames_have_the_fields_of_the_real_ones(gateway: Gateway) -> None:
    frames, seen = send(gateway, ask(3, 0), "key-0001"), set()
    while "chat final" not in seen:
        frame = frames.get(timeout=10)
        payload = frame["payload"]
        kind = f"{frame['event']} {payload.get('stream') or payload.get('state')}"
        seen.add(kind)
        assert kind in RECORDED
        assert set(payload) <= set(RECORDED[kind]["payload"]), kind
        assert set(payload.get("data") or {}) <= set(RECORDED[kind].get("data", [])), kind
        assert set(payload.get("message") or {}) <= set(RECORDED[kind].get("message", [])), kind
    assert {"chat status", "chat delta", "agent assistant", "agent lifecycle", "chat final"} <= seen


def test_the_bridge_reads_a_turn_of_it(gateway: Gateway) -> None:
    events = list(events_of(send(gateway, ask(5, 1, "token42"), "key-0001"), 10))
    texts = [event.text for event in events if isinstance(event, Text)]
    assert len(texts) == 6
    assert isinstance(events[-1], End)
    assert events[-1].reason == "final"
    assert events[-1].text == texts[-1]
    assert events[-1].text.endswith(f"{ECHO}token42.")
    first, last = stamps(events[-1].text)
    assert first < last < time.monotonic(), "one clock for all processes"
    assert look_up(gateway, "main", "key-0001").answer == events[-1].text


def test_a_repeated_key_runs_nothing_twice(gateway: Gateway) -> None:
    list(events_of(send(gateway, "hello", "key-0001"), 10))
    again = gateway.request("chat.send", {"sessionKey": "main", "message": "hello", "idempotencyKey": "key-0001"})
    assert again["status"] == "ok"


def test_an_abort_ends_the_run(gateway: Gateway) -> None:
    frames = send(gateway, ask(1000, 10), "key-0001")
    gateway.request("chat.abort", {"sessionKey": "main", "runId": "key-0001"})
    assert list(events_of(frames, 10))[-1].reason == "aborted"  # type: ignore[union-attr]
    assert look_up(gateway, "main", "key-0001").aborted


def test_an_unknown_method_is_refused(gateway: Gateway) -> None:
    with pytest.raises(GatewayError):
        gateway.request("no.such.method", {})


def test_an_unanswered_turn_is_resumed_after_a_restart(tmp_path: Path) -> None:
    with scripted(tmp_path) as first:
        send(first, ask(1000, 10), "key-0001")
    strays: queue.Queue[Json] = queue.Queue()
    with scripted(tmp_path, strays.put) as second:
        assert strays.get(timeout=10)["payload"]["sessionKey"] == "agent:main:main"
        second.close()

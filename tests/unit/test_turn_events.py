"""A run's events, as recorded from OpenClaw 2026.9.1, reduced to text, activity and an end."""

import queue
from typing import Any

import pytest

from bridge.gateway import CLOSED, GatewayClosed
from bridge.turn_events import Activity, End, Reducer, SilentRun, Text, events_of


def chat(state: str, text: str = "", **more: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": text}]
    message = {"message": {"role": "assistant", "content": content}} if text else {}
    return {"event": "chat", "payload": {"runId": "r", "state": state, **message, **more}}


def agent(stream: str, **data: Any) -> dict[str, Any]:
    return {"event": "agent", "payload": {"runId": "r", "stream": stream, "data": data}}


def feed(*frames: dict[str, Any]) -> list[Any]:
    inbox: queue.Queue[dict[str, Any]] = queue.Queue()
    for frame in frames:
        inbox.put(frame)
    return list(events_of(inbox, 0.1))


def test_a_plain_answer() -> None:
    events = feed(
        chat("status", phase="starting_model"),
        agent("run_status", phase="starting_model"),
        agent("assistant", text="Hel", delta="Hel", itemId="a:1"),
        chat("delta", "Hel"),
        agent("assistant", text="Hello", delta="lo", itemId="a:1"),
        chat("delta", "Hello"),
        agent("usage", outputTokens=2),
        chat("final", "Hello", stopReason="stop"),
    )
    assert events == [Activity("thinking"), Text("Hel"), Text("Hello"), End("final", "Hello")]


def test_text_starts_anew_after_a_tool_and_is_joined() -> None:
    reducer = Reducer()
    reducer.feed(agent("assistant", text="First.", itemId="a:1"))
    assert reducer.feed(agent("tool", phase="start", name="exec")) == Activity("tool", "exec", "start")
    assert reducer.feed(agent("tool", phase="update", name="exec")) is None
    assert reducer.feed(agent("tool", phase="result", name="exec")) == Activity("tool", "exec", "end")
    assert reducer.feed(agent("assistant", text="Then", itemId="b:2")) == Text("First.\n\nThen")


def test_a_protocol_without_the_assistant_stream_is_read_from_its_deltas() -> None:
    assert feed(chat("delta", "Hi"), chat("final", "Hi there"))[:1] == [Text("Hi")]


def test_a_final_without_text_keeps_what_was_streamed() -> None:
    assert feed(agent("assistant", text="Hi", itemId="a"), chat("final"))[-1] == End("final", "Hi")


def test_an_abort_keeps_the_partial_answer() -> None:
    assert feed(agent("assistant", text="Half", itemId="a"), chat("aborted", "Half"))[-1] == End("aborted", "Half")


def test_an_abort_takes_nothing_back_that_was_shown() -> None:
    """The text that comes with the abort may be behind the deltas."""
    events = feed(agent("assistant", text="1 2 3", itemId="a"), chat("aborted", "1", stopReason="rpc"))
    assert events[-1] == End("aborted", "1 2 3")


def test_a_provider_error_ends_the_run_with_its_text() -> None:
    assert feed(chat("error", errorMessage="429 from the provider"))[-1] == End("error", "", "429 from the provider")


def test_what_goes_into_a_frame_beside_the_text_has_an_end() -> None:
    """A provider may answer with a whole page, a model may call a tool by any name."""
    events = feed(agent("tool", phase="start", name="x" * 200_000), chat("error", errorMessage="x" * 200_000))
    assert events == [Activity("tool", "x" * 100, "start"), End("error", "", "x" * 2_000)]


def test_a_closed_link_and_silence_are_told_apart() -> None:
    with pytest.raises(GatewayClosed):
        feed(agent("assistant", text="Half", itemId="a"), CLOSED)
    with pytest.raises(SilentRun):
        feed(agent("assistant", text="Half", itemId="a"))

"""A run's events, as recorded from OpenClaw 2026.9.1, reduced to text, activity and an end."""

import queue
from typing import Any

import pytest

from bridge.openclaw.events import Activity, End, Reducer, SilentRun, Text, Thought, events_of
from bridge.openclaw.gateway import CLOSED, GatewayClosed
from bridge.provider.failures import Failure


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


def test_a_thought_is_no_text_of_the_answer() -> None:
    """One that the provider encrypts comes with OpenClaw's own words in its place."""
    events = feed(
        agent("thinking", text="Hm", delta="Hm"),
        agent("thinking", text="[Reasoning redacted]", delta="[Reasoning redacted]"),
        agent("thinking"),
        chat("final", "Hello", stopReason="stop"),
    )
    assert events == [Thought("Hm"), Thought(""), Thought(""), End("final", "Hello")]


def test_whatever_a_run_sends_is_a_sign_of_life() -> None:
    """A tool that prints for ten minutes is not silent, though nothing of it is shown."""
    reducer = Reducer()
    reducer.heard = 0
    assert reducer.feed(agent("tool", phase="update", name="exec")) is None
    assert reducer.heard > 0


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


def test_the_parts_of_an_answer_stay_paragraphs_when_it_ends() -> None:
    """OpenClaw's final text joins them with nothing (2026.9.1)."""
    events = feed(
        agent("assistant", text="I will write.", itemId="a:1"),
        agent("item", kind="preamble", phase="update", progressText="I will write.", itemId="commentary-0-x"),
        agent("tool", phase="start", name="exec"),
        agent("assistant", text="Now a chart.", itemId="a:2"),
        agent("tool", phase="start", name="exec"),
        agent("assistant", text="Done", itemId="a:3"),
        chat("final", "I will write.Now a chart.Done."),
    )
    assert events[-1] == End("final", "I will write.\n\nNow a chart.\n\nDone.")


def test_what_claude_says_before_a_tool_call_is_shown_and_kept() -> None:
    """It comes as a preamble and is in no final text."""
    events = feed(
        agent("item", kind="preamble", phase="update", progressText="I will", itemId="commentary-0-x"),
        agent("item", kind="preamble", phase="end", progressText="I will write.", itemId="commentary-0-x"),
        agent("item", kind="tool", phase="start", itemId="tool:1"),
        agent("item", kind="preamble", phase="end", progressText="I will write.", itemId="commentary-0-y"),
        agent("assistant", text="Done.", itemId="a:3"),
        chat("final", "Done."),
    )
    texts = [event.text for event in events if isinstance(event, Text)]
    assert texts[:2] == ["I will", "I will write."]
    assert events[-1] == End("final", "I will write.\n\nI will write.\n\nDone.")


def test_a_resumed_run_goes_on_from_what_was_said_before_it() -> None:
    frames: queue.Queue[dict[str, Any]] = queue.Queue()
    for frame in (agent("assistant", text="Then", itemId="b:1"), chat("final", "Then this.")):
        frames.put(frame)
    assert [event.text for event in events_of(frames, 0.1, Reducer("First.")) if isinstance(event, Text | End)] == [
        "First.\n\nThen",
        "First.\n\nThen this.",
    ]


def test_a_failed_run_names_every_model_that_was_tried() -> None:
    step = {
        "phase": "fallback_step",
        "fallbackStepFromModel": "custom/demo",
        "fallbackStepFromFailureReason": "billing",
        "fallbackStepFromFailureDetail": "402 Insufficient Balance",
    }
    detail = {"provider": "custom", "model": "demo", "failoverReason": "billing"}
    failed = chat("error", errorMessage="no", errorDetail=detail)
    (with_step,) = feed(agent("lifecycle", **step), failed)
    assert with_step.failures == (Failure("custom", "demo", "billing", "402 Insufficient Balance"),)
    assert feed(failed)[0].failures == (Failure("custom", "demo", "billing"),)


def test_a_run_that_is_followed_from_its_middle_does_not_say_its_beginning_twice() -> None:
    """The first event of its item was missed, the delta beside it was not."""
    events = feed(chat("delta", "I"), agent("assistant", text="I have", itemId="a:1"), chat("final", "I have it."))
    assert [event.text for event in events if not isinstance(event, Activity)] == ["I", "I have", "I have it."]

"""What a model thought: kept with the answer, bounded, and without what its provider does not show."""

from typing import Any

from bridge.turns.delivery import THOUGHT_LENGTH, Delivery, Run, Stream
from bridge.turns.replay import replay
from bridge.turns.thinking import THINKING_BYTES, thinking_of
from tests.support.fakes import FakeConnections, FakePost

Json = dict[str, Any]


def row(*blocks: Any) -> Json:
    return {"role": "assistant", "content": list(blocks)}


def thought(text: Any, **more: Any) -> Json:
    return {"type": "thinking", "thinking": text, "thinkingSignature": "c2lnbmVk"} | more


SAID = {"type": "text", "text": "Good morning."}
REDACTED = thought("[Reasoning redacted]", redacted=True)


def test_the_thoughts_of_an_answer_in_order() -> None:
    rows = [row(thought("First. "), {"type": "toolCall"}), row(thought("Then."), SAID)]
    assert thinking_of(rows) == {"text": "First.\n\nThen."}


def test_what_the_provider_does_not_show() -> None:
    """A part that is missing is said. Where nothing is shown there is no thinking; a signature is never shown."""
    assert thinking_of([row(thought("A part."), REDACTED)]) == {"text": "A part.", "hidden": True}
    assert thinking_of([row(REDACTED, SAID)]) is None
    assert thinking_of([row(thought(""), thought(None), SAID)]) is None


def test_odd_rows_do_no_harm() -> None:
    odd: list[Json] = [{}, {"content": "text"}, {"content": None}, row(None, "x", 5, thought({"a": 1}))]
    assert thinking_of(odd) == {"text": "{'a': 1}"}
    found = thinking_of([row(thought("half \ud800 a pair"))])
    assert found is not None
    found["text"].encode()


def test_a_long_thought_is_cut_and_says_so() -> None:
    found = thinking_of([row(thought("생각" * THINKING_BYTES))])
    assert found is not None
    assert found["cut"] is True
    assert THINKING_BYTES - 3 < len(found["text"].encode()) <= THINKING_BYTES


def test_a_thought_is_told_once_a_second_at_most_and_only_its_end() -> None:
    """Every frame replaces the one before it. A tab that comes late gets the latest."""
    run = Run("r", "m", "main")
    connections, post = FakeConnections(), FakePost()
    delivery = Delivery("ann", connections, post)  # type: ignore[arg-type]
    delivery.join("a", "")
    stream = Stream(run, delivery)
    for length in range(1, 50):
        stream.think("hm " * length * 100)
    delivery.flush(5)
    assert [frame["type"] for _, frame in post.frames] == ["thinking"]
    [late] = replay(run, 0)
    assert (late["type"], late["runId"], late["text"][:2]) == ("thinking", "r", "… ")
    assert len(late["text"]) == THOUGHT_LENGTH + 2

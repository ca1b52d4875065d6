"""How an answer reaches the tabs."""

import itertools
import threading
import time
from collections.abc import Callable

import pytest

from bridge.turns import delivery as pacing
from bridge.turns.delivery import BEGIN_SECONDS, FRAME_GAP, STEADY_GAP, Delivery, Run, Stream
from bridge.turns.replay import replay
from bridge.turns.splitting import CHUNK_BYTES, split
from chalicelib.wire.connections import Connection
from chalicelib.wire.protocol import Frame, encode
from tests.support.fakes import FakeConnections, FakePost


def delivery_to(*tabs: str, post: FakePost | None = None) -> tuple[Delivery, FakePost, FakeConnections]:
    connections, post = FakeConnections(), post or FakePost()
    for tab in tabs:
        connections.rows[tab] = Connection(tab, "ann", "https://api")
    delivery = Delivery("ann", connections, post)  # type: ignore[arg-type]
    delivery.refresh()
    return delivery, post, connections


def run() -> Run:
    return Run("run-1", "message-1", "main")


def text(frames: list[Frame]) -> str:
    return "".join(frame["content"] for frame in frames if frame["type"] == "stream_chunk")


def test_a_fast_answer_is_coalesced_with_the_first_at_once() -> None:
    delivery, post, _ = delivery_to("tab")
    stream, begun = Stream(run(), delivery), time.monotonic()
    for count in range(1, 501):
        stream.update("word " * count)
        if count == 1:
            delivery.flush(1)
            assert stream._timer is None, "the first text waits for nothing"
            assert len(post.frames) == 1
        time.sleep(0.001)
    stream.finish({"reason": "final", "messageId": "m", "length": 2500})
    delivery.flush(2)
    frames = [frame for _, frame in post.frames]
    seconds = time.monotonic() - begun
    assert text(frames) == "word " * 500
    assert len(frames) <= seconds * 10 + 3
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    assert frames[-1]["type"] == "stream_end"


class Clock:
    """Time that only moves when a test moves it, with the one timer that a stream has."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        return self.now

    def timer(self, seconds: float, work: Callable[[], None]) -> "Clock.Timer":
        self.timers.append((self.now + seconds, work))
        return Clock.Timer(self)

    def run_to(self, moment: float) -> None:
        while self.timers and self.timers[0][0] <= moment:
            at, work = self.timers.pop(0)
            self.now = at
            work()
        self.now = moment

    class Timer:
        daemon = False

        def __init__(self, clock: "Clock") -> None:
            self._clock = clock

        def start(self) -> None:
            pass

        def cancel(self) -> None:
            self._clock.timers.clear()


class Listening:
    """A delivery that notes when each frame was sent."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.sent: list[tuple[float, Frame]] = []

    def everyone(self, frame: Frame) -> None:
        self.sent.append((self._clock.now, frame))


def streamed(monkeypatch: pytest.MonkeyPatch, times: list[float]) -> list[tuple[float, Frame]]:
    """Frames, by seconds after the first delta, of a text that grows by 28 characters (7 tokens) at each time."""
    clock = Clock()
    monkeypatch.setattr(pacing, "time", clock)
    monkeypatch.setattr(threading, "Timer", clock.timer)
    listening = Listening(clock)
    stream, start = Stream(run(), listening), clock.now  # type: ignore[arg-type]
    for count, moment in enumerate(times, 1):
        clock.run_to(start + moment)
        stream.update("x" * 28 * count)
    stream.finish({"reason": "final", "messageId": "m", "length": 28 * len(times)})
    return [(at - start, frame) for at, frame in listening.sent]


def test_frames_become_fewer_after_the_first_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """70 tokens a second for 8 s, in the gateway's ten deltas a second: 38 frames instead of 80."""
    sent = streamed(monkeypatch, [count / 10 for count in range(80)])
    chunks = [at for at, frame in sent if frame["type"] == "stream_chunk"]
    assert chunks[0] == 0, "the first words wait for nothing"
    gaps = [later - earlier for earlier, later in itertools.pairwise(chunks)]
    assert max(gap for at, gap in zip(chunks, gaps, strict=False) if at < BEGIN_SECONDS - FRAME_GAP) < FRAME_GAP + 0.02
    assert max(gaps) < STEADY_GAP + 0.02
    assert len(chunks) <= 38
    assert chunks[-1] == sent[-1][0] == pytest.approx(7.9), "the last words do not wait either"
    assert text([frame for _, frame in sent]) == "x" * 28 * 80


def test_what_is_said_after_a_silence_comes_as_fast_as_the_first_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool ran: somebody waits for what comes of it."""
    sent = streamed(monkeypatch, [*(count / 10 for count in range(30)), *(20 + count / 10 for count in range(5))])
    after = [at for at, frame in sent if at >= 20 and frame["type"] == "stream_chunk"]
    assert after == pytest.approx([20, 20.1, 20.2, 20.3, 20.4])


def test_a_timer_that_comes_after_an_update_has_sent_does_not_send_again_at_once() -> None:
    delivery, post, _ = delivery_to("tab")
    stream = Stream(run(), delivery)
    stream.update("a")
    stream.run.text = "ab"
    stream._late()
    delivery.flush(1)
    assert text([frame for _, frame in post.frames]) == "a"
    time.sleep(0.25)
    delivery.flush(1)
    assert text([frame for _, frame in post.frames]) == "ab"


def test_the_last_words_come_even_when_nothing_follows_them() -> None:
    delivery, post, _ = delivery_to("tab")
    stream = Stream(run(), delivery)
    stream.update("a")
    stream.update("ab")
    time.sleep(0.25)
    delivery.flush(1)
    assert text([frame for _, frame in post.frames]) == "ab"


@pytest.mark.parametrize("character", ["x", '"', "\\", "\n", "\x7f", "ü", "한", "😀", "\x01"])
def test_no_frame_is_over_32_kb_and_no_character_is_cut(character: str) -> None:
    whole = character * 40_000
    pieces = split(whole)
    assert "".join(pieces) == whole
    for piece in pieces:
        frame = run().head() | {"type": "stream_chunk", "fromSeq": 1, "seq": 1, "content": piece}
        assert len(encode(frame)) <= 32 * 1024
    assert CHUNK_BYTES < 32 * 1024


def test_a_closed_tab_costs_one_call_and_is_forgotten() -> None:
    delivery, post, connections = delivery_to("open", "closed")
    post.gone.add("closed")
    delivery.everyone({"type": "pong"})
    delivery.flush(1)
    delivery.everyone({"type": "pong"})
    delivery.flush(1)
    assert [tab for tab, _ in post.frames] == ["open", "open"]
    assert list(connections.rows) == ["open"]


class SlowPost(FakePost):
    """One tab with calls that hang until they are released."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def to(self, connection_id: str, endpoint: str, frame: Frame) -> None:
        if connection_id == "slow":
            self.release.wait(5)
        super().to(connection_id, endpoint, frame)


def test_a_slow_tab_delays_nobody_and_still_gets_everything_in_order() -> None:
    post = SlowPost()
    delivery, _, _ = delivery_to("slow", "quick", post=post)
    for number in range(5):
        delivery.everyone({"type": "stream_chunk", "content": str(number)})
    time.sleep(0.2)
    assert text([frame for tab, frame in post.frames if tab == "quick"]) == "01234"
    post.release.set()
    delivery.flush(2)
    assert text([frame for tab, frame in post.frames if tab == "slow"]) == "01234"


class FailingPost(FakePost):
    def to(self, connection_id: str, endpoint: str, frame: Frame) -> None:
        if connection_id == "broken":
            raise RuntimeError("throttled")
        super().to(connection_id, endpoint, frame)


def test_a_failing_tab_breaks_nothing_for_the_others() -> None:
    post = FailingPost()
    delivery, _, _ = delivery_to("broken", "fine", post=post)
    for _ in range(3):
        delivery.everyone({"type": "pong"})
    delivery.flush(1)
    assert len(post.frames) == 3


@pytest.mark.parametrize("seen", range(7))
def test_a_replay_is_exactly_what_was_missed(seen: int) -> None:
    delivery, post, _ = delivery_to("tab")
    one = run()
    stream = Stream(one, delivery)
    for count in range(1, 6):
        stream._last = 0
        stream.update("word " * count)
    delivery.flush(1)
    live = [frame for _, frame in post.frames]
    missed = replay(one, seen)
    assert text(live[:seen]) + text(missed) == "word " * 5
    if seen < 5:
        assert missed[0]["fromSeq"] == seen + 1
        assert missed[-1]["seq"] == 5
    stream.finish({"reason": "final", "messageId": "m", "length": 25})
    assert replay(one, seen)[-1]["type"] == "stream_end"


def test_a_text_that_is_not_what_was_sent_begins_anew_as_a_run_of_its_own() -> None:
    """OpenClaw crashed and goes on with the turn: the model says something else than before."""
    delivery, post, _ = delivery_to("tab")
    stream = Stream(run(), delivery)
    for said in ("It is", "It is five", "", "I", "I think", "I think five."):
        stream._last = 0
        stream.update(said)
    stream.finish({"reason": "final", "messageId": "m", "length": 13})
    delivery.flush(1)
    frames = [frame for _, frame in post.frames]
    before, after = (frames[:2], frames[2:])
    assert text(before) == "It is five"
    assert {frame["runId"] for frame in before} == {"run-1"}
    assert text(after) == "I think five."
    assert {frame["runId"] for frame in after} == {"run-1.anew"}
    assert [frame["seq"] for frame in after] == [1, 2, 3]
    assert {frame["replyTo"] for frame in frames} == {"message-1"}


def test_a_text_that_is_on_its_way_to_what_was_sent_is_waited_for() -> None:
    delivery, post, _ = delivery_to("tab")
    stream = Stream(run(), delivery)
    for said in ("1 2 3", "", "1", "1 2"):
        stream._last = 0
        stream.update(said)
    assert text(replay(stream.run, 0)) == "1 2 3", "whoever comes now sees what the others see"
    stream.update("1 2 3 4")
    stream.finish({"reason": "final", "messageId": "m", "length": 7})
    delivery.flush(1)
    assert text([frame for _, frame in post.frames]) == "1 2 3 4"
    assert {frame["runId"] for _, frame in post.frames} == {"run-1"}


def test_a_run_that_began_anew_is_replayed_from_its_beginning_to_who_knew_it_before() -> None:
    delivery, _, _ = delivery_to()
    stream = Stream(run(), delivery)
    for said in ("a", "ab", "x", "xy", "xyz"):
        stream._last = 0
        stream.update(said)
    one = stream.run
    assert (one.known_as("run-1"), one.known_as("run-1.anew"), one.known_as("run-2")) == (True, True, False)
    assert text(replay(one, 2, "run-1")) == "xyz"
    assert text(replay(one, 2, "run-1.anew")) == "z"


@pytest.mark.parametrize("character", ["x", '"', "\x01", "😀"])
def test_a_large_replay_is_split_into_frames_that_follow_each_other(character: str) -> None:
    delivery, _, _ = delivery_to()
    one = run()
    stream = Stream(one, delivery)
    for count in range(1, 11):
        stream._last = 0
        stream.update(character * 9_000 * count)
    frames = replay(one, 0)
    assert len(frames) > 1
    assert text(frames) == character * 90_000
    assert max(len(encode(frame)) for frame in frames) <= 32 * 1024
    for before, after in itertools.pairwise(frames):
        assert after["fromSeq"] == before["seq"] + 1

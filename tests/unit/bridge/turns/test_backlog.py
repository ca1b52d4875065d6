"""A tab that takes nothing for long: what waits for it stays small, and it misses nothing in the end."""

import threading
import time
from typing import Any

from bridge.turns.delivery import MOST_WAITING, Run, Stream
from bridge.turns.replay import replay
from bridge.turns.runs import KEPT_RUNS, Runs
from chalicelib.wire.protocol import Frame
from tests.support.fakes import FakePost
from tests.unit.bridge.turns.test_delivery import delivery_to, run, text


class StuckPost(FakePost):
    """The tab takes nothing until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def to(self, connection_id: str, endpoint: str, frame: Frame) -> None:
        self.release.wait(10)
        super().to(connection_id, endpoint, frame)


def seen(frames: list[Frame]) -> tuple[int, str]:
    """The last chunk before the first gap, and the text up to it: what a page shows (docs/protocol.md)."""
    last, shown = 0, ""
    for frame in frames:
        if frame["type"] == "stream_chunk" and frame["fromSeq"] == last + 1:
            last, shown = frame["seq"], shown + frame["content"]
    return last, shown


def test_frames_of_a_long_run_do_not_pile_up_and_are_made_good() -> None:
    post = StuckPost()
    delivery, _, _ = delivery_to("tab", post=post)
    stuck: Any = delivery._tabs["tab"]
    stream: Stream = Stream(run(), delivery)
    words = "word " * 40
    for count in range(1, 3 * MOST_WAITING):
        stream._last = 0.0  # as if a tenth of a second had passed
        stream.update(words * count)
        assert len(stuck._queue) <= MOST_WAITING
    delivery.everyone({"type": "notification", "title": "a reminder"})
    stream.finish({"reason": "final", "messageId": "m"})
    post.release.set()
    delivery.flush(5)
    frames = [frame for _, frame in post.frames]
    assert [frame["type"] for frame in frames][-2:] == ["notification", "stream_end"], "what no resume brings is kept"
    last, _ = seen(frames)
    assert frames[-1]["seq"] > last + 1, "the page sees the gap at the end at the latest, and asks"
    for frame in replay(stream.run, last, stream.run.run_id):
        delivery.one("tab", frame)
    delivery.flush(5)
    assert seen([frame for _, frame in post.frames])[1] == stream.run.text
    assert len(text(frames)) < len(stream.run.text), "something was left out"


def test_only_the_last_runs_are_kept_for_late_tabs_and_every_one_that_goes_on() -> None:
    delivery, _, _ = delivery_to("tab")
    runs = Runs(delivery, 1)
    made = [Run(f"run-{number}", f"m-{number}", "main") for number in range(3 * KEPT_RUNS)]
    for number, one in enumerate(made):
        one.end = None if number == 0 else {"type": "stream_end"}
        runs.remember(one)
    kept = [one for one in made if runs.find(one.run_id, None)]
    assert kept == [made[0], *made[-KEPT_RUNS + 1 :]]


def test_a_short_stall_leaves_nothing_out() -> None:
    post = StuckPost()
    delivery, _, _ = delivery_to("tab", post=post)
    stream = Stream(Run("run-1", "message-1", "main"), delivery)
    for count in range(1, 50):
        stream._last = 0.0
        stream.update("word " * count)
    post.release.set()
    delivery.flush(5)
    time.sleep(0.05)
    assert seen([frame for _, frame in post.frames])[1] == "word " * 49

"""A turn that breaks where nobody foresaw it: its message goes back with its back-off, told and not stuck."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from pynamodb.exceptions import UpdateError

from bridge.telegram.channel import Nowhere, never
from bridge.turns import worker as turns
from bridge.turns.claims import Identity
from bridge.turns.delivery import Delivery, Stream
from bridge.turns.outcome import Outcome
from bridge.turns.worker import Turns
from chalicelib.agents.tasks import LeaseLost
from chalicelib.messages.conversations import message_frame
from chalicelib.messages.inbox import BACK_OFF, Message
from chalicelib.wire.connections import Connection
from tests.support.fakes import FakeConnections, FakeConversations, FakePost
from tests.support.world import World


class Answerer:
    """Raises, or answers."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def answer(self, *_: Any) -> Outcome:
        if self.error is not None:
            raise self.error
        return Outcome("final", "hi", 0)


class Place:
    """A running task with one message in its inbox and one open tab."""

    def __init__(self, error: Exception | None) -> None:
        self.world = World()
        self.world.send()
        self.world.boot()
        connections, self.post = FakeConnections(), FakePost()
        connections.rows["tab"] = Connection("tab", "ann", "https://api")
        self.delivery = Delivery("ann", connections, self.post)  # type: ignore[arg-type]
        self.delivery.refresh()
        self.turns = Turns(
            Identity("ann", 1),
            self.world.inbox,  # type: ignore[arg-type]
            FakeConversations(),
            self.delivery,
            Answerer(error),  # type: ignore[arg-type]
        )

    def take(self) -> None:
        assert self.turns._take([self.world.inbox.waiting("ann")[0]])
        assert self.turns._joined(time.monotonic() + 10)
        self.delivery.flush(5)


class Speaking:
    """Answers at once."""

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        stream.update("1 2 3")
        return Outcome("final", "1 2 3", 0)


class SlowConnections(FakeConnections):
    def of_user(self, user_id: str) -> list[Connection]:
        time.sleep(0.2)
        return super().of_user(user_id)


def test_a_tab_that_was_just_opened_gets_the_first_words_too() -> None:
    """However long the table takes: they wait for it."""
    place = Place(None)
    connections = SlowConnections()
    connections.rows["new"] = Connection("new", "ann", "https://api")
    place.delivery._connections = connections  # type: ignore[assignment]
    place.turns.means.answerer = Speaking()  # type: ignore[assignment]
    place.take()
    assert [frame["type"] for tab, frame in place.post.frames if tab == "new"] == ["stream_chunk", "stream_end"]


class Thinking:
    """Answers, and its model has thought."""

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        stream.run.thinking = {"text": "One, two.", "cut": True}
        stream.run.card.shown = {"note": "counted"}
        return Outcome("final", "3", 0)


def test_what_the_model_thought_and_the_card_are_told_and_kept_with_the_answer() -> None:
    place = Place(None)
    place.turns.means.answerer = Thinking()  # type: ignore[assignment]
    place.take()
    [end] = [frame for _, frame in place.post.frames if frame["type"] == "stream_end"]
    assert end["thinking"] == {"text": "One, two.", "cut": True}
    [(_, [_, row])] = place.world.inbox.answers
    kept = message_frame(row)
    assert (kept["thinking"], kept["card"]) == (end["thinking"], end["card"])
    assert end["card"] == {"note": "counted"}


def test_an_error_nobody_foresaw_is_a_failed_try() -> None:
    place = Place(TimeoutError())
    place.take()
    row = place.world.inbox.waiting("ann")[0]
    assert (row.status, row.attempts) == ("queued", 1)
    assert row.not_before == place.world.clock() + BACK_OFF[0]
    ends = [frame for _, frame in place.post.frames if frame["type"] == "stream_end"]
    assert [end["error"]["code"] for end in ends] == ["INTERNAL"]
    assert place.world.tasks.get("ann").busy_until == 0


def test_a_failed_try_is_repeated_when_its_wait_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken straight from its wake, nothing had looked into the inbox: the next look was 30 s away."""
    place = Place(TimeoutError())
    monkeypatch.setattr(turns, "now_ms", place.world.clock)
    place.turns._empty = True  # as the last look found it
    place.turns.wake(place.world.inbox.waiting("ann")[0])
    place.turns._round()
    assert place.turns._joined(time.monotonic() + 10)
    place.turns._round()  # its end wakes the next look
    assert not place.turns._empty
    assert place.turns._pause <= BACK_OFF[0] / 1000


def test_a_lease_lost_in_a_turn_writes_nothing_more() -> None:
    place = Place(LeaseLost("ann"))
    place.take()
    assert place.turns.lost.is_set()
    assert place.world.inbox.waiting("ann")[0].status == "claimed"


def test_losing_the_lease_is_told_at_once() -> None:
    """The life of the container waits for nothing else."""
    place, told = Place(LeaseLost("ann")), []
    place.turns.on_lost = lambda: told.append(True)
    place.turns.start()
    place.turns.wake()
    place.turns._thread.join(10)
    assert told == [True]
    assert place.turns.lost.is_set()


class Rewriting:
    """Says one thing and then another, until it is told to stop."""

    def __init__(self) -> None:
        self.said, self.stopped = threading.Event(), threading.Event()

    def answer(self, _: Any, stream: Stream, __: Any) -> Outcome:
        for text in ("It is", "I think"):
            stream._last = 0
            stream.update(text)
        self.said.set()
        self.stopped.wait(10)
        return Outcome("aborted", "I think", 0)

    def abort(self, message_id: str) -> None:
        assert message_id == "message-1"
        self.stopped.set()


@pytest.mark.parametrize("run_id", ["message-1.1.1", "message-1.1.1.anew", None])
def test_a_run_that_began_anew_is_resumed_and_stopped_by_either_name(run_id: str | None) -> None:
    place, answerer = Place(None), Rewriting()
    place.turns._answerer = place.turns.means.answerer = answerer  # type: ignore[assignment]
    place.turns.start()
    place.turns.wake()
    assert answerer.said.wait(10)
    asked = {"runId": run_id, "lastSeq": 1 if run_id == "message-1.1.1" else 0, "conversationId": "main"}
    place.turns.resume(asked | {"connectionId": "late", "endpoint": "https://api"})
    place.delivery.flush(5)
    late = [frame for tab, frame in place.post.frames if tab == "late"]
    assert [(frame["runId"], frame["fromSeq"], frame["content"]) for frame in late] == [
        ("message-1.1.1.anew", 1, "I think")
    ]
    place.turns.abort("message-9.1.1")
    assert not answerer.stopped.is_set()
    place.turns.abort(run_id)
    assert answerer.stopped.is_set()
    place.turns.stop(10)


class Refusing(FakeConversations):
    def touch(
        self, user_id: str, conversation_id: str, text: str, expires_at: int | None = None, title: str | None = None
    ) -> None:
        raise UpdateError("throttled")


def test_a_title_that_cannot_be_written_undoes_no_answer() -> None:
    """It was taken for a lost lease, which ended the task without its last backup."""
    place = Place(None)
    place.turns.means.conversations = Refusing()
    place.take()
    assert place.world.inbox.waiting("ann") == []
    ends = [frame for _, frame in place.post.frames if frame["type"] == "stream_end"]
    assert [end["reason"] for end in ends] == ["final"]


class Preparing:
    """Files that take their time."""

    def __init__(self) -> None:
        self.begun, self.fetched = threading.Event(), threading.Event()

    def prepare(self, message: Message, told: Callable[[], bool] = never) -> Message:
        self.begun.set()
        assert self.fetched.wait(10)
        return message

    def begin(self, message: Message, run: Any) -> Nowhere:
        return Nowhere()


def preparing() -> tuple[Place, Preparing]:
    place, channels = Place(AssertionError("nobody wants an answer any more")), Preparing()
    place.turns.means.channels = channels
    place.turns._answerer.abort = lambda message_id: None  # type: ignore[method-assign]
    place.turns._answerer.interrupt = lambda: None  # type: ignore[method-assign]
    assert place.turns._take([place.world.inbox.waiting("ann")[0]])
    assert channels.begun.wait(10)
    return place, channels


@pytest.mark.parametrize("run_id", ["message-1.1.1", None])
def test_stop_counts_while_a_message_is_prepared(run_id: str | None) -> None:
    """A recording is transcribed for up to two minutes: the answerer does not know the message yet."""
    place, channels = preparing()
    place.turns.abort("message-9.1.1")
    place.turns.abort(run_id)
    channels.fetched.set()
    assert place.turns._joined(time.monotonic() + 10)
    place.delivery.flush(5)
    ends = [frame for _, frame in place.post.frames if frame["type"] == "stream_end"]
    assert [end["reason"] for end in ends] == ["aborted"]
    assert place.world.inbox.waiting("ann") == []


def test_a_container_that_stops_hands_back_what_is_prepared() -> None:
    place, channels = preparing()
    place.turns.start()
    threading.Timer(0.2, channels.fetched.set).start()
    place.turns.stop(0)
    [row] = place.world.inbox.waiting("ann")
    assert (row.status, row.attempts) == ("queued", 0)

"""Several conversations at once, one turn in each; a waiting message can be sent into a running turn."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest

from bridge.turns import worker
from bridge.turns.claims import Identity
from bridge.turns.delivery import Delivery, Stream
from bridge.turns.outcome import STEERED, Outcome
from bridge.turns.worker import LANES, Turns
from chalicelib.messages.inbox import Message
from tests.support.client import eventually
from tests.support.fakes import FakeConnections, FakeConversations, FakePost
from tests.support.world import World


class Answerer:
    """Each turn goes on until it is let go; notes the order in which turns began."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.gates: dict[str, threading.Event] = defaultdict(threading.Event)
        self.aborted: list[str] = []
        self.steered = Outcome(STEERED, "", 0)
        self.ends: dict[str, Outcome] = {}

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        self.begun.append(message.id)
        assert self.gates[message.id].wait(20)
        return self.ends.get(message.id, Outcome("final", f"to {message.id}", 0))

    def steer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        return self.steered

    def abort(self, message_id: str) -> None:
        self.aborted.append(message_id)

    def interrupt(self) -> None:
        for name in list(self.gates):
            self.ends[name] = Outcome("interrupted", "", 0)
            self.gates[name].set()


class Place:
    def __init__(self) -> None:
        self.world = World()
        self.world.send("message-0")
        self.world.boot()
        self.world.answer_all()
        self.answerer = Answerer()
        delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
        self.turns = Turns(Identity("ann", 1), self.world.inbox, FakeConversations(), delivery, self.answerer)  # type: ignore[arg-type]
        self.turns.start()

    def send(self, name: str, conversation: str) -> None:
        self.world.send(name, conversation_id=conversation)
        self.world.clock.step(1)
        self.turns.wake(self.world.inbox.get("ann", name))

    def begun(self, *names: str) -> None:
        eventually(lambda: sorted(self.answerer.begun) == sorted(names), 10)

    def let(self, *names: str) -> None:
        for name in names:
            self.answerer.gates[name].set()

    def answered(self, *names: str) -> None:
        wanted = ["message-0", *names]
        eventually(lambda: [message_id for message_id, _ in self.world.inbox.answers] == wanted, 10)

    def status(self, name: str) -> str:
        row = self.world.inbox.get("ann", name)
        assert row is not None
        return row.status

    def runs(self) -> set[str]:
        return {run["replyTo"] for run in self.world.tasks.get("ann").active_runs}


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.turns.stop(0)


def test_a_long_turn_does_not_hold_up_another_conversation(place: Place) -> None:
    place.send("message-1", "a")
    place.begun("message-1")
    place.send("message-2", "b")
    place.begun("message-1", "message-2")
    assert place.runs() == {"message-1", "message-2"}
    place.let("message-2")
    place.answered("message-2")
    assert place.runs() == {"message-1"}
    assert place.world.tasks.get("ann").busy_until > place.world.clock()
    place.let("message-1")
    place.answered("message-2", "message-1")
    assert (place.runs(), place.world.tasks.get("ann").busy_until) == (set(), 0)


def test_a_conversation_keeps_its_order(place: Place) -> None:
    for number in (1, 2, 3):
        place.send(f"message-{number}", "a")
    place.begun("message-1")
    place.let("message-3", "message-2", "message-1")
    place.answered("message-1", "message-2", "message-3")


def test_the_oldest_message_gets_the_lane_that_is_free_first(place: Place) -> None:
    names = [f"message-{number}" for number in range(1, LANES + 3)]
    for name in names:
        place.send(name, f"c-{name}")
    place.begun(*names[:LANES])
    place.let(names[1])
    place.begun(*names[: LANES + 1])
    place.let(*names)
    eventually(lambda: not place.world.inbox.waiting("ann"), 10)
    assert sorted(place.answerer.begun) == names


@pytest.mark.parametrize(
    ("press", "ended"),
    [
        (lambda turns: turns.abort(None, "a"), ["message-1"]),
        (lambda turns: turns.abort("message-2.1.1"), ["message-2"]),
        (lambda turns: turns.abort(None), ["message-1", "message-2"]),
        (lambda turns: turns.abort("message-9.1.1"), []),
        (lambda turns: turns.abort(None, "c"), []),
    ],
)
def test_stop_ends_the_run_or_the_conversation_it_names(
    place: Place, press: Callable[[Turns], None], ended: list[str]
) -> None:
    place.send("message-1", "a")
    place.send("message-2", "b")
    place.begun("message-1", "message-2")
    press(place.turns)
    assert place.answerer.aborted == ended


def test_sigterm_hands_back_every_turn(place: Place) -> None:
    place.send("message-1", "a")
    place.send("message-2", "b")
    place.begun("message-1", "message-2")
    place.turns.stop(0.1)
    assert (place.status("message-1"), place.status("message-2")) == ("queued", "queued")
    assert place.runs() == set()


def test_send_now_closes_the_message_with_the_turn_that_took_it_in(place: Place) -> None:
    place.send("message-1", "a")
    place.begun("message-1")
    place.send("message-2", "a")
    place.turns.steer("a", "message-2")
    eventually(lambda: place.status("message-2") == "claimed")
    place.let("message-1")
    place.answered("message-1", "message-2")
    assert place.answerer.begun == ["message-1"]
    rows = place.world.inbox.answers[-1][1]
    assert [(row.message_id, row.content, row.reason) for row in rows[2:]] == [
        ("message-2", "hello", None),
        ("message-2.answer", "", "steered"),
    ]


def test_a_message_that_no_run_took_in_has_a_turn_of_its_own(place: Place) -> None:
    """The running turn ended, or OpenClaw was gone: it waits as before."""
    place.answerer.steered = Outcome("interrupted", "", 0)
    place.send("message-1", "a")
    place.begun("message-1")
    place.send("message-2", "a")
    place.turns.steer("a", "message-2")
    place.let("message-1", "message-2")
    place.answered("message-1", "message-2")
    assert place.answerer.begun == ["message-1", "message-2"]


def test_a_message_taken_in_by_a_failed_turn_has_a_turn_of_its_own(place: Place) -> None:
    place.answerer.ends["message-1"] = Outcome("error", "", 0, "PROVIDER_ERROR", "503")
    place.send("message-1", "a")
    place.begun("message-1")
    place.send("message-2", "a")
    place.turns.steer("a")
    eventually(lambda: place.status("message-2") == "claimed")
    place.let("message-1", "message-2")
    place.answered("message-2")
    assert place.status("message-1") == "queued"


def test_send_now_without_a_running_turn_is_a_wake(place: Place) -> None:
    place.world.send("message-1", conversation_id="a")
    place.turns.steer("a", "message-1")
    place.let("message-1")
    place.answered("message-1")


def test_a_lane_that_is_freed_in_the_middle_of_a_look_lets_nothing_overtake(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen under load with more conversations than lanes: the second message was answered before the first."""
    place.turns.stop(5)  # the looks are ours from here on
    place.turns._stopping.clear()
    for name in ("message-1", "message-2"):
        place.world.send(name, conversation_id="a")
        place.world.clock.step(1)
    place.turns._busy.update({"b", "c", "d", "e"})

    def freeing(first: Message, behind: list[Message]) -> list[Message]:
        if first.id == "message-2":
            place.turns._busy.difference_update({"b", "c", "d", "e"})
        return [first]

    monkeypatch.setattr(worker, "gather", freeing)
    place.turns._drain()
    assert place.answerer.begun == []
    place.turns._drain()
    place.begun("message-1")
    place.let("message-1")

"""When a MicroVM is ready to be frozen, and what happens when it goes on, on fakes and a real table's double."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from bridge.life import suspending
from bridge.life.suspending import LEASE_END, Suspending
from bridge.shared.rest import NotAtRest
from chalicelib.agents.tasks import LeaseLost, Status
from chalicelib.platform.clock import MINUTE, now_ms
from tests.support.client import eventually
from tests.support.fake_tables import FakeClock, FakeTasks

OFFLINE = EndpointConnectionError(endpoint_url="https://dynamodb")


class Parts:
    """Everything around it; `events` is what was done, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.pauses: list[str] = []  # as they are counted
        self.tasks = FakeTasks(FakeClock(now_ms()))
        self.messages: list[str] = []  # that are being answered
        self.waits = self.busy = self.used_now = False
        self.restless: Exception | None = None
        self.stop = threading.Event()
        self.lost = False
        self.said: list[Any] = []
        self.on_say: Any = lambda: None
        task = self.tasks.begin_start("ann")
        self.tasks.running("ann", task.generation, "vm-1")
        any_parts: Any = (self, self, self, self)
        me: Any = self
        self.it = Suspending(("ann", 1), (me.tasks, me), any_parts, me, 0.05, self.stop)
        self.it.on_awake = lambda: self.events.append("settings")
        self.it.on_freeze = lambda: self.pauses.append("asleep")
        self.it.on_thaw = lambda: self.pauses.append("awoke")
        self.it._born = now_ms()

    def running(self) -> list[str]:
        return self.messages

    def used(self) -> bool:
        return self.used_now

    def idle(self) -> bool:
        return not self.busy

    def wake(self) -> None:
        self.events.append("inbox")

    def close(self) -> None:
        self.events.append("gate closed")

    def open(self) -> None:
        self.events.append("gate open")

    def behind(self, user_id: str) -> bool:
        return self.waits

    def pause(self, paused: bool) -> None:
        self.events.append("no beats" if paused else "beats")

    def lose_for_good(self) -> None:
        self.lost = True
        self.stop.set()

    def reopen(self) -> None:
        self.events.append("socket")

    def say(self, frame: Any) -> None:
        self.said.append(frame)
        self.on_say()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        if self.restless is not None:
            raise self.restless
        self.events.append("saved")
        yield
        self.events.append("fence open")

    @property
    def row(self) -> Any:
        return self.tasks.get("ann")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    monkeypatch.setattr(suspending, "SETTLE_SECONDS", 0.02)
    monkeypatch.setattr(suspending, "ASKED_SECONDS", 0.3)
    monkeypatch.setattr(suspending, "LOOK_PAUSE", 0.0)
    monkeypatch.setattr(suspending, "AGAIN_SECONDS", 0.0)
    found = Parts()
    yield found
    found.stop.set()


def test_it_is_still_before_it_asks_and_saved_before_its_row_says_so(parts: Parts) -> None:
    parts.on_say = lambda: parts.events.append(f"asked {parts.row.status}")
    parts.it.start(parts.it._born)
    eventually(lambda: parts.said, 5, 0.01)
    assert parts.events == ["gate closed", "no beats", "saved", "asked Suspended"]
    assert parts.row.lease_until == parts.it._born + LEASE_END
    assert parts.said == [{"action": "suspend"}]


def test_nobody_answers_and_it_goes_on(parts: Parts) -> None:
    parts.it.start(parts.it._born)
    eventually(lambda: "inbox" in parts.events, 5, 0.01)
    assert parts.events[3:7] == ["fence open", "beats", "gate open", "inbox"]


def test_after_a_thaw_it_looks_at_its_row_before_anything_else(parts: Parts) -> None:
    assert parts.it.may_freeze()
    assert parts.it.may_freeze()  # Lambda may call the hook again
    before = parts.row
    parts.it.thawed()
    assert (before.status, parts.row.status) == (Status.SUSPENDED, Status.RUNNING)
    assert parts.events[3:] == ["fence open", "beats", "gate open", "inbox", "socket", "settings"]
    parts.it.go_on()  # a second notice
    assert len(parts.events) == 9
    assert parts.pauses == ["asleep", "asleep", "awoke"]  # Record counts the first


@pytest.mark.parametrize("how", ["a newer generation", "freed", "told to stop"])
def test_whoever_lost_the_row_ends_without_writing(parts: Parts, how: str) -> None:
    assert parts.it.may_freeze()
    if how == "told to stop":
        parts.tasks.put_to_sleep(parts.row)
    else:
        parts.tasks.released("ann", 1)
    if how == "a newer generation":
        parts.tasks.begin_start("ann")
    before = parts.row
    parts.it.thawed()
    assert parts.lost
    assert parts.row == before
    assert not {"inbox", "socket", "settings"} & set(parts.events)


def test_a_clock_that_is_wrong_for_a_moment_costs_no_lease(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS refuses signatures of another time."""
    assert parts.it.may_freeze()
    real, failures = parts.tasks.resumed, [OFFLINE, OFFLINE]

    def resumed(user_id: str, generation: int) -> Any:
        if failures:
            raise failures.pop()
        return real(user_id, generation)

    monkeypatch.setattr(parts.tasks, "resumed", resumed)
    parts.it.thawed()
    assert parts.row.status is Status.RUNNING
    assert not parts.lost


@pytest.mark.parametrize("what", ["turn", "openclaw", "row", "offline"])
def test_it_is_not_suspended_while_anything_runs(parts: Parts, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if what == "turn":
        parts.messages = ["message-1"]
    elif what == "openclaw":
        parts.restless = NotAtRest("cron", 1)
    else:
        error = LeaseLost("ann") if what == "row" else OFFLINE

        def refused(*_: Any) -> None:
            raise error

        monkeypatch.setattr(parts.tasks, "suspended", refused)
    assert not parts.it.may_freeze()
    assert parts.row.status is Status.RUNNING
    assert parts.events[-3:] == ["beats", "gate open", "inbox"]
    assert not parts.lost


def test_a_message_that_slipped_in_is_answered_and_nothing_is_asked(parts: Parts) -> None:
    parts.waits = True
    parts.it.start(parts.it._born)
    eventually(lambda: "inbox" in parts.events, 5, 0.01)
    assert parts.said == []


@pytest.mark.parametrize("need", ["messages", "busy", "used_now"])
def test_what_is_needed_is_not_suspended(parts: Parts, need: str) -> None:
    setattr(parts, need, True)
    parts.it._needed = 0.0
    assert not parts.it._quiet()


def test_an_old_machine_hands_over_in_a_quiet_moment_and_a_busy_one_at_the_end(parts: Parts) -> None:
    parts.it.start(now_ms() - LEASE_END)
    assert parts.stop.wait(5)
    assert parts.events == []
    busy = Parts()
    busy.messages = ["message-1"]
    busy.it.start(now_ms() - LEASE_END)
    assert not busy.stop.wait(0.2)
    busy.it._born = now_ms() - 8 * 60 * MINUTE
    assert busy.stop.wait(5)


def test_a_hand_over_while_it_is_ready_to_be_frozen_gives_everything_back(parts: Parts) -> None:
    """The last save would wait for ever."""
    assert parts.it.may_freeze()
    parts.it.end()
    assert parts.events[3:] == ["fence open", "beats", "gate open"]
    assert not parts.lost

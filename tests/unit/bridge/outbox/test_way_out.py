"""A container that a program woke ends like one that an automation woke: nobody is there."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from bridge.outbox.push import Push
from bridge.outbox.push_service import PushService
from bridge.outbox.way_out import WayOut
from bridge.telegram.channel import Headed, Telegram
from bridge.turns.delivery import Delivery
from chalicelib.messages.conversations import answer_row
from chalicelib.messages.inbox import Message
from chalicelib.platform.clock import MINUTE, now_ms
from tests.support.fakes import FakeConnections, FakePost

Json = dict[str, Any]
PERSON = Message("ann", "message-1", "hello", "main", 1)
PROGRAM = Message("ann", "hook-1", "hello", "hook-1", 1, "hook", route={"cause": "Hook: GitHub"})


class Idle:
    """A gateway at rest."""

    def request(self, method: str, _: Json) -> Json:
        return {"status": "ready", "suspensionId": "s"}


def way_out() -> WayOut:
    openclaw: Any = SimpleNamespace(gateway=Idle())
    delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
    push = Push("ann", delivery, PushService(lambda _: ""), lambda: True)
    return WayOut("ann", 1, openclaw, delivery, Telegram("ann", "", ""), push, lambda now: None, rest_seconds=0)


@pytest.mark.parametrize(("message", "ends"), [(PERSON, False), (PROGRAM, True)])
def test_who_keeps_the_container_awake(message: Message, ends: bool) -> None:
    out = way_out()
    assert out.working([message])
    assert not out.finished(), "a turn runs"
    out.turn([message])
    assert not out.working([])
    assert out.finished() is ends


def test_a_container_that_was_started_early_waits_until_its_time_and_beats_slowly_meanwhile() -> None:
    out = way_out()
    out.early(now_ms() + 60 * MINUTE)
    assert not out.working([])
    assert not out.finished()
    assert out.pause(30) == 30
    out.early(now_ms() + 10_000)
    assert out.pause(30) == 3, "OpenClaw takes 30 suspensions a minute"
    out.early(now_ms() - 1)
    assert out.finished(), "nobody came"


def test_a_message_that_was_claimed_since_the_last_heartbeat_keeps_it() -> None:
    """The row shows it before the turn does."""
    out = way_out()
    out.early(now_ms() + 60 * MINUTE)
    assert not out.working([])
    out.early(0)
    assert not out.finished()


@pytest.mark.parametrize("ended", [True, False])
def test_the_automations_are_followed_by_one_thread_only(ended: bool) -> None:
    out: Any = way_out()
    followed: list[object] = []
    out._outbox = SimpleNamespace(close=lambda seconds: ended)
    out._push = SimpleNamespace(close=lambda seconds: None, left=lambda: True)
    out._automations = SimpleNamespace(follow=followed.append)
    out.close(1)
    assert len(followed) == int(ended)


@pytest.mark.parametrize(
    ("message", "seconds", "reason", "pushed"),
    [
        (PERSON, 31, "final", True),
        (PERSON, 29, "final", False),
        (PERSON, 31, "aborted", False),
        (replace(PERSON, channel="telegram"), 31, "final", False),
        (PROGRAM, 1, "final", True),
    ],
)
def test_an_answer_that_hardly_anybody_waits_for_is_pushed(
    message: Message, seconds: int, reason: str, pushed: bool
) -> None:
    out: Any = way_out()
    done: list[str] = []
    owed = SimpleNamespace(save=lambda: done.append("owed"))
    out._push = SimpleNamespace(owed=lambda row: owed, announce=lambda row: done.append("announced"))
    saved = out.tell(message, answer_row(message, "Done.", reason, 1 + seconds * 1000))
    assert done == ["owed"] * pushed, "before it is saved"
    saved()
    assert done == ["owed", "announced"] * pushed
    out.tell(message, answer_row(message, "", "final", 1 + seconds * 1000))()
    assert len(done) == 2 * pushed, "nothing was said"


@pytest.mark.parametrize("error", [True, False])
def test_an_answer_is_saved_whatever_becomes_of_its_push(error: bool) -> None:
    out: Any = way_out()

    def owed(_: object) -> None:
        if error:
            raise EndpointConnectionError(endpoint_url="")

    out._push = SimpleNamespace(owed=owed, announce=lambda row: pytest.fail("no device asked for it"))
    out.tell(PROGRAM, answer_row(PROGRAM, "Done.", "final", 2))()


def test_a_person_among_programs_is_a_person() -> None:
    out = way_out()
    out.working([PROGRAM, PERSON])
    out.working([])
    assert not out.finished()


class Sent:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def finish(self, text: str, seconds: float, files: object = ()) -> bool:
        self.texts.append(text)
        return True

    def abandon(self) -> None:
        return


def test_an_answer_to_a_program_is_sent_whole_below_its_cause() -> None:
    sent = Sent()
    headed = Headed("Hook: GitHub", lambda text: sent)
    headed.abandon()
    assert headed.finish("Build 7 failed.", 5)
    assert headed.finish("  ", 5), "the agent has nothing to tell"
    assert sent.texts == ["🔔 Hook: GitHub\n\nBuild 7 failed."]

"""The Bridge's side of a question, with a scripted gateway: every end is shown, whatever fails in between."""

import time
from dataclasses import replace

import pytest

from bridge.openclaw.gateway import GatewayClosed, GatewayError
from chalicelib.messages.questions import ANSWERED
from chalicelib.platform.clock import MINUTE, now_ms
from tests.support.asking import Json, World, written
from tests.support.client import eventually


@pytest.fixture
def world() -> World:
    return World()


def test_a_choice_is_handed_over_once(world: World) -> None:
    question = world.ask()
    world.rows.choose("ann", question.id, {"colour": ["Red"]}, "web")
    world.asked.look()
    assert world.end() == (ANSWERED, {"colour": ["Red"]}, "web")
    world.resolved(question, status="answered", answers={"answers": {"colour": ["Red"]}})
    world.asked.look()
    time.sleep(0.1)
    assert len(world.gateway.resolved()) == len(world.rows.ended) == 1
    assert world.chat.said == ["asked", ANSWERED]


def test_answered_elsewhere_and_withdrawn(world: World) -> None:
    world.resolved(world.ask(), status="answered", answers={"answers": {"colour": ["Green"]}})
    assert world.end() == (ANSWERED, {"colour": ["Green"]}, "elsewhere")
    world.resolved(world.ask(), status="cancelled")
    eventually(lambda: world.rows.ended[-1] == ("cancelled", {}, ""), 5)


def test_nobody_answers(world: World) -> None:
    """The Bridge's limit may be shorter than the model's: then it ends the question itself."""
    world.ask(minutes=0.005)
    assert world.end() == ("expired", {}, "")
    assert world.gateway.resolved()[-1]["cancel"] is True


def test_a_choice_that_comes_too_late_shows_what_happened(world: World) -> None:
    question = world.ask()
    world.gateway.fails = [GatewayError("INVALID_REQUEST", "over", reason="QUESTION_ALREADY_TERMINAL")]
    world.gateway.known = {"status": "answered", "answers": {"answers": {"colour": ["Green"]}}}
    world.rows.choose("ann", question.id, {"colour": ["Red"]}, "web")
    world.asked.look()
    assert world.end() == (ANSWERED, {"colour": ["Green"]}, "elsewhere")


def test_a_gateway_that_is_busy_is_asked_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.questions.jobs.RETRY_SECONDS", 0.01)
    question = world.ask()
    world.gateway.fails = [GatewayError("UNAVAILABLE", "starting"), GatewayError("TIMEOUT", "slow")]
    world.rows.choose("ann", question.id, {"colour": ["Red"]}, "web")
    world.asked.look()
    assert world.end()[0] == ANSWERED


def test_a_question_that_a_new_openclaw_does_not_know_is_gone(world: World) -> None:
    """Also one that was chosen and did not arrive."""
    question = world.ask()
    world.gateway.fails = [GatewayClosed("died")]
    world.rows.choose("ann", question.id, {"colour": ["Red"]}, "web")
    world.asked.look()
    world.gateway.listed = []
    world.asked.connected(world.gateway)  # type: ignore[arg-type]
    assert world.end() == ("gone", {"colour": ["Red"]}, "web")


def test_after_a_new_connection_the_same_question_is_not_asked_twice(world: World) -> None:
    world.ask()
    world.asked.connected(world.gateway)  # type: ignore[arg-type]
    time.sleep(0.1)
    assert world.chat.said == ["asked"]
    assert world.rows.ended == []


def test_a_written_reply_answers_and_is_taken_once(world: World) -> None:
    question = world.ask()
    assert world.asked.waits_in("main")
    assert world.asked.takes(written("2", question))
    assert not world.asked.takes(written("/status", question))
    assert not world.asked.takes(written("2", question, channel="hook")), "a program is no person"
    ended = {"channel": "system", "route": {"cause": "Container ended"}}
    assert not world.asked.takes(written("[System: your container ended]", question, **ended)), "nor is the system"
    assert not world.asked.takes(written("2", question, attachments=[{"mimeType": "image/png"}]))
    assert not world.asked.takes(replace(written("2", question), conversation_id="other"))
    assert not world.asked.takes(replace(written("2", question), queued_at=question.at - 1)), "written before"
    assert world.asked.reply(written("2", question))
    assert world.end() == (ANSWERED, {"colour": ["Green"]}, "text")
    assert not world.asked.waits_in("main")
    assert not world.asked.reply(written("2", question)), "nothing is asked any more"


def test_a_reply_that_comes_too_late_is_an_ordinary_message(world: World) -> None:
    question = world.ask()
    world.gateway.fails = [GatewayError("INVALID_REQUEST", "over", reason="QUESTION_ALREADY_TERMINAL")]
    world.gateway.known = {"status": "expired"}
    assert not world.asked.reply(written("2", question))
    assert world.end()[0] == "expired"
    assert not world.asked.takes(written("2", question))


def test_the_container_ends(world: World) -> None:
    world.ask()
    world.asked.close(5)
    assert world.end()[0] == "gone"


def test_an_approval_is_resolved_by_its_decision(world: World) -> None:
    request = {"command": "ls", "sessionKey": "agent:main:main"}
    record: Json = {"id": "a1", "request": request, "createdAtMs": now_ms(), "expiresAtMs": now_ms() + MINUTE}
    world.asked.hear({"event": "exec.approval.requested", "payload": record})
    [question] = eventually(lambda: list(world.rows.rows.values()), 5)
    assert not world.asked.takes(written("yes", question)), "a word allows no command"
    world.rows.choose("ann", question.id, {"decision": ["allow-once"]}, "web")
    world.asked.look()
    assert world.end()[:2] == (ANSWERED, {"decision": ["allow-once"]})
    assert world.gateway.resolved() == [{"id": "a1", "decision": "allow-once"}]


def test_a_command_that_is_allowed_for_good_is_listed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.questions.asked.LISTED_SECONDS", 0.01)
    request = {"command": "ls", "sessionKey": "agent:main:main"}
    record: Json = {"id": "a2", "request": request, "createdAtMs": now_ms(), "expiresAtMs": now_ms() + MINUTE}
    world.asked.hear({"event": "exec.approval.requested", "payload": record})
    [question] = eventually(lambda: list(world.rows.rows.values()), 5)
    world.rows.choose("ann", question.id, {"decision": ["allow-always"]}, "web")
    world.asked.look()
    eventually(lambda: [one.about["command"] for one in world.followed if one] == ["ls"], 5)
    before = len(world.followed)
    world.asked.revoked()
    eventually(lambda: len(world.followed) == before + 1, 5)

"""The Bridge's side of a question, with a scripted gateway: every end is shown, whatever fails in between."""

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.openclaw.gateway import GatewayClosed, GatewayError
from bridge.questions.asked import Asked
from bridge.turns.delivery import Delivery
from chalicelib.messages.inbox import Message
from chalicelib.messages.questions import ANSWERED, CHOSEN, OPEN, Question
from chalicelib.platform.clock import MINUTE, now_ms
from chalicelib.wire.protocol import ProtocolError
from tests.support.client import eventually
from tests.support.fakes import FakeConnections, FakePost

Json = dict[str, Any]
COLOUR = {
    "questionId": "colour",
    "question": "Which?",
    "options": [{"label": "Red"}, {"label": "Green"}],
    "isOther": True,
}


class Rows:
    """The rows in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Question] = {}
        self.ended: list[tuple[str, dict[str, list[str]], str]] = []

    def open(self, question: Question, expires_at: int | None = None) -> bool:
        return self.rows.setdefault(question.id, question) is question

    def get(self, user_id: str, name: str) -> Question | None:
        return self.rows.get(name)

    def unclosed(self, user_id: str) -> list[Question]:
        return [one for one in self.rows.values() if one.state in (OPEN, CHOSEN)]

    def choose(self, user_id: str, name: str, answers: dict[str, list[str]] | None, by: str) -> Question:
        question = self.rows[name]
        if question.state != OPEN:
            raise ProtocolError("QUESTION_CLOSED", "closed")
        self.rows[name] = replace(question, state=CHOSEN, answers=answers or {}, by=by)
        return self.rows[name]

    def close(self, question: Question, state: str, answers: dict[str, list[str]], by: str = "") -> Question | None:
        if self.rows[question.id].state not in (OPEN, CHOSEN):
            return None
        self.rows[question.id] = replace(question, state=state, answers=answers, by=by)
        self.ended.append((state, answers, by))
        return self.rows[question.id]


class Chat:
    def __init__(self) -> None:
        self.said: list[str] = []

    def ask(self, question: Question, notes: Any) -> None:
        self.said.append("asked")

    def settle(self, question: Question, notes: Any) -> None:
        self.said.append(question.state)


class Gateway:
    """Answers by script: an exception is raised once."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Json]] = []
        self.listed: list[Json] = []
        self.fails: list[Exception] = []
        self.known: Json | None = None

    def request(self, method: str, params: Json) -> Json:
        self.asked.append((method, params))
        if method == "question.list":
            return {"questions": self.listed}
        if method == "exec.approval.list":
            return {}
        if method == "question.get":
            if self.known is None:
                raise GatewayError("INVALID_REQUEST", "not found", reason="QUESTION_NOT_FOUND")
            return {"question": self.known}
        if self.fails:
            raise self.fails.pop(0)
        return {"status": "answered"}

    def resolved(self) -> list[Json]:
        return [params for method, params in self.asked if method.endswith(".resolve")]


class World:
    def __init__(self) -> None:
        self.rows, self.chat, self.gateway, self.post = Rows(), Chat(), Gateway(), FakePost()
        delivery = Delivery("ann", FakeConnections(), self.post)  # type: ignore[arg-type]
        self.followed: list[Any] = []
        listing = SimpleNamespace(follow=lambda gateway, question=None: self.followed.append(question))
        given: Any = delivery, self.chat, lambda now: None, self.rows, listing
        self.asked = Asked(("ann", 1), *given)
        self.asked.start(self.gateway)  # type: ignore[arg-type]

    def ask(self, minutes: float = 10, session: str = "agent:main:main") -> Question:
        now = now_ms()
        record: Json = {"id": f"ask_{now}", "questions": [COLOUR], "sessionKey": session, "createdAtMs": now}
        record["expiresAtMs"] = now + int(minutes * MINUTE)
        self.gateway.listed = [record]
        self.asked.hear({"event": "question.requested", "payload": record})
        found = eventually(lambda: [one for one in self.rows.rows.values() if one.gateway_id == record["id"]], 5)
        eventually(lambda: self.chat.said[-1:] == ["asked"], 5)
        return found[0]  # type: ignore[no-any-return]

    def resolved(self, question: Question, **event: Any) -> None:
        self.asked.hear({"event": "question.resolved", "payload": {"id": question.gateway_id} | event})

    def end(self) -> tuple[str, dict[str, list[str]], str]:
        return eventually(lambda: self.rows.ended, 5)[-1]  # type: ignore[no-any-return]


@pytest.fixture
def world() -> World:
    return World()


def written(text: str, question: Question, **more: Any) -> Message:
    return Message("ann", "message-1", text, "main", question.at + 1, **more)


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
    monkeypatch.setattr("bridge.questions.asked.RETRY_SECONDS", 0.01)
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

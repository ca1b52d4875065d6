"""What fails between OpenClaw, the rows and the screens loses no question, no answer, and uses no reply twice."""

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from bridge.openclaw.gateway import GatewayClosed, GatewayError
from bridge.questions.jobs import Job, Jobs
from bridge.telegram.asking import Asking
from chalicelib.messages.questions import ANSWERED, APPROVAL, CANCELLED, EXPIRED, GONE, OPEN
from chalicelib.platform.clock import MINUTE, now_ms
from tests.support.asking import COLOUR, Json, World, aws, failing, written
from tests.support.client import eventually

BUSY = "ThrottlingException"
GREEN = {"colour": ["Green"]}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("bridge.questions.jobs.RETRY_SECONDS", 0.02)
    monkeypatch.setattr("bridge.questions.asked.REPLY_SECONDS", 0.1)
    return World()


def test_a_reply_that_is_handed_over_late_is_not_given_back(world: World) -> None:
    """Its row is chosen: OpenClaw gets it at the next try, so it must get no turn of its own."""
    question = world.ask()
    failing(world.gateway, "request", *[GatewayError("UNAVAILABLE", "busy")] * 4)
    assert world.asked.reply(written("2", question))
    assert world.end() == (ANSWERED, GREEN, "text")


def test_a_reply_that_a_look_hands_over_first_is_taken(world: World) -> None:
    question, choose = world.ask(), world.rows.choose

    def slowly(*given: Any) -> Any:
        chosen = choose(*given)
        world.asked.look()
        world.end()
        return chosen

    setattr(world.rows, "choose", slowly)  # noqa: B010  mypy
    assert world.asked.reply(written("2", question))
    assert world.end() == (ANSWERED, GREEN, "text")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("part", "name"), [("rows", "close"), ("rows", "choose"), ("chat", "settle")])
def test_a_reply_whose_row_meets_a_busy_table_is_used_once(world: World, part: str, name: str, after: bool) -> None:
    """By its run, or by a turn of its own, never by both."""
    question = world.ask()
    failing(getattr(world, part), name, aws(BUSY), after=after)
    taken = world.asked.reply(written("2", question))
    assert taken == bool(world.gateway.resolved())
    assert taken == (name != "choose" or after)
    assert not taken or world.end() == (ANSWERED, GREEN, "text")


@pytest.mark.parametrize("error", [ValueError("broken"), aws("AccessDeniedException")])
def test_a_reply_is_taken_although_its_end_cannot_be_shown(world: World, error: Exception) -> None:
    question = world.ask()
    failing(world.chat, "settle", *[error] * 3)
    begun = time.monotonic()
    assert world.asked.reply(written("2", question))
    assert time.monotonic() - begun < 5
    eventually(lambda: world.chat.said == ["asked"] and not world.asked.waits_in("main"), 5)


def test_a_reply_that_somebody_else_overtook_gets_its_own_turn(world: World) -> None:
    question = world.ask()
    world.gateway.over.add(question.gateway_id)
    world.gateway.known = {"status": "answered", "answers": {"answers": {"colour": ["Red"]}}}
    assert not world.asked.reply(written("2", question))
    assert world.end() == (ANSWERED, {"colour": ["Red"]}, "elsewhere")


def test_a_reply_that_arrived_without_its_receipt_is_taken(world: World) -> None:
    question = world.ask()
    failing(world.gateway, "request", GatewayError("TIMEOUT", "slow"), after=True)
    world.gateway.known = {"status": "answered", "answers": {"answers": GREEN}}
    assert world.asked.reply(written("2", question))
    assert world.end() == (ANSWERED, GREEN, "text")


def test_a_reply_without_a_link_is_taken_back_for_good(world: World) -> None:
    """Its turn asks OpenClaw by itself. When the link is back, OpenClaw waits no longer for what was taken back."""
    question = world.ask()
    world.gateway.closed.set()
    failing(world.gateway, "request", *[GatewayClosed("down")] * 2)
    assert not world.asked.reply(written("2", question))
    assert world.end()[0] == GONE
    world.connect()
    [ended] = eventually(world.gateway.resolved, 5)
    assert ended["cancel"] is True
    assert not world.asked.waits_in("main")


def test_the_container_ends_while_a_reply_waits(world: World) -> None:
    question, taken = world.ask(), []
    failing(world.gateway, "request", *[GatewayError("UNAVAILABLE", "busy")] * 100)
    turn = threading.Thread(target=lambda: taken.append(world.asked.reply(written("2", question))))
    turn.start()
    eventually(lambda: world.rows.rows[question.id].state != OPEN, 5)
    world.asked.close(5)
    turn.join(5)
    assert taken == [False]
    assert world.end()[0] == GONE


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("part", "name"), [("rows", "open"), ("connections", "of_user"), ("chat", "ask")])
def test_a_question_that_meets_a_busy_table_is_asked(world: World, part: str, name: str, after: bool) -> None:
    """Also when it was stored and only the reply to that was lost."""
    failing(getattr(world, part), name, aws(BUSY), after=after)
    record = world.hear(world.record())
    eventually(lambda: "asked" in world.chat.said, 5)
    [question] = world.rows.rows.values()
    assert question.gateway_id == record["id"]
    assert world.asked.waits_in("main")
    assert world.gateway.resolved() == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("part", "name"), [("rows", "close"), ("connections", "of_user"), ("chat", "settle")])
def test_an_end_that_meets_a_busy_table_is_shown(world: World, part: str, name: str, after: bool) -> None:
    question = world.ask()
    failing(getattr(world, part), name, aws(BUSY), after=after)
    world.resolved(question, status="cancelled")
    eventually(lambda: world.chat.said[-1] == CANCELLED, 5)
    assert world.rows.ended == [(CANCELLED, {}, "")]


def test_a_question_that_was_over_before_it_could_be_stored_is_not_asked(world: World) -> None:
    failing(world.rows, "open", *[aws(BUSY)] * 3)
    record = world.hear(world.record())
    world.asked.hear({"event": "question.resolved", "payload": {"id": record["id"], "status": "cancelled"}})
    time.sleep(0.3)
    assert not world.asked.waits_in("main")
    assert world.chat.said == []


def test_the_message_with_buttons_is_sent_once() -> None:
    """Although its place in the chat could not be noted at once."""
    sent: list[str] = []

    class Api:
        def call(self, method: str, **fields: Any) -> Json:
            sent.append(method)
            return {"message_id": 7}

    kept: list[int] = []

    class Notes:
        def note_chat(self, question: Any, place: Json, message_id: int) -> None:
            kept.append(message_id)

        def chat_of(self, question: Any) -> Json | None:
            return None

    world, notes = World(), Notes()
    failing(notes, "note_chat", aws(BUSY))
    asking = Asking(Api(), lambda _: {"chatId": 1})  # type: ignore[arg-type]
    question = world.ask()
    with pytest.raises(Exception, match="refused"):
        asking.ask(question, notes)
    asking.ask(question, notes)
    assert (sent, kept) == (["sendMessage"], [7])
    asking.settle(question, notes)
    assert sent == ["sendMessage", "editMessageText"]


def test_a_closed_question_that_openclaw_still_asks_is_ended_there(world: World) -> None:
    question = world.ask()
    failing(world.gateway, "request", GatewayClosed("down"))
    world.rows.close(question, GONE, {})
    world.connect()  # fails
    world.connect()
    eventually(world.gateway.resolved, 5)
    assert world.gateway.resolved()[0]["cancel"] is True
    eventually(lambda: not world.asked.waits_in("main"), 5)
    eventually(lambda: world.chat.said == ["asked", GONE], 5)


def test_a_closed_question_keeps_no_session_waiting(world: World) -> None:
    """OpenClaw died, and the row was closed before: its run is silent, it waits for nobody."""
    question = world.ask()
    world.rows.rows[question.id] = replace(question, state=EXPIRED)
    world.gateway.listed = []
    world.connect()
    eventually(lambda: not world.asked.waits_in("main"), 5)
    eventually(lambda: world.chat.said[-1] == EXPIRED, 5)


def test_a_question_past_its_time_keeps_no_session_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end did not reach OpenClaw. The row stays open until it does."""
    left = failing(world.gateway, "request", *[GatewayError("UNAVAILABLE", "busy")] * 1000)
    question = world.ask(minutes=0.005)
    eventually(lambda: len(left) < 1000, 5)  # past its time
    assert world.asked.waits_in("main")
    monkeypatch.setattr("bridge.questions.live.OVERTIME", 0)
    assert not world.asked.waits_in("main")
    assert world.rows.rows[question.id].state == OPEN
    left.clear()
    assert world.end() == (EXPIRED, {}, "")
    assert [one for one in world.gateway.resolved() if one.get("cancel")]


SECRET = {"questions": [COLOUR | {"isSecret": True}]}
BAD: list[Json] = [SECRET, {"questions": []}, {"questions": [{"question": "no id"}]}, {"createdAtMs": "soon"}]


@pytest.mark.parametrize("body", [*BAD, {"questions": [COLOUR | {"options": [{}]}]}, {"questions": 7}])
def test_openclaw_does_not_wait_for_what_nobody_is_asked(world: World, body: Json) -> None:
    record = world.hear(world.record(**body))
    [ended] = eventually(world.gateway.resolved, 5)
    assert (ended["id"], ended["cancel"]) == (record["id"], True)
    assert not world.asked.waits_in("main")
    assert world.rows.rows == {}


def test_a_malformed_approval_is_refused(world: World) -> None:
    record = {"id": "a1", "request": "rm -r /", "createdAtMs": now_ms(), "expiresAtMs": now_ms() + MINUTE}
    world.asked.hear({"event": "exec.approval.requested", "payload": record})
    assert eventually(world.gateway.resolved, 5) == [{"id": "a1", "decision": "deny"}]


def test_an_approval_whose_decision_is_refused_is_denied(world: World) -> None:
    request = {"command": "ls", "sessionKey": "agent:main:main"}
    record: Json = {"id": "a1", "request": request, "createdAtMs": now_ms(), "expiresAtMs": now_ms() + MINUTE}
    world.asked.hear({"event": "exec.approval.requested", "payload": record})
    [question] = eventually(lambda: list(world.rows.rows.values()), 5)
    assert question.kind == APPROVAL
    world.gateway.fails = [GatewayError("INVALID_REQUEST", "no", reason="APPROVAL_ALLOW_ALWAYS_UNAVAILABLE")]
    world.rows.choose("ann", question.id, {"decision": ["allow-always"]}, "web")
    world.asked.look()
    assert world.end() == (CANCELLED, {}, "")
    assert [one["decision"] for one in world.gateway.resolved()] == ["allow-always", "deny"]


def test_an_answer_that_openclaw_does_not_take_ends_the_question_there(world: World) -> None:
    question = world.ask()
    world.gateway.fails = [GatewayError("INVALID_REQUEST", "no", reason="QUESTION_INVALID_ANSWER")]
    world.gateway.known = {"status": "pending"}
    assert not world.asked.reply(written("2", question))
    assert world.end() == (CANCELLED, {}, "")
    assert world.gateway.resolved()[-1]["cancel"] is True


def test_a_question_that_the_table_refuses_for_good_is_ended_in_openclaw(world: World) -> None:
    left = failing(world.rows, "open", *[aws("ValidationException")] * 2)
    record = world.hear(world.record())
    [ended] = eventually(world.gateway.resolved, 5)
    assert (ended["id"], ended["cancel"]) == (record["id"], True)
    time.sleep(0.2)
    assert len(left) == 1, "what is refused for good is not tried again"


def test_a_heartbeat_looks_only_while_something_is_open(world: World) -> None:
    looks: list[str] = []
    unclosed = world.rows.unclosed

    def counted(user: str) -> Any:
        looks.append(user)
        return unclosed(user)

    setattr(world.rows, "unclosed", counted)  # noqa: B010  mypy
    question = world.ask()  # after the comparison, which looks
    before = len(looks)
    world.asked.beat()
    eventually(lambda: len(looks) > before, 5)
    world.resolved(question, status="cancelled")
    eventually(lambda: world.chat.said[-1] == CANCELLED, 5)
    time.sleep(0.1)
    before = len(looks)
    world.asked.beat()
    time.sleep(0.1)
    assert len(looks) == before


def test_retries_wait_longer_each_time_and_are_not_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [Job("x", print, tries=n).pause for n in (0, 1, 4, 5, 9, 99)] == [2, 4, 32, 60, 60, 60]
    monkeypatch.setattr("bridge.questions.jobs.RETRY_SECONDS", 0.3)
    work, tries = Jobs(), []

    def busy() -> None:
        tries.append(time.monotonic())
        if len(tries) <= 3:
            raise aws(BUSY)

    for _ in range(3):
        work.put("choices", busy)
    work.start()
    eventually(lambda: len(tries) == 4, 5)
    time.sleep(0.5)
    assert len(tries) == 4, "three looks that failed need one retry"
    work.stop(1)

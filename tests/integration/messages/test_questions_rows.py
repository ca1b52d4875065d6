"""Questions on real tables: one answer wins, every end is kept in both rows, and what does not fit is refused."""

import uuid
from dataclasses import replace
from typing import Any, cast

import pytest
from pynamodb.exceptions import PynamoDBException

from bridge.openclaw.gateway import GatewayError
from bridge.questions.allowed import Allowed
from chalicelib.agents.tasks import LeaseLost
from chalicelib.lifecycle.answers import answer
from chalicelib.messages import allowed
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.questions import ANSWERED, EXPIRED, OPEN, QUESTION, Question, Questions, asks_in, question_id
from chalicelib.platform.clock import MINUTE
from chalicelib.wire.protocol import ProtocolError
from tests.support.fake_tables import FakeClock
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("table_server")

PART = {"id": "colour", "header": "C", "text": "Which?", "options": [{"label": "Red"}, {"label": "Green"}]}
ONE = PART | {"multi": False, "other": True}
Json = dict[str, Any]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def rows(cloud: str, clock: FakeClock) -> Questions:
    return Questions(clock)


def made(clock: FakeClock, parts: list[Json] | None = None, **more: Any) -> Question:
    name = f"ask_{uuid.uuid4().hex}"
    user, now = f"user-{uuid.uuid4().hex}", clock()
    whole = parts or [ONE]
    question = Question(user, question_id(name), "main", name, QUESTION, whole, now, now + 15 * MINUTE, 1)
    return replace(question, **more)


def refused(rows: Questions, question: Question, answers: Json, user: str = "") -> str:
    with pytest.raises(ProtocolError) as info:
        rows.choose(user or question.user_id, question.id, answers, "web")
    return info.value.code


def test_it_is_kept_shown_chosen_once_and_closed(rows: Questions, clock: FakeClock) -> None:
    question = made(clock)
    assert rows.open(question)
    assert not rows.open(question), "the gateway tells of it again after a connection"
    assert asks_in(question.user_id, "main")
    assert not asks_in(question.user_id, "other")
    [row] = Conversations().page(question.user_id, "main", None, 10).messages
    assert (row["question"]["state"], row["content"], row["reason"]) == (OPEN, "Which?", "question")
    chosen = rows.choose(question.user_id, question.id, {"colour": ["Green"]}, "web")
    assert refused(rows, question, {"colour": ["Red"]}) == "QUESTION_CLOSED"
    assert [one.answers for one in rows.unclosed(question.user_id)] == [{"colour": ["Green"]}]
    assert rows.close(chosen, ANSWERED, chosen.answers, "web") is not None
    assert rows.close(chosen, EXPIRED, {}) is None, "the first end counts"
    assert rows.unclosed(question.user_id) == []
    [row] = Conversations().page(question.user_id, "main", None, 10).messages
    assert (row["question"]["state"], row["question"]["answers"]) == (ANSWERED, {"colour": ["Green"]})


def test_what_does_not_fit_is_refused(rows: Questions, clock: FakeClock) -> None:
    question = made(clock, [ONE | {"other": False}, ONE | {"id": "days", "multi": True}])
    rows.open(question)
    good = {"colour": ["Red"], "days": ["Red", "Green", "and Sunday"]}
    assert refused(rows, question, good | {"colour": ["Blue"]}) == "BAD_FIELD"
    assert refused(rows, question, good | {"colour": ["Red", "Green"]}) == "BAD_FIELD"
    assert refused(rows, question, {"days": ["Red"]}) == "BAD_FIELD"
    assert refused(rows, question, good | {"size": ["L"]}) == "BAD_FIELD"
    assert refused(rows, question, good, "somebody-else") == "NOT_FOUND"
    clock.step(16 * MINUTE)
    assert refused(rows, question, good) == "QUESTION_CLOSED"


def test_a_deleted_conversation_gets_no_row_back(rows: Questions, clock: FakeClock) -> None:
    question = made(clock)
    rows.open(question)
    Conversations().delete(question.user_id, "main")
    assert rows.close(question, EXPIRED, {}) is not None
    assert Conversations().page(question.user_id, "main", None, 10).messages == []


def test_the_end_is_in_both_rows_or_in_none(rows: Questions, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the retry would find it closed, and a reload would show an open card for ever."""
    question = made(clock)
    rows.open(question)
    with monkeypatch.context() as broken:
        broken.setattr(Question, "shown", lambda _: {"id": "x" * 500_000})
        with pytest.raises(PynamoDBException):
            rows.close(question, EXPIRED, {})
    assert [one.id for one in rows.unclosed(question.user_id)] == [question.id]
    assert rows.close(question, EXPIRED, {}) is not None
    [row] = Conversations().page(question.user_id, "main", None, 10).messages
    assert row["question"]["state"] == EXPIRED


def test_the_choice_goes_to_the_bridge_that_asked(cloud: str) -> None:
    """A container of another generation does not know the question: the person is told, nothing is kept."""
    world = World()
    question = made(world.clock, user_id="ann", generation=2)
    Questions(world.clock).open(question)
    with pytest.raises(ProtocolError, match="interrupted while it waited"):
        answer(world.dispatch, "ann", question.id, {"colour": ["Red"]}, "web")
    world.send()
    generation = world.boot()
    again = made(world.clock, user_id="ann", generation=generation)
    Questions(world.clock).open(again)
    answer(world.dispatch, "ann", again.id, {"colour": ["Red"]}, "web")
    assert [frame for _, frame in world.post.frames if frame["type"] == "answer"] == [
        {"type": "answer", "id": again.id}
    ]


class Gateway:
    """OpenClaw's own list, with a hash that a change must name."""

    def __init__(self) -> None:
        self.changed = True  # by OpenClaw, at the first try
        entry = {"pattern": "/usr/bin/ls", "argPattern": "sha256:x", "source": "allow-always"}
        self.entries = [entry | {"id": "E1"}, entry | {"id": "E2"}, {"pattern": "rg", "id": "by-hand"}]

    def request(self, method: str, params: Json) -> Json:
        if method == "exec.approvals.set" and self.changed:
            self.changed = False
            text = "exec approvals changed since last load; re-run exec.approvals.get and retry"
            raise GatewayError("INVALID_REQUEST", text)
        if method == "exec.approvals.set":
            assert params["baseHash"] == "h1"
            self.entries = params["file"]["agents"]["main"]["allowlist"]
        return {"hash": "h1", "file": {"version": 1, "agents": {"main": {"allowlist": list(self.entries)}}}}


def test_commands_that_are_allowed_for_good_are_listed_and_revoked(rows: Questions, clock: FakeClock) -> None:
    user, gateway = f"user-{uuid.uuid4().hex}", Gateway()
    following, openclaw = Allowed(user, 1), cast(Any, gateway)
    following.follow(openclaw, made(clock, about={"command": "ls -d /tmp", "directory": "/work"}))
    shown = [(one["id"], one["command"], one["directory"]) for one in allowed.listed(user)]
    assert shown == [("E1", "ls -d /tmp", "/work")], "two entries of OpenClaw's, one approval"
    gateway.entries.append({"pattern": "/usr/bin/date", "source": "allow-always", "id": "E3"})
    following.follow(openclaw)
    assert not allowed.revoke(user, "by-hand")
    assert allowed.revoke(user, "E1")
    assert [one.get("revoked") for one in allowed.listed(user)] == [True, None]
    with pytest.raises(GatewayError) as info:
        following.follow(openclaw)
    assert info.value.passing, "it is tried again"
    following.follow(openclaw)
    assert [entry["id"] for entry in gateway.entries] == ["by-hand", "E3"]
    assert [(one["id"], one["command"]) for one in allowed.listed(user)] == [("E3", "/usr/bin/date")]
    assert allowed.asked(user) == []
    gateway.entries = []
    with pytest.raises(LeaseLost):
        Allowed(user, 0).follow(openclaw)

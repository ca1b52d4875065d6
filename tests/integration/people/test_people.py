"""The owner's room on real tables, a real bucket and the stand-in's user pool."""

import itertools
import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk.synthesized import Deployment
from chalicelib import wiring
from chalicelib.agents import removed
from chalicelib.agents.containers import TaskInfo
from chalicelib.agents.schedules import Schedules
from chalicelib.agents.tasks import AlreadyActive, LeaseLost, Status, Tasks
from chalicelib.lifecycle import erasing
from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.lifecycle.removal import Removal, State
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.people.hooks import Hooks
from chalicelib.people.linking import Linking
from chalicelib.people.pool import Pool
from chalicelib.people.preferences import Choice
from chalicelib.people.spending import Spending
from chalicelib.platform import aws
from chalicelib.platform.clock import now_ms
from chalicelib.wire.connections import Connections, Post
from chalicelib.wire.protocol import ProtocolError
from tests.support.fake_tables import FakeClock
from tests.support.fakes import FakeContainers, FakeRate
from tests.support.people import Tokens, account, call, live, rows_of

pytestmark = pytest.mark.usefixtures("cloud")
ONE = "/people/{person_id}"
BUCKET = "people-test"
telegram = itertools.count(77_000)


@pytest.fixture(scope="module")
def pool(cloud: str) -> str:
    """A versioned bucket, as the deployed one is, and a pool with its group."""
    cognito, s3, template = aws.client("cognito-idp"), aws.client("s3"), Deployment("local")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    made = str(cognito.create_user_pool(**template.user_pool())["UserPool"]["Id"])
    cognito.create_group(UserPoolId=made, **template.user_pool_group())
    return made


@pytest.fixture
def containers() -> FakeContainers:
    return FakeContainers(FakeClock())


@pytest.fixture
def routes(pool: str, containers: FakeContainers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dispatch]:
    """The routes with this pool, and with tokens that say who has them."""
    rows = Inbox(), Tasks(), containers, Connections(), Conversations(), Post()
    dispatch = Dispatch(*rows, FakeRate(1000))
    monkeypatch.setitem(os.environ, "COGNITO_ISSUER", f"https://issuer.example/{pool}")
    monkeypatch.setitem(os.environ, "DATA_BUCKET", BUCKET)
    monkeypatch.setattr(wiring, "identity", Tokens)
    monkeypatch.setattr(wiring, "dispatch", lambda: dispatch)
    wiring.settings.cache_clear()
    yield dispatch
    wiring.settings.cache_clear()


@pytest.fixture
def owner(pool: str) -> str:
    return account(pool, f"{uuid.uuid4().hex[:8]}@example.com", owner=True)


@pytest.fixture
def friend(pool: str) -> tuple[str, str]:
    """Id and address."""
    email = f"{uuid.uuid4().hex[:8]}@example.com"
    return account(pool, email), email


def test_nobody_else_gets_in(routes: Dispatch, owner: str, friend: tuple[str, str]) -> None:
    """Each route, with a token that has not the group: refused with a code, and nothing has happened."""
    user, email = friend
    asked: list[tuple[str, str, Any, str]] = [
        ("GET", "/people", None, ""),
        ("POST", "/people", {"email": "new@example.com"}, ""),
        ("PUT", f"/people/{user}", {"capUsd": 1000}, ONE),
        ("DELETE", f"/people/{owner}", {"email": email}, ONE),
    ]
    for method, path, body, resource in asked:
        status, told = call(user, method, path, body, resource)
        assert (status, told["code"]) == (403, "OWNER_ONLY"), (method, path)
    assert call("bad", "GET", "/people")[0] == 401
    assert Spending().limits(user).cap_usd is None
    assert not removed.is_removed(owner)


def test_the_list_has_states_and_sums_and_nothing_else(routes: Dispatch, owner: str, friend: tuple[str, str]) -> None:
    user, email = friend
    live(user, BUCKET, next(telegram))
    status, told = call(f"{owner}!", "GET", "/people")
    mine = {person["id"]: person for person in told["people"]}
    assert status == 200
    assert mine[user] | {"createdAt": 0, "month": ""} == {
        "id": user,
        "email": email,
        "createdAt": 0,
        "state": "invited",
        "owner": False,
        "you": False,
        "agent": "Running",
        "month": "",
        "usd": 1.25,
        "complete": True,
        "limitUsd": 3,
        "capUsd": None,
        "highestUsd": 20,
    }
    assert (mine[owner]["owner"], mine[owner]["you"], mine[owner]["agent"]) == (True, True, "Idle")


def test_an_invitation_and_a_second_one(routes: Dispatch, owner: str, pool: str) -> None:
    email = f"{uuid.uuid4().hex[:8]}@example.com"
    assert call(f"{owner}!", "POST", "/people", {"email": f" {email} "}) == (201, {"email": email, "again": False})
    assert call(f"{owner}!", "POST", "/people", {"email": email}) == (200, {"email": email, "again": True})
    secret = {"Password": "Long-enough-12", "Permanent": True}
    aws.client("cognito-idp").admin_set_user_password(UserPoolId=pool, Username=email, **secret)
    for wanted, code in ((email, "HAS_ACCOUNT"), ("no address", "BAD_EMAIL"), (7, "BAD_EMAIL")):
        assert call(f"{owner}!", "POST", "/people", {"email": wanted})[1]["code"] == code


def test_the_owners_limit_is_a_ceiling(routes: Dispatch, owner: str, friend: tuple[str, str]) -> None:
    """Without a choice of theirs it holds as it is; no choice gets above it."""
    user, _ = friend
    status, told = call(f"{owner}!", "PUT", f"/people/{user}", {"capUsd": 8}, ONE)
    assert (status, told["capUsd"], told["limitUsd"]) == (200, 8, 8)
    assert call(user, "PUT", "/settings", {"budgetUsd": 500})[0] == 200
    limits = Spending().limits(user)
    assert (limits.of(Choice(budget_usd=500)), limits.of(Choice(budget_usd=2)), limits.of(Choice())) == (8, 2, 8)
    assert call(user, "GET", "/status")[1]["cost"]["limitUsd"] == 8
    assert call(f"{owner}!", "PUT", f"/people/{user}", {"capUsd": None}, ONE)[1]["limitUsd"] == 20
    for wrong in ({"capUsd": -1}, {"capUsd": True}, {"capUsd": "1"}, {}):
        assert call(f"{owner}!", "PUT", f"/people/{user}", wrong, ONE)[1]["code"] == "BAD_FIELD"
    assert call(f"{owner}!", "PUT", "/people/nobody", {"capUsd": 1}, ONE)[1]["code"] == "NOT_FOUND"


def test_who_cannot_be_removed(routes: Dispatch, owner: str, friend: tuple[str, str], pool: str) -> None:
    user, email = friend
    cognito = aws.client("cognito-idp")
    mine = cognito.admin_get_user(UserPoolId=pool, Username=owner)["UserAttributes"]
    own = next(one["Value"] for one in mine if one["Name"] == "email")

    def refused(token: str, who: str, said: str) -> str:
        status, told = call(token, "DELETE", f"/people/{who}", {"email": said}, ONE)
        assert status in (400, 403, 409), told
        return str(told["code"])

    assert refused(f"{owner}!", owner, own) == "OWNER_SELF"
    assert refused(f"{owner}!", user, "other@example.com") == "EMAIL_DIFFERS"
    assert refused(f"{user}!", owner, own) == "OWNER_ONLY", "the token is older than the group"
    assert not removed.is_removed(user)
    assert cognito.admin_get_user(UserPoolId=pool, Username=email)["Enabled"]


def test_a_person_is_removed_with_everything(
    routes: Dispatch, owner: str, friend: tuple[str, str], containers: FakeContainers, pool: str
) -> None:
    """The agent first: while it has not ended, nothing is deleted. Of a neighbour nothing is touched."""
    (user, email), neighbour = friend, f"{friend[0]}1"
    token = live(user, BUCKET, next(telegram))
    live(neighbour, BUCKET, next(telegram))
    before = rows_of(neighbour)
    generation = Tasks().get(user).generation
    containers.tasks[f"arn:task/{user}"] = TaskInfo(f"arn:task/{user}", user, generation, 0)

    def remove() -> tuple[int, Any]:
        return call(f"{owner}!", "DELETE", f"/people/{user}", {"email": email.upper()}, ONE)

    assert remove() == (202, {"state": "stopping"})
    assert containers.stops == [(f"arn:task/{user}", "its user was removed")]
    assert not aws.client("cognito-idp").admin_get_user(UserPoolId=pool, Username=email)["Enabled"]
    assert Conversations().list(user), "what is there is deleted only when nobody writes any more"
    with pytest.raises(LeaseLost):
        Tasks().heartbeat(user, generation)
    with pytest.raises(AlreadyActive):
        Tasks().begin_start(user)
    assert call(user, "POST", "/ws-ticket")[0] == 401, "a token is good for an hour yet"
    with pytest.raises(ProtocolError, match="removed"):
        routes.accept(Message(user, uuid.uuid4().hex, "from an open tab", "main", now_ms()))
    assert call(f"{owner}!", "GET", "/people")[1]["people"]

    containers.ended(f"arn:task/{user}")
    assert remove() == (200, {"state": "done"})
    left = [row for row in rows_of(user) if neighbour not in row]
    assert len(left) == 1
    assert left[0].startswith("TaskState"), left
    assert set(Tasks().get(user).__dict__.items()) >= {("status", Status.REMOVED), ("task_arn", None), ("start_ms", 0)}
    assert rows_of(neighbour) == before
    names = [entry["Key"] for entry in aws.client("s3").list_object_versions(Bucket=BUCKET).get("Versions", [])]
    assert not [name for name in names if f"/{user}/" in name]
    assert len([name for name in names if f"/{neighbour}/" in name]) == len(erasing.PREFIXES)
    with pytest.raises(ProtocolError):
        Hooks().find(token)
    assert Pool(pool).find(user) is None
    assert remove() == (200, {"state": "done"}), "its answer may have been lost"


def test_a_removal_that_breaks_off_goes_on(
    routes: Dispatch,
    owner: str,
    friend: tuple[str, str],
    containers: FakeContainers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each step fails once: the person is told so with a code, and the same request goes on."""
    user, email = friend
    live(user, BUCKET, next(telegram))
    containers.ended(f"arn:task/{user}")
    down = ClientError({"Error": {"Code": "SlowDown", "Message": "x"}}, "x")
    steps: list[tuple[Any, str]] = [
        (Pool, "close"),
        (removed, "fence"),
        (FakeContainers, "stop"),
        (Schedules, "clear"),
        (Linking, "forget"),
        (erasing, "_erase_slice"),
        (erasing, "erase_objects"),
        (removed, "bury"),
        (Pool, "delete"),
    ]
    for place, name in steps:
        with monkeypatch.context() as patch:
            patch.setattr(place, name, lambda *_: (_ for _ in ()).throw(down))
            status, told = call(f"{owner}!", "DELETE", f"/people/{user}", {"email": email}, ONE)
            assert (status, told["code"]) == (503, "REMOVAL_UNFINISHED"), name
    shown = [one for one in call(f"{owner}!", "GET", "/people")[1]["people"] if one["id"] == user]
    assert [one["state"] for one in shown] == ["removing"], "still listed"
    assert call(f"{owner}!", "DELETE", f"/people/{user}", {"email": email}, ONE) == (200, {"state": "done"})
    assert len(rows_of(user)) == 1


def test_what_is_too_much_for_one_call_is_deleted_by_the_next(
    routes: Dispatch, friend: tuple[str, str], pool: str, containers: FakeContainers
) -> None:
    user, _ = friend
    live(user, BUCKET, next(telegram), erasing.SLICE + 30)
    containers.ended(f"arn:task/{user}")
    times = itertools.chain([now_ms(), now_ms()], itertools.repeat(now_ms() + 3_600_000))
    slow = Removal(routes, Pool(pool), Schedules("", ""), BUCKET, lambda: next(times))
    person = Pool(pool).find(user)
    assert person is not None
    states = [slow.go_on(person)]
    while states[-1] is State.DELETING:
        states.append(Removal(routes, Pool(pool), Schedules("", ""), BUCKET).go_on(person))
    assert states == [State.DELETING, State.DONE]

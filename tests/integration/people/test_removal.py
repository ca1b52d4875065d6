"""The end of a person: first the agent, then the data, then the account; on real tables, a real bucket and a pool."""

import itertools
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.agents import removed
from chalicelib.agents.runtime import TaskInfo
from chalicelib.agents.schedules import Schedules
from chalicelib.agents.tasks import AlreadyActive, LeaseLost, Status, Tasks
from chalicelib.lifecycle import erasing, people
from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.lifecycle.removal import Removal, State
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Message
from chalicelib.people.hooks import Hooks
from chalicelib.people.linking import Linking
from chalicelib.people.owners import Removing
from chalicelib.people.pool import Pool
from chalicelib.people.servers import McpServers
from chalicelib.platform import aws
from chalicelib.platform.clock import now_ms
from chalicelib.wire.protocol import ProtocolError
from tests.support.fakes import FakeContainers
from tests.support.people import BUCKET, ONE, PATH, account, call, live, parameters, rows_of

pytestmark = pytest.mark.usefixtures("cloud")
Remove = Callable[[], tuple[int, Any]]


@pytest.fixture
def remove(routes: Dispatch, owner: str, friend: tuple[str, str]) -> Remove:
    user, email = friend
    return lambda: call(f"{owner}!", "DELETE", f"/people/{user}", {"email": email.upper()}, ONE)


def test_the_agent_ends_first(
    routes: Dispatch, remove: Remove, friend: tuple[str, str], containers: FakeContainers, pool: str
) -> None:
    """While it has not ended, nothing is deleted. But nothing can be written any more, by whomever."""
    user, email = friend
    live(user)
    generation = Tasks().get(user).generation
    containers.tasks[f"arn:task/{user}"] = TaskInfo(f"arn:task/{user}", user, generation, 0)
    for _ in range(2):
        assert remove() == (202, {"state": "stopping"})
    assert set(containers.stops) == {(f"arn:task/{user}", "its user was removed")}
    assert not aws.client("cognito-idp").admin_get_user(UserPoolId=pool, Username=email)["Enabled"]
    assert Conversations().list(user)
    with pytest.raises(LeaseLost):
        Tasks().heartbeat(user, generation)
    for clock in (now_ms, lambda: now_ms() + 3 * removed.KEPT):
        with pytest.raises(AlreadyActive):
            Tasks(clock).begin_start(user)
    assert call(user, "POST", "/ws-ticket")[0] == 401, "a token is good for an hour yet"
    with pytest.raises(ProtocolError, match="removed"):
        routes.accept(Message(user, uuid.uuid4().hex, "from an open tab", "main", now_ms()))


def test_a_person_is_removed_with_everything(
    remove: Remove, friend: tuple[str, str], containers: FakeContainers, pool: str
) -> None:
    """Of a neighbour, even with an id that begins with theirs, nothing is touched."""
    user, neighbour = friend[0], f"{friend[0]}1"
    token = live(user)
    live(neighbour)
    before = rows_of(neighbour)
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
    assert [neighbour in name for name in parameters() if f"mcp/{user}" in name] == [True], "that of a server"
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
    live(user)
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
    routes: Dispatch,
    friend: tuple[str, str],
    pool: str,
    containers: FakeContainers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(erasing, "SLICE", 2)
    user, _ = friend
    live(user)
    containers.ended(f"arn:task/{user}")
    times = itertools.chain([now_ms(), now_ms()], itertools.repeat(now_ms() + 3_600_000))
    slow = Removal(routes, Pool(pool), Schedules("", ""), BUCKET, McpServers(PATH), lambda: next(times))
    person = Pool(pool).find(user)
    assert person is not None
    states = [slow.go_on(person)]
    while states[-1] is State.DELETING:
        states.append(Removal(routes, Pool(pool), Schedules("", ""), BUCKET, McpServers(PATH)).go_on(person))
    assert states == [State.DELETING, State.DONE]


def test_a_token_that_no_row_names_goes_too(
    remove: Remove, friend: tuple[str, str], containers: FakeContainers
) -> None:
    """A function that dies between the token and its row leaves it; only its name says to whom it belongs."""
    user = friend[0]
    live(user)
    for name in (f"{user}/{'0' * 16}", f"{user}1/{'0' * 16}"):
        aws.client("ssm").put_parameter(Name=f"{PATH}mcp/{name}", Value="abc", Type="SecureString")
    containers.ended(f"arn:task/{user}")
    assert remove() == (200, {"state": "done"})
    tokens = parameters()
    assert [name for name in tokens if f"/{user}/" in name] == []
    assert len([name for name in tokens if f"/{user}1/" in name]) == 1, "a neighbour's"


def test_of_two_owners_who_remove_each_other_one_stays(
    routes: Dispatch, pool: str, owner: str, containers: FakeContainers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has been told that they may, before either has begun: one of them loses, and reads why."""
    email = f"{uuid.uuid4().hex[:8]}@example.com"
    other, looked, users = account(pool, email, owner=True), people.may_remove, Pool(pool)
    first, second = users.find(owner), users.find(other)
    assert first is not None
    assert second is not None

    def overtaken(*asked: Any) -> None:
        looked(*asked)
        monkeypatch.setattr(people, "may_remove", looked)
        people.begin_removal(users, other, first, first.email)

    monkeypatch.setattr(people, "may_remove", overtaken)
    status, told = call(f"{owner}!", "DELETE", f"/people/{other}", {"email": email}, ONE)
    assert (status, told["code"]) == (409, "OWNER_BUSY")
    assert users.owners() >= {owner, other}
    assert users.find(other) == second, "its account is as it was"
    assert call(f"{other}!", "DELETE", f"/people/{owner}", {"email": first.email}, ONE) == (200, {"state": "done"})
    assert call(f"{owner}!", "DELETE", f"/people/{other}", {"email": email}, ONE)[0] in (401, 403)
    assert users.owners() >= {other}


def test_another_owner_can_go_once_the_first_is_gone(
    routes: Dispatch, pool: str, owner: str, containers: FakeContainers
) -> None:
    """What one removal holds, it gives back: also when the last step's answer was lost."""
    emails = [f"{uuid.uuid4().hex[:8]}@example.com" for _ in range(2)]
    others = [account(pool, email, owner=True) for email in emails]
    Removing().claim(others[0], {owner, *others})
    with pytest.raises(ProtocolError) as busy:
        Removing().claim(others[1], {owner, *others})
    assert busy.value.code == "OWNER_BUSY"
    for other, email in zip(others, emails, strict=True):
        assert call(f"{owner}!", "DELETE", f"/people/{other}", {"email": email}, ONE) == (200, {"state": "done"})
    Removing().claim(others[0], {owner})
    assert Removing().claim(owner, {owner, "x"}), "one that is gone holds nothing"
    Removing().release(owner)

"""A user's hooks on real tables: made, found, counted, revoked."""

import threading
import uuid

import pytest

from chalicelib.people.hooks import MOST, Hooks
from chalicelib.platform.models import SettingItem
from chalicelib.wire.protocol import ProtocolError

pytestmark = pytest.mark.usefixtures("table_server")


@pytest.fixture
def user() -> str:
    return uuid.uuid4().hex


def test_a_hook_is_found_by_its_token_until_it_is_revoked(user: str) -> None:
    hooks = Hooks()
    hook, token = hooks.create(user, {"name": " GitHub ", "instruction": "Tell me."})
    assert (hook.name, hook.conversation_id, len(token)) == ("GitHub", f"hook-{hook.id}", 22)
    assert hooks.find(token).id == hook.id
    hooks.used(hook)
    hooks.used(hook)
    (listed,) = hooks.list(user)
    assert (listed.uses, listed.used_at > 0) == (2, True)
    with pytest.raises(ProtocolError):
        hooks.revoke(uuid.uuid4().hex, hook.id)
    hooks.revoke(user, hook.id)
    hooks.used(hook)
    assert hooks.list(user) == []
    for again in (lambda: hooks.find(token), lambda: hooks.revoke(user, hook.id)):
        with pytest.raises(ProtocolError) as refused:
            again()
        assert refused.value.code == "NOT_FOUND"


def test_the_token_is_stored_nowhere(user: str) -> None:
    _, token = Hooks().create(user, {"name": "n"})
    rows = [str(row.serialize()) for row in SettingItem.scan()]
    assert rows
    assert not [row for row in rows if token in row]


def test_there_are_never_more_than_the_limit(user: str) -> None:
    hooks = Hooks()
    full: list[str] = []

    def make() -> None:
        try:
            hooks.create(user, {"name": "n"})
        except ProtocolError as error:
            full.append(error.code)

    for _ in range(MOST - 2):
        make()
    threads = [threading.Thread(target=make) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hooks.list(user)) == MOST
    assert full == ["TOO_MANY"] * 3
    hooks.revoke(user, hooks.list(user)[0].id)
    make()
    assert len(hooks.list(user)) == MOST


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "a\nb"}, {"name": "x" * 61}, {"name": 7}, {"name": "n", "instruction": "x" * 2001},
     {"name": "n", "instruction": 1}, {"name": "n", "conversationId": "a#b"}],
)  # fmt: skip
def test_bad_fields_are_refused(user: str, body: dict[str, object]) -> None:
    with pytest.raises(ProtocolError) as refused:
        Hooks().create(user, body)
    assert refused.value.code == "BAD_FIELD"
    assert Hooks().list(user) == []


@pytest.mark.parametrize("token", ["", "x", "a" * 22, "../../x", "ü" * 22])
def test_what_is_no_token_is_unknown(token: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        Hooks().find(token)
    assert refused.value.code == "NOT_FOUND"

"""A user is who the token says, whatever a path, a query, a body or a frame names."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from chalicelib.messages.conversations import answer_row, question_row, title_key
from chalicelib.messages.inbox import Message
from chalicelib.platform.models import ConversationItem
from local.stack import Stack
from tests.support.client import Client, Frame, eventually
from tests.support.tables import conversation_rows, message_row, no_container, put_rows, waiting_ids

NOW = 1_800_000_000_000
SAID, TITLE, ID = "what nobody else may read", "what nobody else may see", "message-1"


@pytest.fixture
def victim(stack: Stack) -> Iterator[Client]:
    """Somebody with a stored conversation, `private`, that has a title."""
    victim = Client(stack)
    message = Message(victim.user_id, ID, SAID, "private", NOW)
    about: dict[str, Any] = {"conversation_id": "private", "title": TITLE, "preview": SAID, "updated_at": NOW}
    title = ConversationItem(victim.user_id, title_key("private"), **about)
    put_rows(stack, question_row(message), answer_row(message, f"You said {SAID}", "final", NOW), title)
    yield victim
    victim.close()


@pytest.fixture
def stranger(stack: Stack) -> Iterator[Client]:
    stranger = Client(stack)
    yield stranger
    stranger.close()


def rest(client: Client, method: str, path: str, named: str, **body: Any) -> requests.Response:
    """A call that names a user wherever one could think of."""
    names = {"userId": named, "user_id": named, "sub": named}
    headers = client.headers | {"X-User-Id": named}
    url = f"{client.stack.url}/api{path}"
    return requests.request(method, url, params=names, headers=headers, json=body | names, timeout=30)


def frame(client: Client, named: str, **fields: Any) -> Frame:
    """The answer to a frame that names a user."""
    client.say(fields | {"userId": named, "user_id": named, "sub": named})
    return client.until(lambda f: f["type"] != "status", 15)


def test_the_victim_can_read_what_the_stranger_asks_for(victim: Client) -> None:
    assert [message["content"] for message in victim.history("private")] == [SAID, f"You said {SAID}"]
    assert victim.rest("GET", "/conversations").json()["conversations"][0]["title"] == TITLE
    victim.say({"action": "getHistory", "conversationId": "private"})
    assert len(victim.until(lambda f: f["type"] == "history")["messages"]) == 2


def test_one_user_cannot_read_another_users_conversation(victim: Client, stranger: Client) -> None:
    for path in ("/conversations/private", f"/conversations/{victim.user_id}", "/conversations"):
        answer = rest(stranger, "GET", path, victim.user_id)
        assert answer.status_code == 200
        assert answer.json().get("messages", []) == answer.json().get("conversations", []) == []
    asked = frame(stranger, victim.user_id, action="getHistory", conversationId="private")
    assert asked == {"type": "history", "conversationId": "private", "messages": [], "before": None}
    asked = frame(stranger, victim.user_id, action="resume", conversationId="private")
    assert asked["code"] == "RUN_UNKNOWN"
    assert stranger.history("private") == []


def test_one_user_cannot_change_another_users_conversation(victim: Client, stranger: Client) -> None:
    before = conversation_rows(victim.stack, victim.user_id)
    assert len(before) == 3
    named = rest(stranger, "PUT", "/conversations/private", victim.user_id, title="mine now")
    assert (named.status_code, named.json()["code"]) == (404, "NOT_FOUND")
    for change in ({"model": "a/b"}, {"pinned": True}, {"folder": "mine"}):
        named = rest(stranger, "PUT", "/conversations/private", victim.user_id, **change)
        assert (named.status_code, named.json()["code"]) == (404, "NOT_FOUND")
    assert rest(stranger, "DELETE", "/conversations/private", victim.user_id).status_code == 204
    assert rest(stranger, "PUT", "/settings", victim.user_id, retentionDays=1).json()["code"] == "BAD_FIELD"
    assert conversation_rows(victim.stack, victim.user_id) == before
    assert victim.rest("GET", "/settings").json()["retentionDays"] is None
    assert conversation_rows(victim.stack, stranger.user_id) == []


def test_what_a_stranger_sends_in_anothers_name_is_the_strangers_own(victim: Client, stranger: Client) -> None:
    """Also under the id of a message that the victim sent."""
    stack, before = victim.stack, conversation_rows(victim.stack, victim.user_id)
    over_rest, told = uuid.uuid4().hex, f"I am {victim.user_id}"
    with no_container(stack, stranger.user_id, victim.user_id):
        sent = {"action": "sendMessage", "id": ID, "text": told, "conversationId": "private"}
        assert frame(stranger, victim.user_id, **sent) == {"type": "ack", "id": ID, "conversationId": "private"}
        sent = {"id": over_rest, "text": told, "conversationId": "private"}
        assert rest(stranger, "POST", "/messages", victim.user_id, **sent).status_code == 202
        assert set(waiting_ids(stack, stranger.user_id)) == {ID, over_rest}
        assert message_row(stack, stranger.user_id, ID)["text"] == told
        assert waiting_ids(stack, victim.user_id) == []
        assert message_row(stack, victim.user_id, ID) == message_row(stack, victim.user_id, over_rest) == {}
        mine = eventually(lambda: len(found := stranger.history("private")) == 2 and found)
    assert [message["content"] for message in mine] == [told, told]
    assert conversation_rows(stack, victim.user_id) == before
    victim.say({"action": "ping"})
    victim.until(lambda f: f["type"] == "pong")
    assert victim.kinds() == ["pong:"], "no frame of it came to the victim's tab"

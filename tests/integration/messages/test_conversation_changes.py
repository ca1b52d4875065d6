"""What a person changes of a conversation, on a real table: only that, and never of one that is gone."""

import uuid

import pytest

from chalicelib.messages.conversations import Change, Conversations, message_key, title_key
from chalicelib.platform.models import ConversationItem
from chalicelib.wire.protocol import ProtocolError

pytestmark = pytest.mark.usefixtures("table_server")
ALL = Change(title="Bread", model="custom/demo", pinned=True, folder="Baking")


@pytest.fixture
def user() -> str:
    user = uuid.uuid4().hex
    Conversations().touch(user, "c-1", "How do I bake bread?")
    return user


def test_each_attribute_is_changed_by_itself(user: str) -> None:
    conversations = Conversations()
    before = ConversationItem.get(user, title_key("c-1")).to_simple_dict()
    conversations.change(user, "c-1", Change(model="custom/demo"))
    conversations.change(user, "c-1", Change(pinned=True))
    conversations.change(user, "c-1", Change(folder="Baking"))
    changed = conversations.change(user, "c-1", Change(title="Bread"))
    assert (changed["title"], changed["model"], changed["pinned"]) == ("Bread", "custom/demo", True)
    assert changed["folder"] == "Baking"
    assert [changed] == conversations.list(user)
    after = ConversationItem.get(user, title_key("c-1")).to_simple_dict()
    chosen = {"model": "custom/demo", "pinned": True, "folder": "Baking"}
    assert after == before | {"title": "Bread", "titledBy": "user"} | chosen


def test_a_choice_that_is_taken_back_is_not_shown(user: str) -> None:
    conversations = Conversations()
    conversations.change(user, "c-1", ALL)
    shown = conversations.change(user, "c-1", Change(model="", pinned=False, folder=""))
    assert {"model", "pinned", "folder"} & set(shown) == set()
    assert conversations.model(user, "c-1") == "", "which is more than no choice"


def test_the_last_page_of_a_history_leads_to_no_empty_one(user: str) -> None:
    """DynamoDB gives a key to go on with also after the last row, if that fills the page; moto does not."""
    for number in range(4):
        item = ConversationItem(user, message_key("c-1", number, "m"), role="user", content=str(number))
        item.conversation_id, item.message_id = "c-1", f"m{number}"
        item.save()
    last = Conversations().page(user, "c-1", None, 2)
    first = Conversations().page(user, "c-1", last.before, 2)
    assert [message["content"] for message in first.messages + last.messages] == ["0", "1", "2", "3"]
    assert first.before is None


def test_a_message_keeps_the_pin_the_model_and_the_folder(user: str) -> None:
    conversations = Conversations()
    conversations.change(user, "c-1", ALL)
    conversations.touch(user, "c-1", "And rolls?")
    assert conversations.model(user, "c-1") == "custom/demo"
    assert conversations.list(user)[0]["pinned"] is True
    assert conversations.list(user)[0]["folder"] == "Baking"


def test_a_conversation_that_is_gone_is_not_made_anew(user: str) -> None:
    conversations = Conversations()
    conversations.delete(user, "c-1")
    pins = (Change(pinned=True), Change(pinned=False))
    for change in (*pins, Change(model="a/b"), Change(title="x"), Change(folder="x"), Change(folder="")):
        with pytest.raises(ProtocolError) as refused:
            conversations.change(user, "c-1", change)
        assert refused.value.code == "NOT_FOUND"
    assert conversations.list(user) == []
    assert conversations.model(user, "c-1") is None

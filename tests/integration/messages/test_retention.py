"""What is said is forgotten after the user's own number of days, its title and preview with it."""

import uuid

import pytest

from chalicelib.messages.conversations import Conversations, retention, title_key
from chalicelib.platform.clock import DAY, SECOND, now_ms
from chalicelib.platform.models import ConversationItem

pytestmark = pytest.mark.usefixtures("table_server")


def test_a_title_is_forgotten_with_its_last_message_and_kept_while_one_waits(cloud: str) -> None:
    user, now = uuid.uuid4().hex, now_ms()
    conversations = Conversations()

    def expires() -> float | None:
        row = ConversationItem.get(user, title_key("main"), consistent_read=True)
        return row.expires_at

    conversations.touch(user, "main", "a secret wish", retention(7, now))
    assert expires() == (now + 7 * DAY) // SECOND
    conversations.touch(user, "main", "another")  # accepted, not answered yet
    assert expires() is None

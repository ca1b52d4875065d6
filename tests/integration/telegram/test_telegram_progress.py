"""What of an answer is in a chat, on the real table."""

import uuid

import pytest

from chalicelib.telegram.progress import Progress, unfinished

pytestmark = pytest.mark.usefixtures("table_server")


@pytest.fixture
def user() -> str:
    return uuid.uuid4().hex


def test_an_answer_that_is_to_come_is_found_by_the_next_container(user: str) -> None:
    Progress(user, "m1", {"chatId": 7}).expect()
    [(message_id, value)] = unfinished(user)
    assert (message_id, value["chatId"], value["ids"]) == ("m1", 7, [])
    Progress(user, "m1", {"chatId": 7}).load()


def test_what_is_known_already_is_not_overwritten(user: str) -> None:
    sent = Progress(user, "m1", {"chatId": 7})
    sent.sending(5, "hello")
    sent.sent(41)
    sent.lined(42)
    again = Progress(user, "m1", {"chatId": 7})
    again.load()
    assert (again.ids, again.line) == ([41], 42)
    sent.expect()
    [(_, value)] = unfinished(user)
    assert value["ids"] == [41]
    sent.finish()
    Progress(user, "m1", {"chatId": 7}).expect()
    assert unfinished(user) == []

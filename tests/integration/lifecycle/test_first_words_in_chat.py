"""First words in a Telegram chat: one row says what the chat shows, whoever writes there."""

import pytest

from bridge.telegram.channel import Telegram
from chalicelib.messages.first_words import unclaimed
from chalicelib.messages.inbox import Message
from chalicelib.telegram.progress import NotFirst, Progress
from tests.integration.lifecycle.waking import claim

ABOUT = {"place": {"chatId": 1}, "conversationId": "main", "queuedAt": 1}


def progress_of(message: Message) -> Progress:
    return Progress(message.user_id, message.id, ABOUT)


def loaded(message: Message) -> Progress:
    """As the Bridge reads it when the turn begins."""
    progress = progress_of(message)
    progress.load()
    return progress


def test_the_agent_goes_on_in_the_message_that_was_sent(message: Message) -> None:
    first = progress_of(message)
    first.begin("Rome.", unclaimed(message))
    assert first.begun(7)
    claim(message)
    assert (loaded(message).ids, loaded(message).base) == ([7], 0)


def test_nothing_is_sent_once_a_container_has_the_message(message: Message) -> None:
    claim(message)
    with pytest.raises(NotFirst):
        progress_of(message).begin("Rome.", unclaimed(message))


def test_nothing_is_sent_twice(message: Message) -> None:
    progress_of(message).begin("Rome.", unclaimed(message))
    with pytest.raises(NotFirst):
        progress_of(message).begin("Rome.", unclaimed(message))


def test_what_the_agent_has_written_meanwhile_stays(message: Message) -> None:
    """It took the words for sent, and went on behind them."""
    first = progress_of(message)
    first.begin("Rome.", unclaimed(message))
    claim(message)
    agent = loaded(message)
    assert (agent.ids, agent.base) == ([], len("Rome."))
    agent.sent(8)
    agent.finish()
    assert not first.begun(7)
    assert (loaded(message).ids, loaded(message).done) == ([8], True)


def test_what_telegram_did_not_take_the_agent_says(message: Message) -> None:
    first = progress_of(message)
    first.begin("Rome.", unclaimed(message))
    assert first.begun(None)
    assert (loaded(message).ids, loaded(message).base) == ([], 0)


def test_both_know_the_same_row(message: Message) -> None:
    """The Bridge makes it for what it is about to save, the function for what it is about to say."""
    chat = Telegram(message.user_id, "", "https://telegram.example")
    chat.expect(message, {"chatId": 1})
    with pytest.raises(NotFirst):
        progress_of(message).begin("Rome.", unclaimed(message))

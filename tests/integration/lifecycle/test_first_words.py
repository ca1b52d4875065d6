"""The first words of an answer, said while the agent wakes up; the real agent goes on from them."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.stack import Stack
from tests.integration.outbox.test_lost import kill_all
from tests.integration.telegram.test_telegram_stack import paired
from tests.support.client import Client, Frame, eventually, stop_agent, text_of
from tests.support.stacks import running

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from running(tmp_path_factory.mktemp("stack"), FIRST_WORDS="true")


@pytest.fixture
def client(own_stack: Stack) -> Iterator[Client]:
    """A person with an agent that sleeps."""
    client = Client(own_stack)
    yield client
    stop_agent(client)
    client.close()


def first_words(client: Client, message_id: str, ended: bool = True) -> Frame:
    def wanted(frame: Frame) -> bool:
        return frame["type"] == "first_words" and frame["replyTo"] == message_id and frame["ended"] is ended

    return client.until(wanted, 20)


def answer_of(client: Client, message_id: str) -> Any:
    rows = [row for row in client.history() if row.get("replyTo") == message_id]
    return rows[0] if rows else None


def test_first_words_come_within_three_seconds_and_the_agent_goes_on_from_them(client: Client) -> None:
    """J3: shown at once, kept over a reload, one answer in the end, and remembered by the agent."""
    begun = time.monotonic()
    word = uuid.uuid4().hex[:8]
    asked = client.send(f"first: Rome is in Italy. say: And {word} is yours.")
    client.until(lambda frame: frame["type"] == "first_words", 10)
    assert time.monotonic() - begun < 3
    assert first_words(client, asked)["text"] == "Rome is in Italy."
    question = next(row for row in client.history() if row["messageId"] == asked)
    assert question["firstWords"]["text"] == "Rome is in Italy.", "a reload shows them while the agent starts"
    whole = f"Rome is in Italy.\n\nAnd {word} is yours."
    assert client.answer(asked) == whole
    row = answer_of(client, asked)
    assert (row["content"], row["reason"]) == (whole, "final")
    assert "firstWords" not in next(row for row in client.history() if row["messageId"] == asked)
    assert "Rome is in Italy." in client.ask("recall what I told you"), "the agent knows what was said for it"
    stop_agent(client)
    soul = client.rest("GET", "/notes/one?name=SOUL.md").json()
    client.rest("PUT", "/notes/one", {"name": "SOUL.md", "text": "Be a zanzibar.", "version": soul["version"]})
    asked = client.send("quote your instructions on zanzibar, run: echo looked")
    assert first_words(client, asked)["text"] == "Be a zanzibar.", "an edit that waits counts for them, too"
    done = client.answer(asked).removeprefix("Be a zanzibar.\n\n")
    assert "looked" in done, "what was promised without tools is done with them"


def test_a_container_that_dies_leaves_them_to_the_next_one(client: Client) -> None:
    """What the person was shown stays how the answer begins, once, whoever gives it."""
    told = " ".join(f"word{number}" for number in range(150))
    asked = client.send(f"first: One moment. say: {told}")
    first_words(client, asked)
    # In all that came: a chunk may end anywhere.
    client.until(lambda f: f["type"] == "stream_chunk" and "word9 " in text_of(client.frames, f["runId"]), 60)
    kill_all(client.stack)
    assert client.answer(asked, 120) == f"One moment.\n\n{told}"
    assert answer_of(client, asked)["content"] == f"One moment.\n\n{told}"


def test_a_silent_agent_confirms_them_and_a_second_delivery_says_nothing(client: Client) -> None:
    """Lambda delivers an asynchronous event once or more."""
    asked = client.send("first: Once.")
    first_words(client, asked)
    event = {"function": "first_words", "input": {"userId": client.user_id, "messageId": asked}}
    for _ in range(2):
        requests.post(f"{client.stack.internal_url}/events", json=event, timeout=30).raise_for_status()
    assert client.answer(asked) == "Once."
    assert answer_of(client, asked)["content"] == "Once."
    ended = [frame for frame in client.frames if frame["type"] == "first_words" and frame["ended"]]
    assert len(ended) == 1


def test_small_talk_wakes_nobody_and_the_agent_learns_of_it(client: Client) -> None:
    """For those who switched it on: the first answer stands until the agent is needed for something else."""
    client.rest("PUT", "/settings", {"smallTalk": True})
    asked = client.send("first: You are welcome.")
    said = client.until(lambda frame: frame["type"] == "message" and frame.get("replyTo") == asked, 10)
    assert (said["content"], said["reason"]) == ("You are welcome.", "final")
    assert not client.stack.pids()
    assert client.rest("GET", "/status").json()["status"] == "Idle"
    asked = client.send("first: Let me see. recall what I told you")
    assert first_words(client, asked)["text"] == "Let me see. recall what I told you"
    client.answer(asked)
    assert "You are welcome." in client.ask("recall what I told you")


def test_in_telegram_they_become_the_answer_in_the_same_message(own_stack: Stack) -> None:
    client, person = paired(own_stack)
    shown = person.ask("first: It is a fine day for that. say: **Done** now.", "First answer", 20)
    assert shown["text"].startswith("It is a fine day for that.")
    person.reply("Done now.", 60)
    answers = [message for message in person.everything() if "fine day" in message.get("text", "")]
    assert [(message["message_id"], message["text"]) for message in answers] == [
        (shown["message_id"], "It is a fine day for that.\n\nDone now.")
    ]
    eventually(lambda: not [text for text in person.texts() if "⏳" in text or "✅" in text], 10)
    stop_agent(client)
    silent = person.ask("first: Nothing more than this needs to be said.", "First answer", 20)
    confirmed = "Nothing more than this needs to be said."
    eventually(lambda: confirmed in person.texts(), 60)
    assert [one["message_id"] for one in person.messages() if one.get("text") == confirmed] == [silent["message_id"]]
    stop_agent(client)

"""The fault matrix, part three: trouble around one container that lives on through all of these tests."""

import time
from collections.abc import Iterator

import pytest
import requests

from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.faults import answers, fault, first_chunk, make_due, new_user
from tests.support.tables import message_row, put_unseen, task_row

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def user(stack: Stack) -> Iterator[Client]:
    """One user for all: starting a container takes longer than most of these tests."""
    for user in new_user(stack):
        user.close()  # each test opens tabs of its own
        yield user


@pytest.fixture
def client(stack: Stack, user: Client) -> Iterator[Client]:
    """A new tab of the user; the agent runs and is idle."""
    client = Client(stack, user.token)
    assert "= 2" in client.ask("What is 1+1?")
    yield client
    client.close()


def test_a_wake_is_lost(stack: Stack, client: Client) -> None:
    """The Bridge looks into its inbox by itself."""
    message_id = put_unseen(stack, client.user_id, "What is 7+7?")
    assert "= 14" in client.answer(message_id, 45)


def test_the_agents_socket_is_dropped(stack: Stack, client: Client) -> None:
    """It opens another one, drains, and is woken there."""
    old = task_row(stack, client.user_id)["agentConnectionId"]
    requests.delete(f"{stack.internal_url}/@connections/{old}", timeout=5)
    message_id = client.send("What is 8+8?")
    assert "= 16" in client.answer(message_id, 45)
    eventually(lambda: task_row(stack, client.user_id).get("agentConnectionId") not in (None, old))
    assert len(stack.pids()) == 1


def test_a_duplicate_message_id(stack: Stack, client: Client) -> None:
    message_id = client.send("What is 6+6?")
    client.send("What is 6+6?", message_id)
    client.answer(message_id)
    client.send("What is 6+6?", message_id)
    client.until(lambda f: f["type"] == "ack")
    client.ask("What is 1+2?")
    assert len(answers(client)[message_id]) == 1
    assert sum(f["type"] == "stream_end" and f["replyTo"] == message_id for f in client.frames) == 1


def test_the_browser_is_gone_in_mid_answer(stack: Stack, client: Client) -> None:
    """The run goes on and is saved."""
    message_id = client.send("count to 100")
    first_chunk(client, message_id)
    client.close()
    eventually(lambda: "99 100" in answers(client).get(message_id, [""])[0])
    client.reopen()


def test_a_reload_in_mid_answer_resumes(stack: Stack, client: Client) -> None:
    """A new socket asks for what it missed, and both parts are the whole."""
    message_id = client.send("count to 200")
    first_chunk(client, message_id)
    second = client.until(lambda f: f["type"] == "stream_chunk")
    client.reopen()
    time.sleep(1)
    client.say({"action": "resume", "runId": second["runId"], "lastSeq": second["seq"]})
    assert "199 200" in client.answer(message_id)


def test_two_tabs_see_the_same(stack: Stack, client: Client) -> None:
    other = Client(stack, client.token)
    message_id = client.send("count to 50")
    echoed = other.until(lambda f: f["type"] == "message")
    assert (echoed["messageId"], echoed["role"]) == (message_id, "user")
    assert client.answer(message_id) == other.answer(message_id)
    assert not [frame for frame in client.frames if frame["type"] == "message"]
    other.close()


def test_stop_keeps_the_partial_answer(stack: Stack, client: Client) -> None:
    message_id = client.send("count to 900")
    first_chunk(client, message_id)
    run_id = client.until(lambda f: f["type"] == "stream_chunk")["runId"]  # the first one may be a single word
    client.say({"action": "stop", "runId": run_id})
    end = client.until(lambda f: f["type"] == "stream_end")
    assert end["reason"] == "aborted"
    saved = next(row for row in client.history() if row.get("replyTo") == message_id)
    assert saved["reason"] == "aborted"
    assert saved["content"].startswith("1 2")
    assert "900" not in saved["content"]
    assert "= 3" in client.ask("What is 1+2?")


def test_a_word_that_openclaw_takes_for_a_command(stack: Stack, client: Client) -> None:
    """It starts no run: without an answer of ours the user would wait for five minutes, three times."""
    assert client.ask("Please stop!", 10).startswith("Nothing is running")
    assert "= 4" in client.ask("What is 1+3?")


def test_dynamodb_throttles(stack: Stack, client: Client) -> None:
    """Retried below the surface: nothing is lost, nobody is told."""
    for operation in ("PutItem", "TransactWriteItems", "GetItem", "UpdateItem"):
        fault(stack, operation, "ProvisionedThroughputExceededException", times=2)
    assert "= 18" in client.ask("What is 9+9?")


def test_the_providers_error_is_told_and_the_message_dies_after_three_tries(stack: Stack, client: Client) -> None:
    """It does not block the message behind it. The second wait, of 30 s, is made shorter here."""
    poison = client.send("please fail with a provider error")
    behind = client.send("What is 2+9?")
    assert "= 11" in client.answer(behind, 120)
    eventually(lambda: tries_of(stack, client, poison) == ("queued", "2"), 90)
    make_due(stack, client.user_id, poison)
    client.send("What is 2+10?")
    dead = client.until(lambda f: f["type"] == "error" and f["code"] == "MESSAGE_DEAD", 150)
    assert dead["id"] == poison
    assert message_row(stack, client.user_id, poison)["status"] == "dead"


def tries_of(stack: Stack, client: Client, message_id: str) -> tuple[str, str]:
    row = message_row(stack, client.user_id, message_id)
    return row["status"], row["attempts"]

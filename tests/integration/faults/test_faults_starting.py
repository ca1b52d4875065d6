"""The fault matrix, part one: containers that do not start, or start while much is going on."""

import threading
import uuid
from collections.abc import Iterator

import pytest

from chalicelib.agents.runtime import MICROVM
from local.stack import Stack
from tests.support.client import Client, eventually, sign_up
from tests.support.faults import answers, fault, new_user, no_room, no_start, tick
from tests.support.processes import only_task
from tests.support.stacks import ENGINE
from tests.support.tables import put_unseen, task_row

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    yield from new_user(stack)


def test_twenty_concurrent_first_messages(stack: Stack, client: Client) -> None:
    """One task, twenty answers, none lost, none doubled."""
    ids = [f"{number:02}-{uuid.uuid4().hex}" for number in range(20)]
    threads = [
        threading.Thread(target=client.rest, args=("POST", "/messages", {"id": i, "text": f"fast what is {n}+100?"}))
        for n, i in enumerate(ids)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bridge = only_task(stack)
    eventually(lambda: len(answers(client)) == 20, 90)
    assert only_task(stack) == bridge
    assert task_row(stack, client.user_id)["generation"] == "1"
    for number, message_id in enumerate(ids):
        assert len(answers(client)[message_id]) == 1
        assert f"= {number + 100}" in answers(client)[message_id][0]


def test_messages_while_starting_are_answered_in_order(stack: Stack, client: Client) -> None:
    ids = []
    for number in range(3):
        ids.append(client.send(f"fast what is {number}+1?"))
        client.until(lambda f: f["type"] == "ack")
    ends = [client.until(lambda f: f["type"] == "stream_end", 90)["replyTo"] for _ in ids]
    assert ends == ids


def test_the_start_fails(stack: Stack, client: Client) -> None:
    """The sender is told; the message is kept and answered after the watchdog's next tick."""
    no_start(stack)
    message_id = client.send("What is 4+4?")
    error = client.until(lambda f: f["type"] == "error")
    assert (error["code"], error["id"]) == ("START_FAILED", message_id)
    tick(stack)
    assert "= 8" in client.answer(message_id)


@pytest.mark.skipif(ENGINE == MICROVM, reason="a MicroVM has one price, so there is no second try")
def test_spot_has_no_capacity(stack: Stack, client: Client) -> None:
    """The second try, on demand, goes through without anybody noticing."""
    fault(stack, "RunTask", "ClientException", "Capacity is unavailable at this time. Please try again later")
    assert "= 9" in client.ask("What is 4+5?")
    assert not [frame for frame in client.frames if frame["type"] == "error"]


def test_no_capacity_at_all(stack: Stack, client: Client) -> None:
    no_room(stack)
    message_id = client.send("What is 5+5?")
    assert client.until(lambda f: f["type"] == "error")["code"] == "CAPACITY"
    behind = client.send("What is 5+6?")  # the next message tries again, and takes the first one along
    assert "= 10" in client.answer(message_id)
    assert "= 11" in client.answer(behind)


def test_a_stranded_message_without_a_task(stack: Stack, client: Client) -> None:
    """Accepted, then the function died before it could start anything: the watchdog starts."""
    message_id = put_unseen(stack, client.user_id, "What is 7+8?")
    tick(stack)
    assert "= 15" in client.answer(message_id)


def test_a_new_user_gets_a_container_of_their_own(stack: Stack, client: Client) -> None:
    other = Client(stack, sign_up(stack))
    first, second = client.send("What is 1+1?"), other.send("What is 2+2?")
    assert "= 2" in client.answer(first)
    assert "= 4" in other.answer(second)
    assert len(stack.pids()) == 2
    assert [row["content"] for row in other.history() if row["role"] == "user"] == ["What is 2+2?"]
    other.rest("POST", "/stop-agent")
    other.close()

"""A container started before anybody came, and the users who come."""

import uuid
from collections.abc import Iterator

import pytest
import requests

from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.processes import loader_of, only_task, openclaw_of
from tests.support.stacks import running
from tests.support.tables import dynamodb, table, task_row

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A deployment that prewarms; the schedule's tick is given by hand."""
    yield from running(tmp_path_factory.mktemp("stack"), PREWARM_CRONS="0 0 1 1 ? 2099")


def waiting_row(stack: Stack) -> bool:
    rows = dynamodb(stack).scan(TableName=table("TaskState"))["Items"]
    found = [row for row in rows if row["userId"]["S"].startswith("prewarm#") and row["status"]["S"] == "Running"]
    return bool(found) and "agentConnectionId" in found[0] and "prewarmUser" not in found[0]


def prewarmed(stack: Stack) -> set[str]:
    """The one task that waits. EventBridge may deliver a tick twice; each minute's row is used once."""

    def one_waits() -> bool:
        for _ in range(2):
            requests.post(f"{stack.internal_url}/events", json={"function": "prewarm"}, timeout=30).raise_for_status()
        return waiting_row(stack)

    eventually(one_waits, 120, every=1)
    tasks = set(stack.pids())
    assert len(tasks) == 1
    return tasks


def stop_agent(client: Client) -> None:
    client.rest("POST", "/stop-agent")
    eventually(lambda: not client.stack.pids(), 40)


def test_two_users_race_for_one_prewarmed_container(own_stack: Stack) -> None:
    """One gets it warm, the other a container of their own; neither sees the other's workspace."""
    waiting = prewarmed(own_stack)
    first, second = Client(own_stack), Client(own_stack)
    markers = [uuid.uuid4().hex, uuid.uuid4().hex]
    ids = [
        client.send(f"run: echo {marker} > mine.txt") for client, marker in zip((first, second), markers, strict=True)
    ]
    for client, message_id in zip((first, second), ids, strict=True):
        client.answer(message_id)
    assert len(own_stack.pids()) == 2
    assert waiting < set(own_stack.pids()), "the prewarmed container went on with one of them"
    theirs = [(first, markers[0], markers[1]), (second, markers[1], markers[0])]
    for client, mine, other in theirs:
        shown = client.ask("run: cat mine.txt; ls ..")
        assert mine in shown
        assert other not in shown
        assert len(client.history()) == 4
    for client in (first, second):
        client.rest("POST", "/stop-agent")
        client.close()
    eventually(lambda: not own_stack.pids(), 40)
    again = first.rest("GET", "/status").json()
    assert again["status"] == "Idle", "the claimed container's end freed its user's row"


def test_a_returning_user_gets_it_too_and_finds_their_memory(own_stack: Stack) -> None:
    """OpenClaw is loaded in it already, and starts on what was restored."""
    client, marker = Client(own_stack), uuid.uuid4().hex
    client.ask(f"run: echo {marker} > mine.txt")
    stop_agent(client)
    waiting = prewarmed(own_stack)
    loaded = loader_of(only_task(own_stack))
    assert marker in client.ask("run: cat mine.txt")
    assert set(own_stack.pids()) == waiting, "no other task was started"
    assert openclaw_of(only_task(own_stack)) == loaded, "the process that had loaded it"
    row = task_row(own_stack, client.user_id)
    assert (row["generation"], {row["taskArn"]}) == ("2", waiting)
    assert marker in client.ask("recall what I told you"), "the conversation too"
    assert len(client.history()) == 6
    stop_agent(client)
    client.close()
    assert client.rest("GET", "/status").json()["status"] == "Idle"

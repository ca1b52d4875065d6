"""A container started before anybody came, and the users who come."""

import uuid
from collections.abc import Iterator

import pytest
import requests

from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.stacks import running
from tests.support.tables import dynamodb, table

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A deployment that prewarms; the schedule's tick is given by hand."""
    yield from running(tmp_path_factory.mktemp("stack"), PREWARM_CRONS="0 0 1 1 ? 2099")


def waiting_row(stack: Stack) -> bool:
    rows = dynamodb(stack).scan(TableName=table("TaskState"))["Items"]
    found = [row for row in rows if row["userId"]["S"].startswith("prewarm#") and row["status"]["S"] == "Running"]
    return bool(found) and "agentConnectionId" in found[0] and "prewarmUser" not in found[0]


def test_two_users_race_for_one_prewarmed_container(own_stack: Stack) -> None:
    """One gets it warm, the other a container of their own; neither sees the other's workspace."""
    for _ in range(2):  # EventBridge may deliver twice
        requests.post(f"{own_stack.internal_url}/events", json={"function": "prewarm"}, timeout=30).raise_for_status()
    eventually(lambda: waiting_row(own_stack), 60)
    prewarmed = set(own_stack.pids())
    assert len(prewarmed) == 1
    first, second = Client(own_stack), Client(own_stack)
    markers = [uuid.uuid4().hex, uuid.uuid4().hex]
    ids = [
        client.send(f"run: echo {marker} > mine.txt") for client, marker in zip((first, second), markers, strict=True)
    ]
    for client, message_id in zip((first, second), ids, strict=True):
        client.answer(message_id)
    assert len(own_stack.pids()) == 2
    assert prewarmed < set(own_stack.pids()), "the prewarmed container went on with one of them"
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

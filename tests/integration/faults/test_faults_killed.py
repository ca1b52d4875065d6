"""The fault matrix, part two: processes killed for real. Whatever happens, one answer for each message."""

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.demo_model import reply
from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.faults import answers, first_chunk, new_user
from tests.support.processes import alive, kill, only_task, openclaw_of
from tests.support.tables import dynamodb, message_row, table, task_row

pytestmark = pytest.mark.timeout(180)
# How OpenClaw tells the model to go on (2026.9.1).
RESUMED = "Your previous turn was interrupted by a gateway restart"


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    yield from new_user(stack)


def last_starts(client: Client) -> list[tuple[int, str, str | None]]:
    """What Status tells of them; the row of a start that has just become ready is written beside its first turn."""

    def known() -> list[dict[str, Any]] | None:
        starts: list[dict[str, Any]] = client.rest("GET", "/starts").json()["starts"]
        return starts if starts and starts[0]["state"] != "starting" else None

    return [(start["generation"], start["state"], start.get("end")) for start in eventually(known, 10)]


def test_killed_before_the_turn(stack: Stack, client: Client) -> None:
    """SIGKILL while it boots: the next container answers."""
    message_id = client.send("What is 2+3?")
    kill(only_task(stack))
    assert "= 5" in client.answer(message_id)
    assert len(answers(client)[message_id]) == 1


def test_killed_during_the_turn(stack: Stack, client: Client) -> None:
    """SIGKILL in mid-answer: a new run of the same message replaces the half answer."""
    message_id = client.send("count to 150")
    first = first_chunk(client, message_id)
    kill(only_task(stack))
    text = client.answer(message_id)
    assert "149 150" in text
    assert client.frames[-1]["runId"] != first["runId"]
    assert len(answers(client)[message_id]) == 1


def test_killed_after_the_turn(stack: Stack, client: Client) -> None:
    client.ask("What is 1+1?")
    kill(only_task(stack))
    eventually(lambda: task_row(stack, client.user_id)["status"] == "Idle")
    assert "= 4" in client.ask("What is 2+2?")
    assert all(len(found) == 1 for found in answers(client).values())
    assert last_starts(client) == [(2, "awake", None), (1, "killed", None)]


def test_sigterm_in_mid_turn(stack: Stack, client: Client) -> None:
    """Exit within 30 s; the turn is answered once, by this task or the next."""
    message_id = client.send("count to 700")  # 14 s at least: more than a turn is given to end
    first_chunk(client, message_id)
    bridge, begun = only_task(stack), time.monotonic()
    openclaw = openclaw_of(bridge)
    kill(bridge, signal.SIGTERM)
    eventually(lambda: not alive(bridge), 30)
    print(f"gone after {time.monotonic() - begun:.1f} s")
    assert not alive(openclaw)
    assert "699 700" in client.answer(message_id)
    assert last_starts(client) == [(2, "awake", None), (1, "ended", "told")]
    assert len(answers(client)[message_id]) == 1
    assert message_row(stack, client.user_id, message_id)["attempts"] == "1"


def test_sigterm_while_it_starts(stack: Stack, client: Client) -> None:
    """It does not boot to the end first: the row is free at once and the next container answers."""
    message_id = client.send("What is 3+4?")
    client.until(lambda f: f["type"] == "status" and f.get("phase") == "booting")
    ((arn, bridge),) = stack.pids().items()
    kill(bridge, signal.SIGTERM)
    eventually(lambda: arn in stack.exits(), 15)
    assert stack.exits()[arn] == 0
    assert "= 7" in client.answer(message_id)
    assert len(answers(client)[message_id]) == 1


def test_openclaw_crashes_in_mid_turn(stack: Stack, client: Client) -> None:
    """The Bridge brings it back; the turn that OpenClaw resumes is the answer: whole, once, as it was streamed."""
    client.ask("What is 1+1?")
    message_id = client.send("count to 120")
    first_chunk(client, message_id)
    bridge = only_task(stack)
    kill(openclaw_of(bridge))
    text = client.answer(message_id)
    assert text == reply("count to 120")
    assert only_task(stack) == bridge
    assert answers(client)[message_id] == [text]
    said = client.ask("recall what I told you")
    assert said.count("count to 120") == 1, "it was not sent again"
    assert said.count(RESUMED) == 1, "OpenClaw went on with it by itself"


def test_an_old_task_wakes_up_after_its_lease_was_lost(stack: Stack, client: Client) -> None:
    """Frozen in mid-turn, replaced, thawed: it writes nothing and ends itself."""
    client.ask("What is 1+1?")
    message_id = client.send("count to 150")
    first_chunk(client, message_id)
    old = only_task(stack)
    kill(old, signal.SIGSTOP)
    expired = {":zero": {"N": "0"}}
    key = {"userId": {"S": client.user_id}}
    update = {"UpdateExpression": "SET leaseUntil = :zero, busyUntil = :zero", "ExpressionAttributeValues": expired}
    dynamodb(stack).update_item(TableName=table("TaskState"), Key=key, **update)
    requests.delete(
        f"{stack.internal_url}/@connections/{task_row(stack, client.user_id)['agentConnectionId']}", timeout=5
    )
    client.send("What is 2+2?")
    eventually(lambda: task_row(stack, client.user_id)["generation"] == "2")
    kill(old, signal.SIGCONT)
    eventually(lambda: len(answers(client)) == 3, 90)
    eventually(lambda: not alive(old), 60)
    assert all(len(found) == 1 for found in answers(client).values())
    assert task_row(stack, client.user_id)["generation"] == "2"

"""A container started before anybody came, and the users who come."""

import time
import uuid
from collections.abc import Iterator

import pytest
import requests

from chalicelib.agents.activity import PREFIX
from chalicelib.agents.habits import PREFIX as HABIT
from chalicelib.people.machine_price import machine_price
from chalicelib.platform.clock import MINUTE, now_ms
from local.stack import Stack
from tests.support.client import Client, Frame, eventually, stop_agent
from tests.support.habits import tick, usually_here
from tests.support.processes import alive, loader_of, only_task, openclaw_of
from tests.support.stacks import running
from tests.support.tables import dynamodb, table, task_row, update_task

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A deployment that prewarms; the schedule's tick is given by hand."""
    early = {"PREWARM_BUDGET_USD": "0.30", "WAKE_REST_SECONDS": "2"}
    yield from running(tmp_path_factory.mktemp("stack"), PREWARM_CRONS="0 0 1 1 ? 2099", **early)


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
    """OpenClaw runs in it already, on an empty workspace: a second one is loaded, and starts on what was restored."""
    client, marker = Client(own_stack), uuid.uuid4().hex
    client.ask(f"run: echo {marker} > mine.txt")
    stop_agent(client)
    waiting = prewarmed(own_stack)
    task = only_task(own_stack)
    empty, loaded = openclaw_of(task), loader_of(task)
    assert marker in client.ask("run: cat mine.txt")
    assert set(own_stack.pids()) == waiting, "no other task was started"
    assert openclaw_of(task) == loaded, "the process that had loaded it"
    assert not alive(empty), "it would go on with databases that are deleted"
    row = task_row(own_stack, client.user_id)
    assert (row["generation"], {row["taskArn"]}) == ("2", waiting)
    assert marker in client.ask("recall what I told you"), "the conversation too"
    assert len(client.history()) == 6
    stop_agent(client)
    client.close()
    assert client.rest("GET", "/status").json()["status"] == "Idle"
    starts = client.rest("GET", "/starts").json()["starts"]
    assert [(start["kind"], start["end"]) for start in starts] == [("claimed", "asked"), ("cold", "asked")]


def is_running(client: Client) -> bool:
    return task_row(client.stack, client.user_id).get("status") == "Running"


def seen(client: Client) -> int:
    """How many frames have come until now."""
    client.say({"action": "ping"})
    client.until(lambda frame: frame["type"] == "pong", 10)
    return len(client.frames)


def comes(own_stack: Stack, client: Client, hour: int) -> Frame:
    """The usual hour: the agent is awake before its user writes. What Status says then."""
    tick(own_stack)
    row = task_row(own_stack, client.user_id)
    assert row["status"] == "Starting"
    assert int(row["earlyUntil"]) > now_ms() + 30 * MINUTE
    eventually(lambda: is_running(client), 60)
    tick(own_stack)
    asked = time.time()
    assert "42" in client.ask("What is 21*2?")
    print(f"answered {time.time() - asked:.1f} s after the question")
    row = task_row(own_stack, client.user_id)
    assert row["generation"] == "1"
    assert "earlyUntil" not in row
    early = eventually(lambda: (now := client.rest("GET", "/status").json()["early"])["ready"] and now, 10)
    assert (early["starts"], early["ready"], early["budgetUsd"]) == (1, 1, 0.30)
    assert 0 < early["usd"] < 0.005, "the rest was given back"
    name, soon = f"{HABIT}{client.user_id}", now_ms() + 6 * 24 * 60 * MINUTE
    visit = eventually(lambda: int((row := task_row(own_stack, name))["wakeAt"]) > soon and row, 10)
    assert (visit["habitHour"], "earlyUntil" in visit) == (str(hour), False), "next week"
    return dict(early)


def test_the_agent_is_awake_in_the_usual_hour_and_on_intent(own_stack: Stack) -> None:
    """A message then is answered without a start. Nobody comes: the container goes, and that is counted."""
    client = Client(own_stack)
    hour = usually_here(own_stack, client.user_id)
    early = comes(own_stack, client, hour)
    stop_agent(client)

    before = seen(client)
    for _ in range(2):
        client.say({"action": "intent"})
    eventually(lambda: task_row(own_stack, client.user_id).get("generation") == "2", 10)
    update_task(own_stack, client.user_id, earlyUntil=now_ms())  # ten minutes pass while it starts
    eventually(lambda: not own_stack.pids(), 60, every=0.2)
    row = task_row(own_stack, client.user_id)
    assert (row["status"], row["failedStarts"]) == ("Idle", "0"), "it was ready, and went"
    frames = client.frames[before : seen(client)]
    told = {frame["type"] for frame in frames}
    assert told <= {"status", "pong", "automations", "saved"}, "nobody is told more than what the page shows silently"
    update_task(own_stack, f"{HABIT}{client.user_id}", earlyUntil=now_ms() - 1, wakeAt=now_ms() - 1)
    tick(own_stack)
    key = {"userId": {"S": client.user_id}, "key": {"S": f"{PREFIX}{hour}"}}
    missed = dynamodb(own_stack).get_item(TableName=table("Settings"), Key=key)["Item"]["misses"]
    assert missed == {"N": "1"}
    after = client.rest("GET", "/status").json()["early"]
    assert (after["starts"], after["ready"]) == (2, 1)
    assert after["usd"] == pytest.approx(early["usd"] + 13 / 60 * machine_price().hour, abs=0.0002)
    client.close()

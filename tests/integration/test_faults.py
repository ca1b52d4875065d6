"""The fault matrix: real processes, killed for real. Whatever happens, one answer for each message."""

import signal
import threading
import time
import uuid
from collections.abc import Iterator

import pytest
import requests

from local.stack import Stack
from tests.support.client import Client, Frame, eventually, sign_up
from tests.support.processes import alive, kill, only_task, openclaw_of
from tests.support.tables import dynamodb, message_row, put_unseen, table, task_row

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    """A new user; their task is gone afterwards."""
    client = Client(stack)
    yield client
    client.close()
    client.rest("POST", "/stop-agent")
    eventually(lambda: not stack.pids(), 40)


def answers(client: Client) -> dict[str, list[str]]:
    """The saved answers by the message they answer."""
    found: dict[str, list[str]] = {}
    for row in client.history():
        if row["role"] == "assistant":
            found.setdefault(row["replyTo"], []).append(row["content"])
    return found


def first_chunk(client: Client, message_id: str) -> Frame:
    return client.until(lambda f: f["type"] == "stream_chunk" and f["replyTo"] == message_id, 90)


def fault(stack: Stack, operation: str, code: str, message: str = "", times: int = 1, status: int = 400) -> None:
    body = {"__type": code, "message": message}
    faults = [{"operation": operation, "status": status, "body": body}] * times
    requests.post(f"{stack.cloud_url}/_local/faults", json=faults, timeout=5).raise_for_status()


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


def test_killed_before_the_turn(stack: Stack, client: Client) -> None:
    """SIGKILL while it boots: the next container answers."""
    message_id = client.send("What is 2+3?")
    kill(only_task(stack))
    assert "= 5" in client.answer(message_id)
    assert len(answers(client)[message_id]) == 1


def test_killed_during_the_turn(stack: Stack, client: Client) -> None:
    """SIGKILL in mid-answer: a new run of the same message replaces the half answer."""
    message_id = client.send("count to 300")
    first = first_chunk(client, message_id)
    kill(only_task(stack))
    text = client.answer(message_id)
    assert "299 300" in text
    assert client.frames[-1]["runId"] != first["runId"]
    assert len(answers(client)[message_id]) == 1


def test_killed_after_the_turn(stack: Stack, client: Client) -> None:
    client.ask("What is 1+1?")
    kill(only_task(stack))
    eventually(lambda: task_row(stack, client.user_id)["status"] == "Idle")
    assert "= 4" in client.ask("What is 2+2?")
    assert all(len(found) == 1 for found in answers(client).values())


def test_sigterm_in_mid_turn(stack: Stack, client: Client) -> None:
    """Exit within 30 s; the turn is answered once, by this task or the next."""
    message_id = client.send("count to 900")  # some 18 s: more than a turn is given to end
    first_chunk(client, message_id)
    bridge, begun = only_task(stack), time.monotonic()
    openclaw = openclaw_of(bridge)
    kill(bridge, signal.SIGTERM)
    eventually(lambda: not alive(bridge), 30)
    print(f"gone after {time.monotonic() - begun:.1f} s")
    assert not alive(openclaw)
    assert "899 900" in client.answer(message_id)
    assert len(answers(client)[message_id]) == 1
    assert message_row(stack, client.user_id, message_id)["attempts"] == "1"


def test_run_task_fails(stack: Stack, client: Client) -> None:
    """The sender is told; the message is kept and answered after the watchdog's next tick."""
    fault(stack, "RunTask", "ClientException", "The task definition is inactive")
    message_id = client.send("What is 4+4?")
    error = client.until(lambda f: f["type"] == "error")
    assert (error["code"], error["id"]) == ("START_FAILED", message_id)
    requests.post(f"{stack.internal_url}/events", json={"function": "watchdog"}, timeout=30).raise_for_status()
    assert "= 8" in client.answer(message_id)


def test_spot_has_no_capacity(stack: Stack, client: Client) -> None:
    """The second try, on demand, goes through without anybody noticing."""
    fault(stack, "RunTask", "ClientException", "Capacity is unavailable at this time. Please try again later")
    assert "= 9" in client.ask("What is 4+5?")
    assert not [frame for frame in client.frames if frame["type"] == "error"]


def test_no_capacity_at_all(stack: Stack, client: Client) -> None:
    fault(stack, "RunTask", "ClientException", "Capacity is unavailable at this time", times=2)
    message_id = client.send("What is 5+5?")
    assert client.until(lambda f: f["type"] == "error")["code"] == "CAPACITY"
    client.send("What is 5+6?")  # the next message tries again, and takes the first one along
    assert "= 10" in client.answer(message_id)


def test_a_wake_is_lost(stack: Stack, client: Client) -> None:
    """The Bridge looks into its inbox by itself."""
    client.ask("What is 1+1?")
    message_id = put_unseen(stack, client.user_id, "What is 7+7?")
    assert "= 14" in client.answer(message_id, 45)


def test_a_stranded_message_without_a_task(stack: Stack, client: Client) -> None:
    """Accepted, then the function died before it could start anything: the watchdog starts."""
    message_id = put_unseen(stack, client.user_id, "What is 7+8?")
    requests.post(f"{stack.internal_url}/events", json={"function": "watchdog"}, timeout=30).raise_for_status()
    assert "= 15" in client.answer(message_id)


def test_the_agents_socket_is_dropped(stack: Stack, client: Client) -> None:
    """It opens another one, drains, and is woken there."""
    client.ask("What is 1+1?")
    old = task_row(stack, client.user_id)["agentConnectionId"]
    requests.delete(f"{stack.internal_url}/@connections/{old}", timeout=5)
    message_id = client.send("What is 8+8?")
    assert "= 16" in client.answer(message_id, 45)
    eventually(lambda: task_row(stack, client.user_id).get("agentConnectionId") not in (None, old))
    assert len(stack.pids()) == 1


def test_openclaw_crashes_in_mid_turn(stack: Stack, client: Client) -> None:
    """The Bridge brings it back; the turn that OpenClaw resumes is the answer, once."""
    client.ask("What is 1+1?")
    message_id = client.send("count to 200")
    first_chunk(client, message_id)
    bridge = only_task(stack)
    kill(openclaw_of(bridge))
    text = client.answer(message_id)
    assert text
    assert only_task(stack) == bridge
    assert len(answers(client)[message_id]) == 1
    assert "= 6" in client.ask("What is 3+3?")


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
    run_id = first_chunk(client, message_id)["runId"]
    client.say({"action": "stop", "runId": run_id})
    end = client.until(lambda f: f["type"] == "stream_end")
    assert end["reason"] == "aborted"
    saved = next(row for row in client.history() if row["role"] == "assistant")
    assert saved["reason"] == "aborted"
    assert saved["content"].startswith("1 2")
    assert "900" not in saved["content"]
    assert "= 3" in client.ask("What is 1+2?")


def test_dynamodb_throttles(stack: Stack, client: Client) -> None:
    """Retried below the surface: nothing is lost, nobody is told."""
    client.ask("What is 1+1?")
    for operation in ("PutItem", "TransactWriteItems", "GetItem", "UpdateItem"):
        fault(stack, operation, "ProvisionedThroughputExceededException", times=2)
    assert "= 18" in client.ask("What is 9+9?")


def test_an_old_task_wakes_up_after_its_lease_was_lost(stack: Stack, client: Client) -> None:
    """Frozen in mid-turn, replaced, thawed: it writes nothing and ends itself."""
    client.ask("What is 1+1?")
    message_id = client.send("count to 400")
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


def test_the_providers_error_is_told_and_the_message_dies_after_three_tries(stack: Stack, client: Client) -> None:
    """It does not block the message behind it."""
    poison = client.send("please fail with a provider error")
    behind = client.send("What is 2+9?")
    assert "= 11" in client.answer(behind, 120)
    dead = client.until(lambda f: f["type"] == "error" and f["code"] == "MESSAGE_DEAD", 150)
    assert dead["id"] == poison
    assert message_row(stack, client.user_id, poison)["status"] == "dead"


def test_a_new_user_gets_a_container_of_their_own(stack: Stack, client: Client) -> None:
    other = Client(stack, sign_up(stack))
    first, second = client.send("What is 1+1?"), other.send("What is 2+2?")
    assert "= 2" in client.answer(first)
    assert "= 4" in other.answer(second)
    assert len(stack.pids()) == 2
    assert [row["content"] for row in other.history() if row["role"] == "user"] == ["What is 2+2?"]
    other.rest("POST", "/stop-agent")
    other.close()

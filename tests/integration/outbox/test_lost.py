"""A container that dies between what OpenClaw says and what is delivered: still once, and soon."""

import json
import time
from typing import Any

import pytest
import requests

from local.stack import Stack
from tests.integration.outbox.test_wake import reminder
from tests.integration.telegram.test_telegram_stack import paired
from tests.support.client import Client, eventually
from tests.support.faults import ENDLESS, fault
from tests.support.processes import kill
from tests.support.push import PushDevice
from tests.support.stacks import logs_of
from tests.support.tables import keys_of, task_row

pytestmark = pytest.mark.timeout(200)


def test_killed_between_the_commit_and_the_delivery(own_stack: Stack) -> None:
    client, person = paired(own_stack)
    device = PushDevice(client)
    client.ask(reminder(20))
    due = client.rest("GET", "/automations").json()["automations"][0]["nextRunAt"] / 1000
    time.sleep(max(due - 0.5 - time.time(), 0))
    fault(own_stack, "PutItem", "ValidationException", "no", times=ENDLESS)  # nothing is delivered
    time.sleep(max(due + 2.5 - time.time(), 0))
    kill_all(own_stack)
    no_more_faults(own_stack)
    came = client.until(lambda f: f.get("reason") == "proactive", 60)
    print(f"delivered {time.time() - due:.0f} s after its time")
    assert came["content"] == "Please water the plants."
    person.reply("🔔 Reminder: water the plants")
    eventually(lambda: client.rest("GET", "/automations").json()["automations"] == [], 10)
    eventually(lambda: not own_stack.pids(), 40)
    assert [shown["body"] for shown in device.shown()] == ["Please water the plants."]
    rows = [row for row in client.history() if row.get("reason") == "proactive"]
    assert [row["content"] for row in rows] == ["Please water the plants."]
    assert len([text for text in person.texts() if text.startswith("🔔")]) == 1


def test_killed_between_the_delivery_and_the_push(own_stack: Stack) -> None:
    """The row that owes the push outlives the container; one is started to send it, under the same tag."""
    client = Client(own_stack)
    device = PushDevice(client)
    client.ask("What is 1+1?")
    device.fault(503, times=50)
    said = json.dumps({"action": "send", "message": "The tea is ready."})
    client.ask(f"call message {said}")
    eventually(lambda: "The tea is ready." in [row["content"] for row in client.history()], 10)
    (owed,) = keys_of(own_stack, client.user_id, "push-owed#")
    for pid in own_stack.pids().values():
        kill(pid)
    device.fault(503, times=0)
    device.shown(seconds=60)
    eventually(lambda: keys_of(own_stack, client.user_id, owed) == [], 10)
    assert [shown["body"] for shown in device.shown()] == ["The tea is ready."]
    client.rest("POST", "/stop-agent")
    eventually(lambda: not own_stack.pids(), 30)


def saves(stack: Stack) -> int:
    """How many snapshots all containers have written."""
    return sum(path.read_text(errors="replace").count('"event": "saved"') for path in logs_of(stack))


def no_more_faults(stack: Stack) -> None:
    requests.post(f"{stack.cloud_url}/_local/faults", json=[], timeout=5).raise_for_status()


def test_killed_behind_a_delivery_and_while_a_helper_works(own_stack: Stack) -> None:
    """The memory is older than both: the daily automation does not run again, and the helper's report arrives."""
    client, person = paired(own_stack)
    client.ask("What is 1+1?")
    known = ran_and_was_killed(own_stack, client)
    client.ask("What is 1+1?")
    assert automation(client) == known, "neither put off by two minutes nor run"
    assert len([row for row in client.history() if row.get("reason") == "proactive"]) == 1
    client.rest("POST", f"/automations/{known['id']}", {"action": "delete"})

    task = {"task": "wait 6 seconds, then say: The helper is done."}
    client.ask(f"call sessions_spawn {json.dumps(task)}")
    eventually(lambda: task_row(own_stack, client.user_id).get("wakeAt"), 10)
    killed = time.time()
    kill_all(own_stack)
    end = client.until(lambda f: f["type"] == "stream_end" and f["replyTo"].startswith("interrupted-"), 60)
    print(f"reported {time.time() - killed:.0f} s after the kill")
    assert end["reason"] == "final"
    person.reply("🔔 Interrupted work\n\nThe helper is done.")
    rows = [row for row in client.history() if row.get("cause") == "Interrupted work"]
    assert [row["role"] for row in rows] == ["user", "assistant"]
    assert rows[1]["content"] == "The helper is done."
    eventually(lambda: not own_stack.pids(), 40)
    assert "wakeAt" not in task_row(own_stack, client.user_id), "nothing more to do"
    assert automation(client) is None, "what was deleted stays deleted"
    assert len([text for text in person.texts() if "The helper is done." in text]) == 1


def ran_and_was_killed(stack: Stack, client: Client) -> dict[str, Any]:
    """A daily automation has run, the container dies, and no snapshot knows of it; the automation as it was then."""
    before, first, day = saves(stack), int(time.time() * 1000) + 6_000, 86_400_000
    job: dict[str, Any] = {"name": "plants", "schedule": {"kind": "every", "everyMs": day, "anchorMs": first}}
    job["payload"] = {"kind": "agentTurn", "message": "say: Please water the plants."}
    client.ask(f"call automations {json.dumps({'action': 'add', 'job': job})}")
    eventually(lambda: saves(stack) > before, 5)
    fault(stack, "PutObject", "InternalError", "no", times=100, status=500)
    client.until(lambda f: f.get("reason") == "proactive", 30)
    known: dict[str, Any] = eventually(lambda: "lastRunAt" in (automation(client) or {}) and automation(client), 10)
    assert 0 <= known["nextRunAt"] - (first + day) < 10_000
    kill_all(stack)
    no_more_faults(stack)
    return known


def automation(client: Client) -> dict[str, Any] | None:
    listed: list[dict[str, Any]] = client.rest("GET", "/automations").json()["automations"]
    return listed[0] if listed else None


def kill_all(stack: Stack) -> None:
    for pid in stack.pids().values():
        kill(pid)

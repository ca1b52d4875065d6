"""A container that dies between what OpenClaw says and what is delivered: still once, and soon."""

import json
import time

import pytest
import requests

from local.stack import Stack
from tests.integration.outbox.test_wake import reminder
from tests.integration.telegram.test_telegram_stack import paired
from tests.support.client import Client, eventually
from tests.support.faults import fault
from tests.support.processes import kill
from tests.support.push import PushDevice
from tests.support.tables import keys_of

pytestmark = pytest.mark.timeout(200)


def test_killed_between_the_commit_and_the_delivery(own_stack: Stack) -> None:
    client, person = paired(own_stack)
    device = PushDevice(client)
    client.ask(reminder(20))
    due = client.rest("GET", "/automations").json()["automations"][0]["nextRunAt"] / 1000
    time.sleep(max(due - 0.5 - time.time(), 0))
    fault(own_stack, "PutItem", "ValidationException", "no", times=40)  # nothing is delivered
    time.sleep(max(due + 2.5 - time.time(), 0))
    for pid in own_stack.pids().values():
        kill(pid)
    no_more_faults(own_stack)
    came = client.until(lambda f: f.get("reason") == "proactive", 60)
    print(f"delivered {time.time() - due:.0f} s after its time")
    assert came["content"] == "Please water the plants."
    person.reply("🔔 Reminder: water the plants", 10)
    eventually(lambda: client.rest("GET", "/automations").json()["automations"] == [], 10)
    eventually(lambda: not own_stack.pids(), 40)
    assert [shown["body"] for shown in device.shown()] == ["Please water the plants."]
    rows = [row for row in client.history() if row.get("reason") == "proactive"]
    assert [row["content"] for row in rows] == ["Please water the plants."]
    assert len([text for text in person.texts() if text.startswith("🔔")]) == 1


def test_killed_between_the_delivery_and_the_push(own_stack: Stack) -> None:
    """The row that owes the push outlives the container; the next one sends it, under the same tag."""
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
    assert device.state()["messages"] == []
    client.ask("What is 2+2?")
    assert [shown["body"] for shown in device.shown()] == ["The tea is ready."]
    eventually(lambda: keys_of(own_stack, client.user_id, owed) == [], 10)


def no_more_faults(stack: Stack) -> None:
    requests.post(f"{stack.cloud_url}/_local/faults", json=[], timeout=5).raise_for_status()

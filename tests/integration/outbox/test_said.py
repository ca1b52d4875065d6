"""What the agent says outside an answer, on the real gateway: it arrives once, wherever it belongs."""

import json
import subprocess
import uuid

import pytest

from local.stack import Stack
from tests.integration.telegram.test_telegram_stack import paired
from tests.support.client import Client, Frame, eventually
from tests.support.push import PushDevice
from tests.support.tables import keys_of
from tests.support.telegram import Person

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def pair(stack: Stack) -> tuple[Client, Person]:
    """A web account and its Telegram account, with a running agent."""
    client, person = paired(stack)
    client.ask("What is 1+1?")
    return client, person


def proactive(client: Client, text: str, seconds: float = 30) -> Frame:
    """The next one with that text; `until` keeps what came before it."""
    return client.until(lambda f: f.get("reason") == "proactive" and text in f["content"], seconds)


def call(tool: str, **arguments: object) -> str:
    return f"call {tool} {json.dumps(arguments)}"


def once(client: Client, person: Person, text: str, cause: str) -> None:
    """In the history, in every tab and in the chat, each time once and with its cause."""
    rows = [row for row in client.history() if row.get("reason") == "proactive" and text in row["content"]]
    assert [row["cause"] for row in rows] == [cause]
    assert "replyTo" not in rows[0]
    shown = [f for f in client.frames if f["type"] == "message" and f.get("messageId") == rows[0]["messageId"]]
    assert len(shown) == 1
    person.reply(f"🔔 {cause}")
    assert len([one for one in person.texts() if one.startswith(f"🔔 {cause}")]) == 1


def test_the_message_tool(pair: tuple[Client, Person]) -> None:
    client, person = pair
    asked = client.send(call("message", action="send", message="By the way: tea is ready."))
    proactive(client, "tea is ready")
    client.answer(asked)
    once(client, person, "tea is ready", "Message from your agent")


def test_a_push_when_nobody_looks_and_none_when_somebody_does(pair: tuple[Client, Person]) -> None:
    client, _ = pair
    device = PushDevice(client)
    client.say({"action": "visible", "visible": True})
    client.ask(call("message", action="send", message="Somebody looks."))
    eventually(lambda: "Somebody looks." in [row["content"] for row in client.history()], 10)
    eventually(lambda: not keys_of(client.stack, client.user_id, "push-owed#"), 10)
    client.say({"action": "visible", "visible": False})
    device.fault(503)
    client.ask(call("message", action="send", message="Nobody looks."))
    (shown,) = device.shown()
    assert (shown["title"], shown["body"]) == ("Message from your agent", "Nobody looks.")
    assert shown["conversationId"] == "main"
    client.rest("PUT", "/settings", {"pushText": False})
    client.ask(call("message", action="send", message="On a lock screen."))
    assert device.shown(2)[-1].keys() == {"title", "tag", "conversationId"}
    (listed,) = client.rest("GET", "/push").json()["devices"]
    assert (listed["name"], "lastUsedAt" in listed) == ("Phone", True)
    assert client.rest("DELETE", f"/push/{device.id}").json() == {"devices": []}
    assert client.rest("DELETE", f"/push/{device.id}").json()["code"] == "NOT_FOUND"
    assert client.rest("POST", "/push", {"endpoint": "https://127.0.0.1/"}).json()["code"] == "BAD_ENDPOINT"
    assert device.state()["refused"] == []


def test_a_helper_that_ends_after_the_turn(pair: tuple[Client, Person]) -> None:
    client, person = pair
    client.ask(call("sessions_spawn", task="wait 4 seconds, then say: The helper is done."))
    proactive(client, "The helper is done.")
    once(client, person, "The helper is done.", "Helper finished")


def test_a_command_that_ends_after_the_turn(pair: tuple[Client, Person]) -> None:
    client, person = pair
    client.ask(call("exec", command="sleep 3; echo say: The oven is hot.", background=True))
    found = proactive(client, "")
    assert found["cause"] == "Background command finished"
    once(client, person, found["content"], "Background command finished")


def test_work_behind_the_turn_is_listed_and_stopped(pair: tuple[Client, Person]) -> None:
    """A helper from the page, a command with its process in Telegram; neither is heard of again."""
    client, person = pair

    def work() -> dict[str, str]:
        return {one["kind"]: one["id"] for one in client.rest("GET", "/automations").json()["work"]}

    seconds = f"{uuid.uuid4().int % 10_000 + 70_000}.5"  # known among all processes of this machine
    client.ask(call("exec", command=f"sleep {seconds}", background=True))
    client.ask(call("sessions_spawn", task="wait 60 seconds, then say: Nobody waits for this."))
    running = eventually(lambda: len(work()) == 2 and work(), 20)
    client.rest("POST", f"/automations/{running['subagent']}", {"action": "stop"})
    eventually(lambda: set(work()) == {"exec"}, 20)
    assert client.rest("POST", f"/automations/{running['exec']}", {"action": "pause"}).status_code == 404
    person.ask("/automations", f"sleep {seconds}", 10)
    assert runs(f"sleep {seconds}")
    person.ask("/automations stop 1", "is stopped.", 10)
    eventually(lambda: work() == {} and not runs(f"sleep {seconds}"), 20)


def runs(command: str) -> bool:
    return subprocess.run(["pgrep", "-f", f"^{command}"], stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_a_reminder_while_it_is_awake(pair: tuple[Client, Person]) -> None:
    client, person = pair
    job = {"name": "water the plants", "schedule": {"kind": "every", "everyMs": 5000}}
    job["payload"] = {"kind": "agentTurn", "message": "say: Please water the plants."}
    client.ask(call("automations", action="add", job=job))
    found = proactive(client, "Please water the plants.")
    assert found["cause"] == "Reminder: water the plants, every 5 seconds"
    eventually(lambda: [text for text in person.texts() if text.startswith("🔔 Reminder: water the plants")], 10)


def test_automations_in_telegram_and_by_rest(pair: tuple[Client, Person]) -> None:
    """The one of the test before: listed, paused, run, deleted; the agent is awake and does it at once."""
    client, person = pair

    def listed() -> list[Frame]:
        found: list[Frame] = client.rest("GET", "/automations").json()["automations"]
        return found

    person.ask("/automations", "1. water the plants, every 5 seconds", 10)
    person.ask("/automations pause 1", "“water the plants” is paused.", 10)
    eventually(lambda: listed()[0]["enabled"] is False and "asked" not in listed()[0], 10)
    path = f"/automations/{listed()[0]['id']}"
    client.frames.clear()
    assert client.rest("POST", path, {"action": "run"}).status_code == 200
    assert proactive(client, "Please water the plants.")["cause"].startswith("Reminder: water the plants")
    client.rest("POST", path, {"action": "delete"})
    eventually(lambda: listed() == [], 10)
    assert client.rest("POST", path, {"action": "run"}).status_code == 404
    assert client.rest("POST", path, {"action": "explode"}).json()["code"] == "BAD_FIELD"
    person.ask("/automations", "There are none.", 10)

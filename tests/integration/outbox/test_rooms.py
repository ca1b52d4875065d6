"""What a page asks of the running agent, and what is said in OpenClaw's own console, on the real gateway.

One agent for all of it; at the end its container is killed.
"""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from local.stack import Stack
from tests.integration.outbox.test_lost import kill_all, no_more_faults, saves
from tests.support.clawhub import VERSION, ClawHub
from tests.support.client import Client, Frame, eventually, stop_agent
from tests.support.faults import ENDLESS, fault
from tests.support.skilled import manual
from tests.support.tables import keys_of

pytestmark = pytest.mark.timeout(150)
CONNECT = {"minProtocol": 3, "maxProtocol": 4, "role": "operator", "auth": {"token": "of the page"}}
KETTLE = "wait 2 seconds, then say: The kettle is on."


@pytest.fixture(scope="module")
def client(own_stack: Stack) -> Iterator[Client]:
    """With an agent that is awake."""
    client = Client(own_stack)
    client.ask("What is 1+1?")
    yield client
    stop_agent(client)


class Console:
    """A tunnel of a tab, without the Control UI."""

    def __init__(self, client: Client) -> None:
        self._client, self._tunnel, self._seq = client, uuid.uuid4().hex, 0
        self._say("open")
        self.request("connect", CONNECT)

    def _say(self, kind: str, **more: Any) -> None:
        self._client.say({"action": "console", "tunnel": self._tunnel, "kind": kind, **more})

    def request(self, method: str, params: dict[str, Any]) -> None:
        """Returns with the first word of the gateway's answer."""
        self._seq += 1
        asked = {"type": "req", "id": f"r{self._seq}", "method": method, "params": params}
        self._say("data", seq=self._seq, more=False, data=json.dumps(asked))
        self._client.until(lambda f: f["type"] == "console" and f'"r{self._seq}"' in f.get("data", ""), 20)

    def send(self, text: str) -> str:
        name = str(uuid.uuid4())
        self.request("chat.send", {"sessionKey": "main", "message": text, "idempotencyKey": name, "deliver": False})
        return name

    def used(self) -> None:
        self._say("used")


def asked(client: Client, method: str, subject: Any) -> Frame:
    name = uuid.uuid4().hex
    client.say({"action": "request", "id": name, "method": method, "subject": subject})
    return client.until(lambda f: f.get("id") == name and f["type"] in ("response", "error"))


def first_line(frame: Frame) -> str:
    """Without what the demo model says of itself."""
    return str(frame["content"]).partition("\n")[0].strip("*")


def exchanges(client: Client) -> list[str]:
    return [first_line(row) for row in client.history()]


def shown(client: Client, text: str) -> Frame:
    return client.until(lambda f: f["type"] == "message" and first_line(f) == text, 30)


def folders(client: Client) -> list[str]:
    return [one["folder"] for one in client.rest("GET", "/skills").json()["skills"] if one.get("folder")]


def test_a_skill_of_the_registry_is_found_checked_and_installed(client: Client, clawhub: ClawHub) -> None:
    clawhub.publish("tea-maker", steps__brew=b"Boil.")
    clawhub.publish("tea-linked", links=("passwd",), passwd=b"/etc/passwd")
    clawhub.publish("tea-named", head=manual("weather"))
    clawhub.publish("tea-evil", "blocked")
    found = asked(client, "skills.search", "tea-m")["result"]["results"]
    assert [(one["ref"], one["version"], one["unscanned"]) for one in found] == [("@ada/tea-maker", VERSION, False)]
    detail = asked(client, "skills.detail", found[0]["ref"])["result"]
    assert (detail["owner"], detail["changes"]) == ("ada", "Less bitter")
    done = asked(client, "skills.install", found[0]["ref"])
    assert done.get("result") == {"slug": "tea-maker", "version": VERSION, "saved": True}, done
    eventually(lambda: folders(client) == ["tea-maker"], 10)
    codes = {"tea-maker": "SKILL_EXISTS", "tea-linked": "SKILL_LINK", "tea-named": "SKILL_RESERVED"}
    codes |= {"tea-evil": "HUB_BLOCKED", "tea-none": "HUB_NOT_FOUND"}
    assert {name: asked(client, "skills.install", f"@ada/{name}").get("code") for name in codes} == codes
    assert asked(client, "skills.install", "../evil")["code"] == "BAD_FIELD"
    clawhub.down = True
    refused = asked(client, "skills.search", "tea")
    clawhub.down = False
    assert refused["code"] == "HUB_UNREACHABLE", refused


def test_the_memorys_index_is_asked(client: Client) -> None:
    """By words in any order, and what the agent has just written."""
    note = {"path": "MEMORY.md", "content": "# Notes\n\nThe dentist is on Thursday at noon.\n"}
    client.ask(f"call write {json.dumps(note)}")
    found = asked(client, "memory.search", "thursday dentist")["result"]["hits"]
    assert [(hit["name"], "dentist is on Thursday" in hit["text"]) for hit in found] == [("MEMORY.md", True)]


def test_what_is_said_in_the_console_is_in_the_history_even_if_the_container_dies(client: Client) -> None:
    stack, before = client.stack, len(exchanges(client))
    console = Console(client)
    name = console.send("What is 17*3?")
    shown(client, "What is 17*3?")
    answer = shown(client, "17*3 = 51")
    assert (answer["replyTo"], answer["reason"], answer["conversationId"]) == (name, "final", "main")
    client.ask("What is 2+2?")
    said = ["What is 17*3?", "17*3 = 51", "What is 2+2?", "2+2 = 4"]
    assert exchanges(client)[before:] == said

    console.send(KETTLE)
    assert len(keys_of(stack, client.user_id, "console#")) == 1
    fault(stack, "PutItem", "ValidationException", "no", times=ENDLESS)  # OpenClaw commits, and we cannot
    client.until(lambda f: f["type"] == "console" and "The kettle is on." in f.get("data", ""), 20)
    snapshots = saves(stack)
    console.used()
    eventually(lambda: saves(stack) > snapshots, 20)
    kill_all(stack)
    no_more_faults(stack)
    client.ask("What is 3+3?")
    eventually(lambda: "The kettle is on." in exchanges(client), 20)
    assert exchanges(client)[before:] == [*said, KETTLE, "The kettle is on.", "What is 3+3?", "3+3 = 6"]
    assert keys_of(stack, client.user_id, "console#") == []
    assert folders(client) == ["tea-maker"]

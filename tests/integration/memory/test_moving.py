"""A person goes back, moves out and moves in: by REST, with the real gateway."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from local import tools
from local.cloud.bridges import free_port
from local.stack import ROOT, Stack
from tests.support.client import Client, eventually, stop_agent

pytestmark = pytest.mark.timeout(200)
SECRET = "sk-plain-7Qm2"


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    client = Client(stack)
    yield client
    stop_agent(client)
    client.close()


def points(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.rest("GET", "/memory").json()["points"]
    return found


def ended(client: Client) -> dict[str, Any]:
    """The last request, once it is done or has failed."""

    def last() -> Any:
        found = client.rest("GET", "/memory").json()["last"]
        return found if found["status"] != "pending" else None

    found: dict[str, Any] = eventually(last, 90, every=0.5)
    return found


def upload(client: Client, content: bytes) -> dict[str, Any]:
    place = client.rest("POST", "/memory/upload").json()
    form = {"data": place["fields"], "files": {"file": content}}
    assert requests.post(place["uploadUrl"], **form, timeout=30).ok
    assert client.rest("POST", "/memory/import", {"id": place["id"]}).status_code == 202
    return ended(client)


@pytest.mark.parametrize("asleep", [False, True])
def test_going_back_by_rest(stack: Stack, client: Client, asleep: bool) -> None:
    client.ask("run: echo first > note.txt")
    wanted = eventually(lambda: points(client), 20)[0]["id"]
    client.ask("run: echo second > note.txt")
    eventually(lambda: len(points(client)) > 1, 20)
    if asleep:
        stop_agent(client)
    asked = client.rest("POST", "/memory/restore", {"id": wanted})
    assert asked.status_code == 202, asked.text
    assert ended(client)["status"] == "done"
    assert "first" in client.ask("run: cat note.txt")
    assert "before restore" in {point["reason"] for point in points(client)}


def test_what_is_asked_wrongly(client: Client) -> None:
    assert client.rest("GET", "/memory").json() == {"points": [], "last": None}
    assert client.rest("POST", "/memory/restore", {"id": "17"}).json()["code"] == "NOT_FOUND"
    assert client.rest("POST", "/memory/restore", {"id": 17}).json()["code"] == "BAD_FIELD"
    assert client.rest("POST", "/memory/import", {"id": "../x"}).json()["code"] == "BAD_FIELD"
    assert upload(client, b"this is no archive")["status"] == "failed"
    busy = client.rest("POST", "/memory/export")
    assert busy.status_code == 202
    again = client.rest("POST", "/memory/export")
    assert again.status_code == 409 or ended(client)["status"] == "done"
    ended(client)


def test_an_export_holds_everything_and_is_taken_in_elsewhere(stack: Stack, client: Client) -> None:
    word, marker = f"tangerine{uuid.uuid4().hex[:6]}", uuid.uuid4().hex
    client.ask(f"my favourite word is {word}")
    client.ask(f"run: echo {marker} > note.txt")
    assert client.rest("POST", "/memory/export").status_code == 202
    done = ended(client)
    assert done["status"] == "done", done
    content = requests.get(done["downloadUrl"], timeout=30).content
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.read(".openclaw/workspace/note.txt").decode().strip() == marker
    assert json.loads(archive.read("settings.json"))["timeZone"]
    transcripts = [archive.read(name).decode() for name in archive.namelist() if name.startswith("transcripts/")]
    assert len(transcripts) == 2
    assert all(word in text for text in transcripts)
    stop_agent(client)

    other = Client(stack)
    try:
        other.ask("run: echo mine > note.txt")
        assert upload(other, content)["status"] == "done"
        assert marker in other.ask("run: cat note.txt")
        assert word in other.ask("recall what I told you")
        assert "before import" in {point["reason"] for point in points(other)}
    finally:
        stop_agent(other)
        other.close()


@pytest.fixture
def model() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", "local.demo_model"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}/v1"
    process.kill()
    process.wait()
    process.stdout.close()


def plain_configuration(model: str, home: Path) -> dict[str, Any]:
    """As a person writes it at home: a key, a channel's token, a folder of that machine."""
    entry = {"id": "demo", "name": "demo", "contextWindow": 128000, "maxTokens": 4096}
    provider = {"baseUrl": model, "apiKey": SECRET, "api": "openai-completions", "models": [entry]}
    defaults = {"model": {"primary": "home/demo"}, "workspace": str(home / ".openclaw" / "workspace")}
    return {
        "gateway": {"mode": "local", "bind": "loopback", "auth": {"mode": "token", "token": SECRET}},
        "agents": {"defaults": defaults},
        "models": {"mode": "merge", "providers": {"home": provider}},
    }


def live_plainly(home: Path, model: str, text: str) -> None:
    """OpenClaw of the pinned version without anything of ours: one exchange in its main conversation."""
    found, port = tools.find(), free_port()
    (home / ".openclaw").mkdir(parents=True)
    (home / ".openclaw" / "openclaw.json").write_text(json.dumps(plain_configuration(model, home)))
    command = [str(found.node), str(found.openclaw), "gateway", "run", "--port", str(port)]
    env = {"HOME": str(home), "PATH": f"{found.node.parent}:/usr/bin:/bin", "OPENCLAW_SKIP_CHANNELS": "1"}
    process = subprocess.Popen(
        command, env=env, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        gateway = eventually(lambda: connected(port), 60, every=0.5)
        run = uuid.uuid4().hex
        events = gateway.watch(run)
        gateway.request("chat.send", {"sessionKey": "main", "message": text, "idempotencyKey": run})
        while events.get(timeout=60)["payload"].get("state") != "final":
            pass
        gateway.close()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def connected(port: int) -> Gateway | None:
    gateway = Gateway(f"ws://127.0.0.1:{port}", SECRET)
    try:
        gateway.connect()
    except (GatewayClosed, GatewayError):
        gateway.close()
        return None
    return gateway


def test_a_plain_openclaw_folder_is_taken_in_and_its_conversation_goes_on(
    stack: Stack, client: Client, tmp_path: Path, model: str
) -> None:
    word = f"tangerine{uuid.uuid4().hex[:6]}"
    live_plainly(tmp_path, model, f"my favourite word is {word}")
    (tmp_path / ".openclaw" / "workspace" / "MEMORY.md").write_text("The cat is called Ada.\n")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(tmp_path / ".openclaw", ".openclaw")
    assert upload(client, packed.getvalue())["status"] == "done"
    assert word in client.ask("recall what I told you")
    assert "called Ada" in client.ask("run: cat MEMORY.md")
    assert SECRET not in client.ask("run: cat ../openclaw.json")

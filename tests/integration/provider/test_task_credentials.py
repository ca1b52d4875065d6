"""The task role's credentials, as ECS offers them: found by the Bridge, out of the agent's reach.

ECS serves them at a link-local address, under a path with a random id that is in the container's
environment only. Here a stand-in on loopback does, and the Bridge has no other credentials.
"""

import json
import os
import re
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.client import Client
from tests.support.processes import only_task, openclaw_of
from tests.support.stacks import running

AGENT = 10002
SECRET, TOKEN = f"secret-{uuid.uuid4().hex}", f"token-{uuid.uuid4().hex}"
pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(os.geteuid() != 0, reason="switching users needs root, which the container has"),
]
# Everything an agent would try that knows ECS, EC2 and this project, but not the id.
GUESSES = """
/ /v2/credentials /v2/credentials/ /v2/metadata /v3 /v4 /v2/stats /v2/credentials/self /v2/credentials/..
/latest/meta-data/iam/security-credentials/ /latest/api/token /latest/dynamic/instance-identity/document /creds
""".split()  # noqa: SIM905


class Endpoint(ThreadingHTTPServer):
    """ECS's credential endpoint: the one path with the id answers, every other one is refused."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.path = f"/v2/credentials/{uuid.uuid4()}"
        self.served = 0
        self.refused: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        if self.path != self.server.path:
            self.server.refused.append(self.path)
            self.send_error(400)
            return
        self.server.served += 1
        until = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"AccessKeyId": "ASIALOCAL", "SecretAccessKey": SECRET, "Token": TOKEN, "Expiration": until}
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        """No line for each request."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def client(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A user with a task that gets its credentials only from the endpoint."""
    disks = Path(tempfile.mkdtemp(prefix="agents-"))
    disks.chmod(0o711)
    uri = f"http://127.0.0.1:{endpoint.server_port}{endpoint.path}"
    prefix = f"env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_CONTAINER_CREDENTIALS_FULL_URI={uri}"
    env = {"AGENT_UID": str(AGENT), "LOCAL_TASKS": str(disks), "LOCAL_TASK_PREFIX": prefix}
    for stack in running(tmp_path_factory.mktemp("stack"), **env):
        client = Client(stack)
        assert "= 2" in client.ask("What is 1+1?")
        yield client
        client.close()
    shutil.rmtree(disks, ignore_errors=True)


def secrets_of(endpoint: Endpoint) -> list[str]:
    return [SECRET, TOKEN, "ASIALOCAL", endpoint.path.rsplit("/", 1)[-1]]


def test_the_bridge_lives_on_them(endpoint: Endpoint, client: Client) -> None:
    environ = Path(f"/proc/{only_task(client.stack)}/environ").read_text()
    assert endpoint.path in environ
    assert "AWS_SECRET_ACCESS_KEY" not in environ
    assert endpoint.served >= 1


def test_the_agents_environment_has_neither_credential_nor_path(endpoint: Endpoint, client: Client) -> None:
    home = Path(os.readlink(f"/proc/{openclaw_of(only_task(client.stack))}/cwd"))
    # Into a file: OpenClaw shortens what a command prints, and what is looked for might be in that part.
    said = client.ask("run: (printenv; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline) > ~/seen 2>/dev/null; id -u")
    assert str(AGENT) in said
    seen = (home / "seen").read_text(errors="replace")
    assert f"HOME={home}" in seen
    assert "bridge" in seen, "the Bridge's command line is open, its environment is not"
    assert not re.findall(r"AWS_(?:CONTAINER|ACCESS|SECRET|SESSION|ROLE|WEB)\w*|ECS_\w+", seen)
    assert not [secret for secret in secrets_of(endpoint) if secret in seen]


def test_nothing_that_the_agent_can_read_names_the_path(endpoint: Endpoint, client: Client) -> None:
    """Its home, what is below /tmp, and the memory of other processes."""
    identifier = endpoint.path.rsplit("/", 1)[-1]
    bridge = only_task(client.stack)
    # The id is put together by the shell: else its own command line would be what it finds.
    halves = f"id={identifier[:18]}; id=$id{identifier[18:]}"
    places = "find ~ /run /dev/shm /tmp /var/tmp -maxdepth 3 -type f -size -1024k -readable"
    shown = client.ask(f"run: {halves}; {places} -exec grep -lsF -- $id {{}} + 2>/dev/null | head; echo searched")
    assert "searched" in shown
    # The transcript of this very conversation holds the two halves, not the whole.
    assert not [line for line in shown.splitlines() if line.startswith("/")]
    shown = client.ask(
        f"run: head -c 1 /proc/{bridge}/mem; head -c 1 /proc/{bridge}/auxv; ls /proc/{bridge}/fd; echo end"
    )
    assert shown.count("Permission denied") == 3


def test_guessed_paths_give_nothing(endpoint: Endpoint, client: Client) -> None:
    """The address itself is no secret and can be reached by every process of a task."""
    served = endpoint.served
    script = (
        "(async()=>{for(const p of process.argv.slice(1)){"
        f"const r=await fetch('http://127.0.0.1:{endpoint.server_port}'+p);console.log(r.status)"
        "}})()"
    )
    shown = client.ask(f'run: node -e "{script}" {" ".join(GUESSES)}; echo asked')
    assert "asked" in shown
    assert shown.count("400") == len(GUESSES)
    assert len(endpoint.refused) >= len(GUESSES)
    assert endpoint.served == served

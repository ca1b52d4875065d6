"""The agent as its own user, as in the container: what its shell can see and what it cannot.

Needs root to switch users; the container and CI have it.
"""

import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.processes import alive, kill, only_task, openclaw_of
from tests.support.stacks import running

AGENT = 10002
pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(os.geteuid() != 0, reason="switching users needs root, which the container has"),
]


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with task disks in a folder that another user may enter."""
    disks = Path(tempfile.mkdtemp(prefix="agents-"))
    disks.chmod(0o711)
    yield from running(tmp_path_factory.mktemp("stack"), AGENT_UID=str(AGENT), LOCAL_TASKS=str(disks))
    shutil.rmtree(disks, ignore_errors=True)


@pytest.fixture(scope="module")
def client(own_stack: Stack) -> Iterator[Client]:
    client = Client(own_stack)
    client.ask("What is 1+1?")
    yield client
    client.close()


SECRETS = re.compile(r"AWS_|ECS_CONTAINER|AWS_CONTAINER|TELEGRAM|BRIDGE_|SECRET_ACCESS|PARAMETER_PATH|WEBSOCKET")


def test_openclaw_runs_as_its_own_user_without_capabilities(own_stack: Stack, client: Client) -> None:
    status = Path(f"/proc/{openclaw_of(only_task(own_stack))}/status").read_text()
    assert f"Uid:\t{AGENT}\t{AGENT}\t{AGENT}\t{AGENT}" in status
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status


def seen_by(client: Client, command: str) -> str:
    """All that a command of the agent's prints, by way of a file: OpenClaw shortens long output."""
    home = Path(os.readlink(f"/proc/{openclaw_of(only_task(client.stack))}/cwd"))
    marker = uuid.uuid4().hex
    assert marker in client.ask(f"run: ({command}) > ~/seen 2>&1; echo {marker}")
    return (home / "seen").read_text(errors="replace")


# Two tokens made for this task, worth nothing outside it (docs/security.md).
TOKENS = {"OPENCLAW_GATEWAY_TOKEN", "MODEL_PROXY_TOKEN"}
GIVEN = {
    "HOME",
    "LANG",
    "NODE_COMPILE_CACHE",
    "NO_COLOR",
    "OPENCLAW_DISABLE_BONJOUR",
    "OPENCLAW_NO_RESPAWN",
    "OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED",
    "OPENCLAW_SKIP_CHANNELS",
    "OPENCLAW_STATE_DIR",
    "PATH",
}
# By OpenClaw 2026.9.1 and by shells.
ADDED = {"OPENCLAW_CLI", "OPENCLAW_GATEWAY_PORT", "OPENCLAW_PATH_BOOTSTRAPPED", "OPENCLAW_SHELL", "OLDPWD", "PWD"}


def test_printenv_shows_no_aws_credential_and_no_token_of_ours(client: Client) -> None:
    """Exactly these names: what a change of ours or a new OpenClaw adds is looked at before it passes."""
    shown = seen_by(client, "printenv")
    assert {line.partition("=")[0] for line in shown.splitlines() if line} == TOKENS | GIVEN | ADDED
    assert not SECRETS.search(shown), SECRETS.findall(shown)


def test_the_two_tokens_it_does_see_are_not_those_of_the_next_task(own_stack: Stack, client: Client) -> None:
    tokens = "printenv OPENCLAW_GATEWAY_TOKEN MODEL_PROXY_TOKEN"
    before = seen_by(client, tokens).split()
    client.rest("POST", "/stop-agent")
    eventually(lambda: not own_stack.pids(), 40)
    client.ask("What is 1+1?")
    after = seen_by(client, tokens).split()
    assert len({*before, *after}) == 4
    assert {len(token) for token in before} == {43}, "256 bits each"


def test_no_other_process_of_ours_can_be_read(own_stack: Stack, client: Client) -> None:
    """/proc of the Bridge and of everything else that is not the agent's is closed to it."""
    shown = seen_by(client, "id -u; cat /proc/[0-9]*/environ")
    assert str(AGENT) in shown
    assert "HOME=" in shown, "its own can be read"
    assert not SECRETS.search(shown), SECRETS.findall(shown)
    denied = client.ask(f"run: head -c1 /proc/{only_task(own_stack)}/environ 2>&1; echo status $?")
    assert "Permission denied" in denied


def test_it_cannot_signal_or_trace_the_bridge(own_stack: Stack, client: Client) -> None:
    bridge = only_task(own_stack)
    said = client.ask(f"run: kill -9 {bridge} 2>&1; echo status $?")
    assert "not permitted" in said.lower()
    assert alive(bridge)


def test_its_memory_survives_and_is_its_own(own_stack: Stack, client: Client) -> None:
    marker = uuid.uuid4().hex
    client.ask(f"run: echo {marker} > note.txt")
    client.rest("POST", "/stop-agent")
    eventually(lambda: not own_stack.pids(), 40)
    assert marker in client.ask("run: cat note.txt")
    assert f"{AGENT}" in client.ask("run: stat -c %u note.txt")


def test_a_link_to_a_file_of_ours_brings_nothing_into_the_snapshot(own_stack: Stack, client: Client) -> None:
    """The archive is made as the agent: what it cannot read is not in it."""
    client.ask("run: ln -sf /etc/shadow stolen; ln -sf /proc/1/environ stolen2; echo ok")
    client.rest("POST", "/stop-agent")
    eventually(lambda: not own_stack.pids(), 40)
    said = client.ask("run: cat stolen stolen2 2>&1; ls -l stolen; echo end")
    assert "Permission denied" in said
    assert "root:" not in said


def test_a_command_allowed_for_good_runs_until_it_is_revoked(client: Client) -> None:
    """Here, because OpenClaw offers it only where the agent cannot change the program itself."""
    client.rest("PUT", "/settings", {"permissionMode": "ask"})
    eventually(lambda: client.rest("GET", "/allowed").json() == {"commands": []})

    def asked_for() -> str:
        asked = client.until(lambda f: f.get("question", {}).get("state") == "open", 30)["question"]
        assert asked["command"] == "uname -s"
        return str(asked["id"])

    def decide(turn: str, decision: str) -> str:
        client.say({"action": "answer", "questionId": asked_for(), "answers": {"decision": [decision]}})
        return client.answer(turn)

    assert "Linux" in decide(client.send("run: uname -s"), "allow-always")
    [listed] = eventually(lambda: client.rest("GET", "/allowed").json()["commands"], 15)
    assert listed["command"] == "uname -s"
    assert "Linux" in client.ask("run: uname -s"), "nobody is asked"
    assert client.rest("DELETE", "/allowed/unknown").json()["code"] == "NOT_FOUND"
    client.rest("DELETE", f"/allowed/{listed['id']}")
    eventually(lambda: client.rest("GET", "/allowed").json()["commands"] == [], 15)
    assert "denied" in decide(client.send("run: uname -s"), "deny")
    client.rest("PUT", "/settings", {"permissionMode": "full"})


def test_openclaw_dies_with_its_bridge(own_stack: Stack, client: Client) -> None:
    bridge = only_task(own_stack)
    openclaw = openclaw_of(bridge)
    kill(bridge)
    eventually(lambda: not alive(openclaw), 15)
    eventually(lambda: not own_stack.pids(), 20)

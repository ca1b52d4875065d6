"""The image's own files, started as ECS starts them: read-only root, its user, its entry point as PID 1.

`make image-check` builds the tree (ops/rootfs.py) and runs this; elsewhere there is no tree to start.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import ROOT, Stack
from tests.support.client import Client, eventually
from tests.support.processes import alive, children, kill, only_task, openclaw_of
from tests.support.stacks import running

TREE = Path(os.environ.get("IMAGE_TREE", "/nonexistent")).resolve()
BRIDGE, AGENT = 10001, 10002
pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not (TREE / "image.json").exists(), reason="make image-check builds what this starts"),
]


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from running(tmp_path_factory.mktemp("stack"), LOCAL_TASK_PREFIX=f"{sys.executable} -m ops.container {TREE}")


@pytest.fixture
def client(own_stack: Stack) -> Iterator[Client]:
    client = Client(own_stack)
    yield client
    client.rest("POST", "/stop-agent")
    eventually(lambda: not own_stack.pids(), 40)
    client.close()


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def processes(stack: Stack) -> tuple[int, int, int]:
    """PID 1, the Bridge and OpenClaw, by their ids outside."""
    init = children(only_task(stack))[0]
    bridge = int(eventually(lambda: children(init))[0])
    return init, bridge, openclaw_of(bridge)


def test_it_answers_and_nothing_in_it_is_root(own_stack: Stack, client: Client) -> None:
    begun = time.monotonic()
    assert "= 2" in client.ask("What is 1+1?")
    print(f"first answer {time.monotonic() - begun:.1f} s after the message")
    init, bridge, openclaw = processes(own_stack)
    assert status_of(init)["NSpid"].split()[-1] == "1"
    for pid, uid in ((init, BRIDGE), (bridge, BRIDGE), (openclaw, AGENT)):
        found = status_of(pid)
        assert set(found["Uid"].split()) == {str(uid)}
        assert set(found["Gid"].split()) == {str(uid)}
        assert int(found["CapEff"], 16) == int(found["CapPrm"], 16) == int(found["CapAmb"], 16) == 0
    assert status_of(openclaw)["NoNewPrivs"] == "1"
    assert status_of(openclaw)["Groups"] == ""


def test_only_home_and_tmp_can_be_written(client: Client) -> None:
    said = client.ask(
        "run: for d in / /opt /opt/bridge /etc /usr /var /run /dev; do touch $d/x && echo wrote $d; done; echo end"
    )
    assert "end" in said
    assert "wrote" not in said
    said = client.ask("run: touch /home/agent/x /tmp/x && stat -c '%u %a' /home/agent /tmp && echo both")
    assert "10002 700" in said
    assert "0 1777" in said
    assert "both" in said


def test_the_agent_cannot_become_anybody_else(client: Client) -> None:
    said = client.ask("run: /opt/switch/setpriv --reuid 10001 id -u; setpriv --reuid 0 id -u; id -u; id -G; echo end")
    assert "Permission denied" in said
    assert "setresuid failed: Operation not permitted" in said
    assert "10001\n" not in said
    assert "10002\n10002\nend" in said


def test_the_compile_cache_of_the_build_is_the_agents(client: Client) -> None:
    """Node keeps one for each user id, and says of each file whether it took it from there."""
    openclaw = "/opt/openclaw/node_modules/openclaw/openclaw.mjs"
    said = client.ask(f"run: NODE_DEBUG_NATIVE=COMPILE_CACHE node {openclaw} --version 2>&1 | grep -c 'was accepted'")
    assert int(re.findall(r"^(\d+)$", said, re.MULTILINE)[0]) >= 2, said


def test_its_memory_survives_an_empty_disk(own_stack: Stack, client: Client) -> None:
    client.ask("run: mkdir -p mod && echo kept > mod/note.txt && chmod -R a-w mod")
    client.rest("POST", "/stop-agent")
    eventually(lambda: not own_stack.pids(), 40)
    assert "kept" in client.ask("run: cat mod/note.txt")
    assert "10002" in client.ask("run: stat -c %u mod/note.txt")


def test_openclaw_is_brought_back_after_a_crash(own_stack: Stack, client: Client) -> None:
    client.ask("What is 1+1?")
    kill(processes(own_stack)[2])
    assert "= 7" in client.ask("What is 3+4?")


def test_everything_ends_with_the_bridge(own_stack: Stack, client: Client) -> None:
    """Killed, it cannot end OpenClaw any more; PID 1's end does."""
    client.ask("What is 1+1?")
    everything = processes(own_stack)
    kill(everything[1])
    eventually(lambda: not [pid for pid in everything if alive(pid)], 15)
    assert "= 5" in client.ask("What is 2+3?")


def test_sigterm_in_mid_turn_ends_with_status_zero_and_loses_nothing(own_stack: Stack, client: Client) -> None:
    client.ask("What is 1+1?")
    message_id = client.send("count to 700")
    client.until(lambda f: f["type"] == "stream_chunk" and f["replyTo"] == message_id, 90)
    arn = next(iter(own_stack.pids()))
    everything, begun = processes(own_stack), time.monotonic()
    kill(everything[0], signal.SIGTERM)
    eventually(lambda: arn in own_stack.exits(), 35)
    print(f"gone {time.monotonic() - begun:.1f} s after SIGTERM")
    assert time.monotonic() - begun < 30
    assert own_stack.exits()[arn] == 0
    assert not [pid for pid in everything if alive(pid)]
    assert "699 700" in client.answer(message_id)


def test_the_health_check_of_the_image(own_stack: Stack, client: Client) -> None:
    """The image's command, on the port that this task has here."""
    client.ask("What is 1+1?")
    image = json.loads((TREE / "image.json").read_text())
    _, bridge, _ = processes(own_stack)
    found = {}
    for port in listening(bridge):
        command = [part.replace("8080", str(port)) for part in image["health"]]
        found[port] = subprocess.run(command, capture_output=True, check=False).returncode
    assert 0 in found.values(), found


def listening(pid: int) -> list[int]:
    """TCP ports on which a process listens."""
    sockets = {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]


def test_the_bridge_stays_small(own_stack: Stack, client: Client) -> None:
    """Our part of the container's memory after ten turns: 80 MB at most."""
    for number in range(10):
        client.ask(f"fast what is {number}+1?")
    _, bridge, openclaw = processes(own_stack)
    used = {name: resident_megabytes(pid) for name, pid in (("Bridge", bridge), ("OpenClaw", openclaw))}
    print(f"resident after ten turns, MB: {used}")
    assert used["Bridge"] <= 80


def resident_megabytes(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.findall(r"^Rss:\s+(\d+) kB", rollup, re.MULTILINE)[0]) // 1024


def test_without_the_capability_it_says_what_is_missing(tmp_path: Path) -> None:
    """A task definition that drops too much, or sets no-new-privileges."""
    image = json.loads((TREE / "image.json").read_text()) | {"capabilities": ["chown"]}
    image["entrypoint"] = ["python3", "-c", "import bridge.shared.user as u; u.AgentUser(10002).check()"]
    (tmp_path / "image.json").write_text(json.dumps(image))
    command = [sys.executable, "-m", "ops.container", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SETUID and SETGID" in done.stderr

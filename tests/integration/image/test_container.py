"""The image of `make image`, started by podman as ECS starts it: the task definition decides how (ops/container.py).

`make image-check` runs this; elsewhere there is no image to start.
"""

import json
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack
from ops.building.store import run
from ops.container import definition
from tests.support.client import Client, eventually
from tests.support.containers import STORE, built, once, processes, running_name
from tests.support.processes import alive, kill
from tests.support.stacks import running

BRIDGE, AGENT = 10001, 10002
CAPABILITIES = {"setgid": 1 << 6, "setuid": 1 << 7}
pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not built(), reason="make image-check starts what make image has built"),
]


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    prefix = f"{sys.executable} -m ops.container {STORE.folder}"
    yield from running(tmp_path_factory.mktemp("stack"), LOCAL_TASK_PREFIX=prefix)
    run(STORE.podman("rm", "--all", "--force", "--volumes"))  # in a store of its own


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
        assert int(found["CapBnd"], 16) & ~sum(CAPABILITIES.values()) == 0
    assert int(status_of(bridge)["CapBnd"], 16) == sum(CAPABILITIES.values())
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


def test_podman_runs_the_health_check_of_the_task_definition(own_stack: Stack, client: Client) -> None:
    """Inside the container and as its user; the image's own check says the same."""
    client.ask("What is 1+1?")
    name = running_name(own_stack)
    run(STORE.podman("healthcheck", "run", name))
    found = json.loads(run(STORE.podman("container", "inspect", name)))[0]
    assert found["State"]["Health"]["Status"] == "healthy"
    port = re.findall(r"127\.0\.0\.1:(\d+)/health", " ".join(found["Config"]["Healthcheck"]["Test"]))[0]
    kind, *command = json.loads(run(STORE.podman("image", "inspect", found["Image"])))[0]["Healthcheck"]["Test"]
    assert kind == "CMD"
    run(STORE.podman("exec", name, *(part.replace("8080", port) for part in command)))


def test_the_runtime_stops_it_in_time(own_stack: Stack, client: Client) -> None:
    """`podman stop` as ECS does it: the image's signal, then the task definition's time, then SIGKILL."""
    client.ask("What is 1+1?")
    name, begun = running_name(own_stack), time.monotonic()
    arn = next(iter(own_stack.pids()))
    allowed = run(STORE.podman("container", "inspect", "--format={{.Config.StopTimeout}}", name))
    assert allowed == str(definition()["stopTimeout"])
    run(STORE.podman("stop", name))
    eventually(lambda: arn in own_stack.exits(), 10)
    print(f"podman stop took {time.monotonic() - begun:.1f} s")
    assert own_stack.exits()[arn] == 0


def test_the_bridge_stays_small(own_stack: Stack, client: Client) -> None:
    """Our part of the container's memory after ten turns: 80 MB at most."""
    for number in range(10):
        client.ask(f"fast what is {number}+1?")
    _, bridge, openclaw = processes(own_stack)
    used = {name: resident_megabytes(pid) for name, pid in (("Bridge", bridge), ("OpenClaw", openclaw))}
    print(f"resident after ten turns, MB: {used}")
    assert used["Bridge"] <= 80
    name = running_name(own_stack)
    memory = run(STORE.podman("container", "inspect", "--format={{.HostConfig.Memory}}", name))
    assert int(memory) == definition()["memory"] * 2**20
    print("the whole container:", run(STORE.podman("stats", "--no-stream", "--format={{.MemUsage}}", name)))


def resident_megabytes(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.findall(r"^Rss:\s+(\d+) kB", rollup, re.MULTILINE)[0]) // 1024


@pytest.mark.parametrize("option", ["--cap-drop=SETUID", "--security-opt=no-new-privileges"])
def test_without_the_capability_it_says_what_is_missing(option: str) -> None:
    """A task definition that drops too much, or sets no-new-privileges."""
    check = "import bridge.shared.user as u; u.AgentUser(10002).check()"
    done = once(option, "--", "-c", check, entry="python3")
    assert done.returncode == 1
    assert "SETUID and SETGID" in done.stderr

"""The real entry point as PID 1 of its own PID namespace, as in the container."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.processes import alive, children, kill, only_task
from tests.support.stacks import running
from tests.support.tables import task_row

pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(os.geteuid() != 0, reason="a PID namespace needs root, which CI has"),
]


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    init = Path(sys.executable).parent / "dumb-init"
    prefix = f"unshare --pid --fork --kill-child --mount-proc {init} --"
    yield from running(tmp_path_factory.mktemp("stack"), LOCAL_TASK_PREFIX=prefix, TURN_GRACE_SECONDS="3")


@pytest.fixture(autouse=True)
def no_task_outlives_its_test(own_stack: Stack) -> Iterator[None]:
    yield
    for pid in own_stack.pids().values():
        kill(pid)  # of unshare, which hands no SIGTERM on
    eventually(lambda: not own_stack.pids())


def init_of(stack: Stack) -> int:
    """Outside, the process id of what is PID 1 inside."""
    return int(eventually(lambda: children(only_task(stack)))[0])


def is_of(client: Client, arn: str) -> bool:
    return str(task_row(client.stack, client.user_id)["taskArn"]) == arn


def descendants(pid: int) -> list[int]:
    below = children(pid)
    return below + [found for child in below for found in descendants(child)]


def test_it_is_pid_one_and_reaps_what_the_agents_tools_leave_behind(own_stack: Stack) -> None:
    client = Client(own_stack)
    client.ask("run: (sleep 0.2 &) ; (sleep 0.3 &) ; echo left")
    init = init_of(own_stack)
    status = Path(f"/proc/{init}/status").read_text()
    assert "NSpid:" in status
    assert status.split("NSpid:")[1].split("\n")[0].split()[-1] == "1"
    time.sleep(1)
    zombies = [
        pid.name
        for pid in Path("/proc").glob("[0-9]*")
        if (pid / "stat").exists() and f") Z {init} " in (pid / "stat").read_text()
    ]
    assert zombies == []
    client.close()


def test_sigterm_to_pid_one_in_mid_turn_ends_all_with_status_zero_in_time(own_stack: Stack) -> None:
    """The turn goes back to the inbox and the next task answers it, once."""
    client = Client(own_stack)
    message_id = client.send("count to 400")  # 8 s at least: more than this task gives a turn to end
    client.until(lambda f: f["type"] == "stream_chunk" and f["replyTo"] == message_id, 90)
    mine = next(arn for arn, pid in own_stack.pids().items() if is_of(client, arn))
    init = children(own_stack.pids()[mine])[0]
    everything = [init, *descendants(init)]
    begun = time.monotonic()
    kill(init, signal.SIGTERM)
    eventually(lambda: mine in own_stack.exits(), 35)
    seconds = time.monotonic() - begun
    print(f"PID 1 gone {seconds:.1f} s after SIGTERM")
    assert seconds < 30
    assert own_stack.exits()[mine] == 0
    assert not [pid for pid in everything if alive(pid)]
    assert "399 400" in client.answer(message_id)
    saved = [row for row in client.history() if row["role"] == "assistant"]
    assert len(saved) == 1
    client.close()

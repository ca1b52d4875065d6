"""The containers that `ops.container` starts, asked by podman."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from local.stack import Stack
from ops.building.store import IMAGE, Store, run
from ops.container import limits, name_of
from tests.support.client import eventually
from tests.support.processes import children, command_of, only_task, openclaw_of

STORE = Store(Path(os.environ.get("IMAGE_FOLDER", "/nonexistent")))
BRIDGE = b"python3\0-m\0bridge\0"


def built() -> bool:
    return STORE.ready.exists()


def inspected(name: str) -> Any:
    """The one container of that name."""
    return json.loads(run(STORE.podman("container", "inspect", name)))[0]


def running_name(stack: Stack) -> str:
    return name_of(only_task(stack))


def processes(stack: Stack) -> tuple[int, int, int]:
    """PID 1, the Bridge and OpenClaw, by their ids outside."""
    name = running_name(stack)
    pid_one = int(eventually(lambda: state(name).get("Pid")))
    bridge = int(eventually(lambda: [pid for pid in below(pid_one) if command_of(pid).startswith(BRIDGE)])[0])
    return pid_one, bridge, openclaw_of(bridge)


def state(name: str) -> dict[str, Any]:
    """Empty until podman knows the container."""
    done = subprocess.run(STORE.podman("container", "inspect", name), capture_output=True, text=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout)[0]["State"] if done.returncode == 0 else {}
    return found


def below(pid: int) -> list[int]:
    """PID 1's child or grandchild: ECS's init stands before ours."""
    found = children(pid)
    return found + [grandchild for child in found for grandchild in children(child)]


def once(*arguments: str, entry: str) -> "subprocess.CompletedProcess[str]":
    """A container of the image with another entry point: podman's options, then `--` and the command."""
    cut = arguments.index("--")
    command = STORE.podman("run", "--rm", "--network=none", "--pull=never", *limits(), f"--entrypoint={entry}")
    command += [*arguments[:cut], IMAGE, *arguments[cut + 1 :]]
    return subprocess.run(command, capture_output=True, text=True, check=False)

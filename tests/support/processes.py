"""Finds, stops and kills real processes."""

import os
import signal
from pathlib import Path

from local.stack import Stack
from tests.support.client import eventually


def only_task(stack: Stack) -> int:
    """Process id of the one running task."""
    pids = eventually(lambda: list(stack.pids().values()))
    assert len(pids) == 1, pids
    return int(pids[0])


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def openclaw_of(bridge: int) -> int:
    """Process id of a Bridge's OpenClaw, among the helpers that come and go."""
    return int(eventually(lambda: [pid for pid in children(bridge) if b"gateway" in command_of(pid)])[0])


def loader_of(bridge: int) -> int:
    """Process id of what has loaded OpenClaw and waits for its start."""
    return int(eventually(lambda: [pid for pid in children(bridge) if b"loader.mjs" in command_of(pid)])[0])


def command_of(pid: int) -> bytes:
    """Its command line; empty when it is gone."""
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    os.kill(pid, number)

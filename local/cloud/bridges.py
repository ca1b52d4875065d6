"""Processes of the agent's real entry point: what a task of ECS and a MicroVM have in common here."""

import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from local.processes import die_with_parent, kill_below, kill_group


class Starter:
    """One thread starts all processes: the kernel's "die with parent" follows the starting thread."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def start(self, home: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """The process, with nothing of ours in its environment but PATH; its log is beside its home."""
        return self._pool.submit(_start, home, environment).result()


def _start(home: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    home.mkdir(parents=True, mode=0o700)
    inherited = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    own = {
        "AGENT_HOME": str(home),
        "OPENCLAW_PORT": str(free_port()),
        "BRIDGE_PORT": "0",
        "OPENCLAW_LOG_FILE": str(home.with_suffix(".openclaw.log")),
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "1",  # as in the image
    }
    with open(home.with_suffix(".log"), "ab") as log:
        return subprocess.Popen(
            [*shlex.split(os.environ.get("LOCAL_TASK_PREFIX", "")), sys.executable, "-m", "bridge"],
            env=inherited | dict(environment) | own,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(signal.SIGKILL),
        )


def end(process: "subprocess.Popen[bytes]", home: Path) -> None:
    """Nothing of it is left, as when a container or a machine is gone. Its log stays."""
    if process.poll() is None:
        process.kill()
        process.wait()
    kill_group(process.pid)
    kill_below(home)
    shutil.rmtree(home, ignore_errors=True)


def free_port() -> int:
    """For a process that is yet to start: not one that an outgoing connection may get meanwhile (Linux: from 32768)."""
    for port in secrets.SystemRandom().sample(range(20_000, 32_768), 100):
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")

"""Packs and unpacks the agent's files in a process of the agent's own user."""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from bridge.archive import DAMAGED, Damaged, Summary
from bridge.user import AgentUser

# 164 MiB take a second; a disk that is busy for minutes is a failure, not a wait.
SECONDS = 120


class ArchiveFailed(OSError):
    """The process ended otherwise than it should."""


class Archiver:
    """`bridge.archive` as the agent."""

    def __init__(self, user: AgentUser) -> None:
        self._user = user

    def pack(self, root: Path, target: IO[bytes]) -> Summary:
        """Write the archive of root to a file. Raises ArchiveFailed."""
        done = self._run(["pack", str(root)], stdout=target)
        return Summary(**json.loads(done.stderr.splitlines()[-1]))

    def fingerprint(self, root: Path) -> str:
        with tempfile.TemporaryFile() as output:
            self._run(["fingerprint", str(root)], stdout=output)
            output.seek(0)
            return output.read().decode().strip()

    def unpack(self, chunks: Iterable[bytes], root: Path, sha256: str) -> None:
        """Restore root from a stream. Raises Damaged or ArchiveFailed, with root absent."""
        process = subprocess.Popen(
            self._user.python("bridge.archive", "unpack", str(root), sha256),
            env=self._user.environment(),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        try:
            with contextlib.suppress(BrokenPipeError):  # it found the damage before the end; its status says so
                for chunk in chunks:
                    process.stdin.write(chunk)
            _, errors = process.communicate(timeout=SECONDS)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        if process.returncode == DAMAGED:
            raise Damaged(errors.decode(errors="replace").strip())
        if process.returncode != 0:
            raise ArchiveFailed(f"unpack ended with {process.returncode}")

    def _run(self, arguments: list[str], stdout: IO[bytes]) -> "subprocess.CompletedProcess[bytes]":
        command = self._user.python("bridge.archive", *arguments)
        done = subprocess.run(
            command,
            env=self._user.environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            check=False,
            timeout=SECONDS,
        )
        if done.returncode != 0:
            raise ArchiveFailed(f"{arguments[0]} ended with {done.returncode}")
        return done

"""Runs `bridge.memory.archive` as the agent's user. Snapshots of earlier versions are such archives."""

import contextlib
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

from bridge.memory.archive import DAMAGED, Damaged
from bridge.shared.user import AgentUser, Done
from chalicelib.platform import log

# 164 MiB take a second; a disk that is busy for minutes is a failure, not a wait.
SECONDS = 120.0


class ArchiveFailed(OSError):
    """The process failed or exceeded its time limit."""


class Archiver:
    """`bridge.memory.archive` as the agent."""

    def __init__(self, user: AgentUser, seconds: float = SECONDS) -> None:
        self.user = user
        self._seconds = seconds

    def unpack(self, chunks: Iterable[bytes], root: Path, sha256: str) -> None:
        """Restore root from a stream. Raises Damaged or ArchiveFailed, with root absent."""
        process = self.user.start(self.user.python("bridge.memory.archive", str(root), sha256), subprocess.PIPE)
        assert process.stdin is not None
        try:
            with contextlib.suppress(BrokenPipeError):  # it found the damage before the end; its status says so
                for chunk in chunks:
                    process.stdin.write(chunk)
        except BaseException:
            self.user.signal(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        done = self._finish(process)
        if done.returncode == DAMAGED:
            raise Damaged(done.stderr.decode(errors="replace").strip())
        if done.returncode != 0:
            raise failure("unpack", done)
        if done.stderr:
            log.event("marks_kept", reason=done.stderr.decode(errors="replace").strip()[:60])

    def _finish(self, process: "subprocess.Popen[bytes]") -> Done:
        try:
            return self.user.finish(process, seconds=self._seconds)
        except TimeoutError as error:
            raise ArchiveFailed(str(error)) from None


def failure(what: str, done: Done) -> ArchiveFailed:
    """Contains only the type of the last error, because its text may contain names of the agent's files."""
    last = (done.stderr.decode(errors="replace").strip().splitlines() or [""])[-1]
    return ArchiveFailed(f"{what} ended with {done.returncode}, {last.split(':')[0][:60]}")

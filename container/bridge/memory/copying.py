"""The two helper processes of snapshots, run as the agent's user: one saves, one restores."""

import contextlib
import json
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bridge.memory.archive import DAMAGED, Damaged
from bridge.memory.archiver import SECONDS, ArchiveFailed, failure
from bridge.memory.manifest import Delta, Entries
from bridge.memory.restoring import MANIFEST, PACK
from bridge.shared.rest import Fence
from bridge.shared.user import AgentUser
from chalicelib.platform import log

Signatures = dict[str, list[int]]


@dataclass(frozen=True)
class Saved:
    """What one look at the files found; the new packs lie in the target file, one after the other."""

    delta: Delta
    signatures: Signatures
    lengths: list[int]
    files: int
    skipped: int
    databases: int


@dataclass
class Copier:
    """Raises ArchiveFailed for a helper that failed or took too long."""

    user: AgentUser
    seconds: float = SECONDS
    # For how long the last save kept the agent still, in seconds.
    still: float = field(default=0.0, compare=False)

    def save(
        self, root: Path, known: Entries, signatures: Signatures, name: str, target: IO[bytes], fence: Fence
    ) -> Saved:
        """Write what is new into `target`. Raises what the fence raises."""
        process = self.user.start(self.user.python("bridge.memory.saving", str(root)), subprocess.PIPE, target)
        with self._ended(process):
            asked = {"entries": known, "signatures": signatures, "name": name}
            _enter(process, json.dumps(asked, separators=(",", ":")).encode() + b"\n")
            if self._line(process) == b"ready\n":
                with fence():
                    begun = time.monotonic()
                    _enter(process, b"go\n")
                    done = self.user.finish(process, seconds=self.seconds)
                    self.still = time.monotonic() - begun
            else:
                done = self.user.finish(process, seconds=self.seconds)
        if done.returncode != 0:
            raise failure("save", done)
        found = json.loads(done.stderr.splitlines()[-1])
        delta = Delta(found["changed"], found["removed"])
        counts = found["files"], found["skipped"], found["databases"]
        return Saved(delta, found["signatures"], found["packs"], *counts)

    def _line(self, process: "subprocess.Popen[bytes]") -> bytes:
        """The first line of its stderr. The helper writes no more until we have answered."""
        assert process.stderr is not None
        if not select.select([process.stderr], [], [], self.seconds)[0]:
            raise TimeoutError(f"not done in {self.seconds:.0f} s")
        return process.stderr.readline()

    @contextmanager
    def _ended(self, process: "subprocess.Popen[bytes]") -> Iterator[None]:
        """However it ends, the process is gone then."""
        try:
            yield
        except BaseException as error:
            if process.poll() is None:
                self.user.signal(process.pid, signal.SIGKILL)
                process.communicate()
            if isinstance(error, TimeoutError):
                raise ArchiveFailed(str(error)) from None
            raise

    @contextmanager
    def restore(self, root: Path, entries: Entries, packs: list[str]) -> Iterator["Restoring"]:
        """Give it the packs; at the end root is there. Raises Damaged or ArchiveFailed, with root absent."""
        process = self.user.start(self.user.python("bridge.memory.restoring", str(root)), subprocess.PIPE)
        restoring = Restoring(process, packs)
        reading = _Reading(process)
        try:
            restoring.begin(entries)
            yield restoring
        finally:
            output = self._end(process, reading)  # also when packs are missing: it cleans up behind itself
        restoring.signatures = _signatures(output)

    def _end(self, process: "subprocess.Popen[bytes]", reading: "_Reading") -> "subprocess.CompletedProcess[bytes]":
        """No more input. Raises ArchiveFailed when it does not end."""
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(self.seconds)
        except subprocess.TimeoutExpired:
            self.user.signal(process.pid, signal.SIGKILL)
            process.wait()
            raise ArchiveFailed(f"not done in {self.seconds:.0f} s") from None
        finally:
            output = reading.end()
        return subprocess.CompletedProcess([], process.returncode, *output)


def _signatures(done: "subprocess.CompletedProcess[bytes]") -> Signatures:
    if done.returncode == DAMAGED:
        raise Damaged(done.stderr.decode(errors="replace").strip())
    if done.returncode != 0:
        raise failure("restore", done)
    if done.stderr:
        log.event("marks_kept", reason=done.stderr.decode(errors="replace").strip()[:60])
    found: Signatures = json.loads(done.stdout)
    return found


class Restoring:
    """One restore that goes on. `put` may be called from several threads."""

    def __init__(self, process: "subprocess.Popen[bytes]", packs: list[str]) -> None:
        self._process = process
        self._packs = packs
        self._numbers = {name: number for number, name in enumerate(packs)}
        self._lock = threading.Lock()
        self.signatures: Signatures = {}

    def begin(self, entries: Entries) -> None:
        text = json.dumps({"entries": entries, "packs": self._packs}, separators=(",", ":")).encode()
        _enter(self._process, MANIFEST.pack(len(text)) + text)

    def put(self, name: str, content: bytes) -> None:
        with self._lock:
            _enter(self._process, PACK.pack(self._numbers[name], len(content)))
            _enter(self._process, content)


def _enter(process: "subprocess.Popen[bytes]", content: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it has ended: its status says why
        process.stdin.write(content)
        process.stdin.flush()


class _Reading:
    """Reads stdout and stderr of a process in a thread of its own, because a full pipe would stop it."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._pipes = [process.stdout, process.stderr]
        self._output = [b"", b""]
        self._threads = [threading.Thread(target=self._read, args=(number,), daemon=True) for number in (0, 1)]
        for thread in self._threads:
            thread.start()

    def _read(self, number: int) -> None:
        pipe = self._pipes[number]
        assert pipe is not None
        with pipe:
            self._output[number] = pipe.read()

    def end(self) -> list[bytes]:
        """All of it, once the process has ended."""
        for thread in self._threads:
            thread.join()
        return self._output

"""Processes that may use only a part of a processor, as those of a Fargate task: cgroup v1, as root."""

import contextlib
import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT, USED = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup/cpuacct")
PERIOD_US = 100_000
JOIN = 'echo $$ > "$0" && echo $$ > "$1" && shift && exec "$@"'


@dataclass(frozen=True)
class Group:
    """`folder` is below ROOT; a folder of the same name below USED counts the time."""

    folder: Path

    @property
    def _processes(self) -> list[Path]:
        return [root / self.folder.name / "cgroup.procs" for root in (ROOT, USED)]

    @property
    def used(self) -> float:
        """Processor seconds of all that was ever in it. They do not depend on what else the machine does."""
        return int((USED / self.folder.name / "cpuacct.usage").read_text()) / 1e9

    @property
    def prefix(self) -> str:
        """What to put before a command so that it, and all that it starts, is in the group."""
        return shlex.join(["sh", "-c", JOIN, *map(str, self._processes)])

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """This process with all its threads is in the group."""
        for file in self._processes:
            file.write_text(str(os.getpid()))
        try:
            yield
        finally:
            for root in (ROOT, USED):
                (root / "cgroup.procs").write_text(str(os.getpid()))


def available() -> bool:
    return os.access(ROOT / "cpu.cfs_quota_us", os.W_OK) and os.access(USED / "cpuacct.usage", os.W_OK)


@contextlib.contextmanager
def group(name: str, cpus: float) -> Iterator[Group]:
    """A new group that may use so many processors. It must be empty at the end."""
    folder, counted = (root / f"{name}-{os.getpid()}" for root in (ROOT, USED))
    for made in (folder, counted):
        made.mkdir()
    (folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
    (folder / "cpu.cfs_quota_us").write_text(str(int(PERIOD_US * cpus)))
    try:
        yield Group(folder)
    finally:
        for made in (folder, counted):
            _remove(made)


def _remove(folder: Path) -> None:
    """Processes that are just ending keep a group for a moment."""
    deadline = time.monotonic() + 10
    while True:
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return

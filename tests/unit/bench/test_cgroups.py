"""A group of processes that may use a part of a processor: who starts in it, and that nothing of it stays."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from bench import cgroups

pytestmark = pytest.mark.skipif(not cgroups.available(), reason="needs root and cgroup v1")


def mine(text: str) -> str:
    """The CPU controller's group in /proc/<pid>/cgroup."""
    [line] = [line for line in text.splitlines() if "cpu" in line.split(":")[1].split(",")]
    return line.split(":")[2]


def test_a_command_and_what_it_starts_are_in_the_group() -> None:
    with cgroups.group("test", 0.5) as group:
        assert (group.folder / "cpu.cfs_quota_us").read_text().strip() == "50000"
        assert (group.folder / "cpu.cfs_period_us").read_text().strip() == "100000"
        command = [*shlex.split(group.prefix), "sh", "-c", "cat /proc/self/cgroup; exit 3"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert mine(done.stdout) == f"/{group.folder.name}"
        assert done.returncode == 3
        folder = group.folder
    assert not folder.exists()


def test_this_process_comes_back() -> None:
    before = mine(Path("/proc/self/cgroup").read_text())
    with cgroups.group("test", 1.0) as group:
        with group.joined():
            assert mine(Path("/proc/self/cgroup").read_text()) == f"/{group.folder.name}"
        assert str(os.getpid()) not in (group.folder / "cgroup.procs").read_text().split()
    assert mine(Path("/proc/self/cgroup").read_text()) == before

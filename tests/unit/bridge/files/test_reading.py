"""The helper that reads the agent's files: regular ones, within its limits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.files.fetching import Fetcher, Unavailable
from bridge.files.reading import MISSING, TOO_LARGE, UNREADABLE
from bridge.shared.user import AgentUser


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / "sub").mkdir(parents=True)
    (folder / "a b ü.txt").write_bytes(b"hello")
    (folder / "zero").touch()
    (tmp_path / "outside.txt").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "outside.txt")
    (folder / "sub" / "up").symlink_to("..")
    (folder / "circle").symlink_to("circle")
    os.mkfifo(folder / "pipe")
    return folder


def read(workspace: Path, name: str, limit: int = 100) -> tuple[int, bytes]:
    command = [sys.executable, "-m", "bridge.files.reading", str(workspace), name, str(limit)]
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    return done.returncode, done.stdout


def test_what_is_read(workspace: Path) -> None:
    assert read(workspace, "./a b ü.txt") == (0, b"hello")
    assert read(workspace, str(workspace / "a b ü.txt")) == (0, b"hello")
    assert read(workspace, "file://" + str(workspace / "zero")) == (0, b"")
    assert read(workspace, "sub/up/zero") == (0, b"")
    assert read(workspace, "link") == (0, b"secret")  # with the agent's own rights


def test_what_cannot_be_read(workspace: Path) -> None:
    assert read(workspace, "nothing.txt") == (MISSING, b"")
    assert read(workspace, "zero/x") == (MISSING, b"")
    assert read(workspace, "sub") == (UNREADABLE, b"")
    assert read(workspace, "pipe") == (UNREADABLE, b"")
    assert read(workspace, "circle") == (UNREADABLE, b"")
    assert read(workspace, "a b ü.txt", limit=4) == (TOO_LARGE, b"")
    assert read(workspace, "x" * 5000) == (UNREADABLE, b"")


def test_the_bridge_gets_a_file_or_a_reason(workspace: Path) -> None:
    fetcher = Fetcher("http://127.0.0.1:1", workspace, AgentUser())
    with fetcher.read("a b ü.txt") as file:
        assert file.read() == b"hello"
    for name in ("nothing.txt", "sub", "nul\0.txt"):
        with pytest.raises(Unavailable):
            fetcher.read(name)

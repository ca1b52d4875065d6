"""Edits are written whole, over what was read only, and never through a link."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from bridge.memory.changing import DIFF_BYTES, changed_notes, diffs
from bridge.memory.manifest import Entry
from bridge.memory.noting import CHANGED, FAILED, MAX_BYTES, SAME, WRITTEN, put


def version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "SOUL.md").write_text("old")
    (folder / "SOUL.md").chmod(0o640)
    return folder


def edit(name: str, text: str, *bases: str) -> dict[str, object]:
    return {"name": name, "text": text, "bases": [version(base) if base else "" for base in bases]}


def test_it_is_written_once_and_seen_as_written(workspace: Path) -> None:
    (workspace / ".SOUL.md.edit").write_text("of a try that was killed")
    wanted = edit("SOUL.md", "새로운 것", "old")
    assert put(workspace, wanted) == WRITTEN
    assert (workspace / "SOUL.md").read_text() == "새로운 것"
    assert (workspace / "SOUL.md").stat().st_mode & 0o777 == 0o640
    assert put(workspace, wanted) == SAME
    assert sorted(os.listdir(workspace)) == ["SOUL.md"]


def test_what_the_agent_changed_meanwhile_stays(workspace: Path) -> None:
    (workspace / "SOUL.md").write_text("the agent's")
    assert put(workspace, edit("SOUL.md", "mine", "old", "older")) == CHANGED
    assert put(workspace, edit("USER.md", "mine", "old")) == CHANGED, "it was deleted"
    assert (workspace / "SOUL.md").read_text() == "the agent's"
    assert not (workspace / "USER.md").exists()


def test_a_new_file_in_a_new_folder(workspace: Path) -> None:
    assert put(workspace, edit("memory/2026-11-29.md", "today", "")) == WRITTEN
    assert (workspace / "memory" / "2026-11-29.md").read_text() == "today"


def test_a_link_leads_nowhere(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text("old")
    (tmp_path / "folder").mkdir()
    (workspace / "USER.md").symlink_to(tmp_path / "outside.md")
    (workspace / "memory").symlink_to(tmp_path / "folder")
    (workspace / "TOOLS.md").mkdir()
    for name in ("USER.md", "memory/a.md", "TOOLS.md"):
        assert put(workspace, edit(name, "mine", "old", "")) == CHANGED
    assert (tmp_path / "outside.md").read_text() == "old"
    assert os.listdir(tmp_path / "folder") == []


def test_what_a_disk_refuses_is_tried_again_and_what_the_agent_made_is_not(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "USER.md").write_bytes(b"x" * (MAX_BYTES + 1))
    assert put(workspace, edit("USER.md", "mine", "x" * (MAX_BYTES + 1))) == CHANGED
    os.mkfifo(workspace / "TOOLS.md")
    assert put(workspace, edit("TOOLS.md", "mine", "")) == CHANGED
    (workspace / "memory").write_text("a file")
    assert put(workspace, edit("memory/a.md", "mine", "")) == CHANGED
    for number, verdict in ((errno.ENOSPC, FAILED), (errno.EIO, FAILED), (errno.EACCES, CHANGED)):

        def refuse(*_: object, number: int = number) -> None:
            raise OSError(number, "refused")

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", refuse)
            assert put(workspace, edit("SOUL.md", "mine", "old")) == verdict
    assert (workspace / "SOUL.md").read_text() == "old"


def test_only_another_content_of_a_memory_file_is_a_change() -> None:
    def file(chunk: str, mtime: int = 1) -> Entry:
        return ["f", 0o600, mtime, 1, [[chunk, "p", 0, 1]]]

    before = {"workspace/SOUL.md": file("a"), "workspace/USER.md": file("a"), "workspace/x.md": file("a")}
    after = {"workspace/SOUL.md": file("b"), "workspace/USER.md": file("a", 2), "workspace/memory/d.md": file("c")}
    assert changed_notes(before, after) == ["SOUL.md", "memory/d.md"]


def test_a_diff_has_no_head_and_a_limit() -> None:
    lines = [str(number) for number in range(9)]
    files, cut = diffs([("SOUL.md", "\n".join(lines), "\n".join([*lines[:4], "four", *lines[5:]]))])
    assert files == [{"name": "SOUL.md", "diff": "@@ -3,5 +3,5 @@\n 2\n 3\n-4\n+four\n 5\n 6"}]
    assert cut is False
    files, cut = diffs([("a", "", "가\n" * DIFF_BYTES), ("b", "", "x")])
    assert cut is True
    assert sum(len(one["diff"].encode()) for one in files) <= DIFF_BYTES
    assert [one["name"] for one in files] == ["a", "b"]

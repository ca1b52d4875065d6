"""Decides which files of OpenClaw's state directory are backed up; docs/container.md lists the rules."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# Rebuilt by themselves, or of one machine only. Below the state directory itself:
TOP = {"cache", "logs", "tmp", "worktrees"}
# Files that were sent in: old turns refer to them, and nothing makes them again. Newest first, in bytes.
MEDIA, MEDIA_BYTES = "media", 500_000_000
# One file; what is larger (videos, disk images, models) is left out and counted. OpenClaw's own databases are kept
# whatever their size: they are the memory.
MAX_FILE_BYTES = 50 * 1024 * 1024
# Wherever they are: what a package manager makes again.
ANYWHERE = {"node_modules", "__pycache__", ".venv"}
# OpenClaw's own, and git's: a stale lock must not travel. In a workspace `poetry.lock` is the user's.
LEFT_BEHIND = (".lock", ".log", ".sock")
WORKSPACE = "workspace"
BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")
MAGIC = b"SQLite format 3\0"


def excluded(name: str) -> bool:
    """Whether the name in the archive alone excludes the file."""
    parts = PurePosixPath(name).parts
    if parts[0] in TOP or ANYWHERE & set(parts) or name.startswith("openclaw.json.bak"):
        return True
    ours = parts[0] != WORKSPACE or ".git" in parts
    return ours and parts[-1].endswith(LEFT_BEHIND)


def entries(root: Path) -> Iterator[tuple[str, Path]]:
    """Files, links and folders to keep, by their name in the archive; in a fixed order.

    A folder comes before its contents. A folder that disappeared or is not readable counts as empty.
    """
    too_old = _beyond_budget(root / MEDIA)
    stack = [root]
    while stack:
        folder = stack.pop()
        for path in _listed(folder):
            name = path.relative_to(root).as_posix()
            if excluded(name) or _beside_a_database(path) or path in too_old:
                continue
            if path.is_dir() and not path.is_symlink():
                stack.append(path)
            yield name, path


def _beyond_budget(media: Path) -> set[Path]:
    """The oldest of the files that were sent in, once all together are too many bytes."""
    found = []
    for folder, _, names in os.walk(media):
        for name in names:
            path = Path(folder) / name
            try:
                stat = path.lstat()
            except OSError:
                continue
            found.append((stat.st_mtime_ns, stat.st_size, path))
    found.sort(reverse=True)
    total = itertools.accumulate(size for _, size, _ in found)
    return {path for (_, _, path), bytes_so_far in zip(found, total, strict=True) if bytes_so_far > MEDIA_BYTES}


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _beside_a_database(path: Path) -> bool:
    """Whether the file belongs to a database in use; the backup API already includes its content."""
    for ending in BESIDE_A_DATABASE:
        if path.name.endswith(ending):
            return is_database(path.with_name(path.name.removesuffix(ending)))
    return False


def is_database(path: Path) -> bool:
    """Whether the file is a SQLite database, by its first bytes: agents use any file name."""
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False

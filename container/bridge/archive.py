"""A state directory as one tar.zst file, and back. No AWS here.

SQLite files are copied by SQLite's backup API, never byte by byte: recent turns are in the `-wal`
file while the gateway runs.
"""

import fnmatch
import hashlib
import json
import os
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import zstandard

# Rebuilt by themselves, of this machine only, or a danger elsewhere (a stale lock must not travel).
EXCLUDED = (
    "cache",
    "cache/*",
    "tmp",
    "tmp/*",
    "media",
    "media/*",
    "worktrees",
    "worktrees/*",
    "logs",
    "logs/*",
    "*node_modules",
    "*node_modules/*",
    "*__pycache__",
    "*__pycache__/*",
    "*.venv",
    "*.venv/*",
    "*.lock",
    "*.sock",
    "*.log",
    "*.sqlite-wal",
    "*.sqlite-shm",
    "*.sqlite-journal",
    "openclaw.json.bak*",
)
# Python before 3.11.4 has no filters; our own check of each entry holds everywhere.
FILTER: dict[str, Any] = {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}
# One file; what is larger (videos, disk images, models) is left out and counted.
MAX_FILE_BYTES = 50 * 1024 * 1024
LEVEL = 3


# Exit status of `unpack` for an archive that is not what was written.
DAMAGED = 3


class Damaged(Exception):
    """The archive is not what was written."""


@dataclass(frozen=True)
class Summary:
    """`bytes` is the archive's size; `skipped` counts files that were too large or went away."""

    sha256: str
    bytes: int
    files: int
    skipped: int


def excluded(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in EXCLUDED)


def entries(root: Path) -> Iterator[tuple[str, Path]]:
    """Files, links and folders to keep, by their name in the archive; in a fixed order."""
    stack = [root]
    while stack:
        folder = stack.pop()
        for path in sorted(folder.iterdir()):
            name = path.relative_to(root).as_posix()
            if excluded(name):
                continue
            if path.is_dir() and not path.is_symlink():
                stack.append(path)
            yield name, path


def fingerprint(root: Path) -> str:
    """Changes when anything worth keeping changed; from names, sizes and times only."""
    whole = hashlib.sha256()
    for name, path in entries(root):
        sources = [path]
        if name.endswith(".sqlite"):
            sources.append(path.with_name(path.name + "-wal"))
        for source in sources:
            try:
                stat = source.lstat()
            except OSError:
                continue
            if source.is_dir() and not source.is_symlink():
                continue  # a folder's time changes with files that are left out
            whole.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return whole.hexdigest()


def pack(root: Path, target: IO[bytes]) -> Summary:
    """Write the archive of a state directory that is in use."""
    hashing = _Hashing(target)
    files = skipped = 0
    compressor = zstandard.ZstdCompressor(level=LEVEL, threads=-1)
    with (
        compressor.stream_writer(cast(IO[bytes], hashing), closefd=False) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, path in entries(root):
            if _add(tar, name, path):
                files += 1
            else:
                skipped += 1
    return Summary(hashing.digest(), hashing.count, files, skipped)


def _add(tar: tarfile.TarFile, name: str, path: Path) -> bool:
    try:
        if path.is_file() and not path.is_symlink():
            if path.stat().st_size > MAX_FILE_BYTES:
                return False
            if name.endswith(".sqlite"):
                return _add_database(tar, name, path)
        elif not path.is_dir() and not path.is_symlink():
            return False  # a socket or a pipe
        tar.add(path, name, recursive=False)
    except FileNotFoundError:
        return False  # the agent removed it meanwhile
    return True


def _add_database(tar: tarfile.TarFile, name: str, path: Path) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.sqlite"
        source, target = sqlite3.connect(f"file:{path}?mode=ro", uri=True), sqlite3.connect(copy)
        try:
            source.backup(target)
        except sqlite3.DatabaseError:
            copy = path  # not a database in spite of its name: keep its bytes
        finally:
            source.close()
            target.close()
        tar.add(copy, name, recursive=False)
    return True


def unpack(source: IO[bytes], root: Path, sha256: str) -> int:
    """Restore into root, which must not exist; how many entries. Raises Damaged, with root absent.

    Everything is written beside root first: root appears whole and checked, or not at all.
    """
    hashing = _Hashing(source)
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent, prefix=".restore-") as folder:
        staging = Path(folder) / "state"
        staging.mkdir(mode=0o700)
        try:
            count = _extract(hashing, staging)
            while hashing.read(1 << 20):
                pass
        except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
            raise Damaged(type(error).__name__) from None
        if hashing.digest() != sha256:
            raise Damaged("checksum")
        os.rename(staging, root)
    return count


def _extract(source: "_Hashing", folder: Path) -> int:
    count = 0
    with (
        zstandard.ZstdDecompressor().stream_reader(cast(IO[bytes], source), closefd=False) as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        for member in tar:
            name = PurePosixPath(member.name)
            if name.is_absolute() or ".." in name.parts or not (member.isreg() or member.isdir() or member.issym()):
                raise Damaged("an entry that no archive of ours has")
            tar.extract(member, folder, **FILTER)
            count += 1
    return count


def main(arguments: list[str]) -> int:
    """`pack ROOT` to stdout, `unpack ROOT SHA256` from stdin, `fingerprint ROOT`: run as the agent's user."""
    what, root = arguments[0], Path(arguments[1])
    if what == "pack":
        summary = pack(root, sys.stdout.buffer)
        print(json.dumps(vars(summary)), file=sys.stderr)
    elif what == "fingerprint":
        print(fingerprint(root))
    else:
        try:
            unpack(sys.stdin.buffer, root, arguments[2])
        except Damaged as error:
            print(error, file=sys.stderr)
            return DAMAGED
    return 0


class _Hashing:
    """A stream that knows the SHA-256 and the length of all that went through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.count = 0

    def write(self, data: Any) -> int:
        self._note(data)
        return self._stream.write(data)

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._note(data)
        return data

    def _note(self, data: Any) -> None:
        self._hash.update(data)
        self.count += len(data)

    def flush(self) -> None:
        self._stream.flush()

    def digest(self) -> str:
        return self._hash.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

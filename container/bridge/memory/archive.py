"""Packs a state directory into a tar.zst file and unpacks it. Does not use AWS.

SQLite databases are copied by SQLite's backup API, never byte by byte: recent turns are in the
`-wal` file while the gateway runs.
"""

import hashlib
import io
import json
import os
import sqlite3
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import zstandard

from bridge.memory import jobs, marks
from bridge.memory.contents import WORKSPACE, entries, is_database

# Python before 3.11.4 has no filters; our own check of each entry holds everywhere.
FILTER: dict[str, Any] = {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}
# One file; what is larger (videos, disk images, models) is left out and counted. OpenClaw's own
# databases are kept whatever their size: they are the memory.
MAX_FILE_BYTES = 50 * 1024 * 1024
# How long a database may be locked by its user.
BUSY_SECONDS = 10.0
LEVEL = 3


# Exit status of `unpack` for an archive that is not what was written.
DAMAGED = 3


class Damaged(Exception):
    """The archive is corrupt or incomplete."""


@dataclass(frozen=True)
class Summary:
    """`bytes` is the archive's size; `skipped` counts what was too large, unreadable, locked or gone.

    `databases` counts OpenClaw's own: without one there is no memory in it.
    """

    sha256: str
    bytes: int
    files: int
    skipped: int
    databases: int = 0


def pack(root: Path, target: IO[bytes]) -> Summary:
    """Write the archive of a state directory that is in use. Raises OSError or sqlite3.Error."""
    hashing = _Hashing(target)
    files = skipped = databases = 0
    compressor = zstandard.ZstdCompressor(level=LEVEL, threads=-1)
    with (
        compressor.stream_writer(cast(IO[bytes], hashing), closefd=False) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, path in entries(root):
            if _add(tar, name, path):
                files += 1
                databases += PurePosixPath(name).parts[0] != WORKSPACE and is_database(path)
            else:
                skipped += 1
    return Summary(hashing.digest(), hashing.count, files, skipped, databases)


def _add(tar: tarfile.TarFile, name: str, path: Path) -> bool:
    """False if the entry was skipped. The target's own errors pass through."""
    try:
        info = tar.gettarinfo(str(path), name)
        if info is None or not (info.isreg() or info.isdir() or info.issym() or info.islnk()):
            return False  # a socket, a pipe, a device
        if info.isdir() or info.issym():
            tar.addfile(info)
            return True
        info.type, info.linkname = tarfile.REGTYPE, ""  # a second name of a file is a file again
        if is_database(path):
            return _add_database(tar, info, path)
        with path.open("rb") as file:
            # Read whole: a file that shrinks meanwhile would leave an archive that ends too early.
            content = file.read(MAX_FILE_BYTES + 1)
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return False  # gone meanwhile, or closed to its own user
    if len(content) > MAX_FILE_BYTES:
        return False
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
    return True


def _add_database(tar: tarfile.TarFile, info: tarfile.TarInfo, path: Path) -> bool:
    theirs = PurePosixPath(info.name).parts[0] == WORKSPACE
    if theirs and path.stat().st_size > MAX_FILE_BYTES:
        return False
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.sqlite"
        try:
            copy_database(path, copy)
        except sqlite3.OperationalError:
            if theirs:
                return False  # locked for good by a program of the agent's; ours must be in every snapshot
            raise
        except sqlite3.DatabaseError:
            copy = path  # damaged, or none in spite of its first bytes: keep what there is
        with copy.open("rb") as file:
            info.size = os.fstat(file.fileno()).st_size
            tar.addfile(info, file)
    return True


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a database in use. Raises sqlite3.Error, after BUSY_SECONDS when it is locked."""
    deadline = time.monotonic() + BUSY_SECONDS

    def give_up(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline:
            raise sqlite3.OperationalError("database is locked")  # the API itself would try for ever

    reading, writing = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True), sqlite3.connect(target)
    try:
        reading.execute("pragma busy_timeout = 1000")
        reading.backup(writing, progress=give_up)
    finally:
        reading.close()
        writing.close()


def unpack(source: IO[bytes], root: Path, sha256: str) -> int:
    """Restore into root, which must not exist; returns the number of entries. Raises Damaged or OSError.

    Everything is first written next to root. Root then appears complete and verified, or not at all.
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
    folders: list[tarfile.TarInfo] = []
    links: set[PurePosixPath] = set()
    with (
        zstandard.ZstdDecompressor().stream_reader(cast(IO[bytes], source), closefd=False) as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        for member in tar:
            name = PurePosixPath(member.name)
            kind = member.isreg() or member.isdir() or member.issym()
            if name.is_absolute() or ".." in name.parts or not kind or links & set(name.parents):
                raise Damaged("an entry that no archive of ours has")
            if member.issym():
                links.add(name)
            if member.isdir():
                # Its mode and time come last: files must get into a folder that is closed to writing.
                folders.append(member)
                (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            else:
                tar.extract(member, folder, **FILTER)
            count += 1
    for member in reversed(folders):
        os.utime(folder / member.name, (member.mtime, member.mtime))
        os.chmod(folder / member.name, member.mode & 0o7777)
    return count


def main(arguments: list[str]) -> int:
    """`pack ROOT` to stdout, `unpack ROOT SHA256` from stdin: run as the agent's user."""
    what, root = arguments[0], Path(arguments[1])
    if what == "pack":
        summary = pack(root, sys.stdout.buffer)
        print(json.dumps(vars(summary)), file=sys.stderr)
    else:
        try:
            unpack(sys.stdin.buffer, root, arguments[2])
        except Damaged as error:
            print(error, file=sys.stderr)
            return DAMAGED
        try:
            marks.forget(root)
            jobs.move(root)
        except (sqlite3.Error, OSError) as error:  # the memory is there all the same
            print(type(error).__name__, file=sys.stderr)
    return 0


class _Hashing:
    """A stream that computes the SHA-256 and the length of its data."""

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

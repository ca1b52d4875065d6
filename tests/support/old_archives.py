"""Writes snapshots as earlier versions did: one tar.zst. They must stay restorable, and the benchmark compares."""

import hashlib
import io
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import zstandard

from bridge.memory.contents import MAX_FILE_BYTES, WORKSPACE, entries, is_database
from bridge.memory.databases import copied

LEVEL = 3


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
    with copied(path, theirs) as copy:
        if copy is None:
            return False
        with copy.open("rb") as file:
            info.size = os.fstat(file.fileno()).st_size
            tar.addfile(info, file)
    return True


class _Hashing:
    """Computes the SHA-256 and the length of what is written."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.count = 0

    def write(self, data: Any) -> int:
        self._hash.update(data)
        self.count += len(data)
        return self._stream.write(data)

    def flush(self) -> None:
        self._stream.flush()

    def digest(self) -> str:
        return self._hash.hexdigest()

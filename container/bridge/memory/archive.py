"""Unpacks a snapshot of an earlier version: one tar.zst file. Does not use AWS."""

import hashlib
import os
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import zstandard

from bridge.memory.arriving import arrive

# Python before 3.11.4 has no filters; our own check of each entry holds everywhere.
FILTER: dict[str, Any] = {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}
# Exit status of `unpack` for an archive that is not what was written.
DAMAGED = 3


class Damaged(Exception):
    """The archive is corrupt or incomplete."""


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
    """`ROOT SHA256`, and the archive on stdin. Runs as the agent's user."""
    root, sha256 = Path(arguments[0]), arguments[1]
    try:
        unpack(sys.stdin.buffer, root, sha256)
    except Damaged as error:
        print(error, file=sys.stderr)
        return DAMAGED
    arrive(root)
    return 0


class _Hashing:
    """A stream that computes the SHA-256 of what is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._hash.update(data)
        return data

    def digest(self) -> str:
        return self._hash.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

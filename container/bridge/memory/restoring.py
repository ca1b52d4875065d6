"""Writes the files of a snapshot: runs as the agent's user, for one restore.

    stdin    the manifest (its length first), then packs in any order: number, length, content
    stdout   the signatures of the restored files, as JSON

One thread reads, another decompresses, checks and writes. Everything is first written beside the state directory, which
then appears complete and verified, or not at all.
"""

import json
import os
import struct
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import local
from typing import IO, Any

import zstandard

from bridge.memory.archive import DAMAGED, Damaged
from bridge.memory.arriving import arrive
from bridge.memory.chunks import BLOCK, identify
from bridge.memory.manifest import MAX_BYTES, Entries, Unusable, check
from bridge.memory.saving import signature_of

MANIFEST, PACK = struct.Struct(">Q"), struct.Struct(">IQ")
# One thread reads, one works. On two busy cores four workers took 3 to 12 s for what one does in 1 to 2 s: they
# fight for Python's lock at each of the many short system calls.
WORKERS = 1
MAX_PACK = 1 << 30
PACKS_AHEAD = 4  # in memory at once
# Where a chunk goes: the file, and the place in it. `whole`: it is all of the file.
Place = tuple[str, int, bool]


class Restorer:
    """Fills `folder`, which exists and is empty."""

    def __init__(self, folder: Path, entries: Entries, packs: list[str]) -> None:
        check(entries)
        self._folder = folder
        self._entries = entries
        self._local = local()
        self._parts: list[dict[tuple[int, int, str], list[Place]]] = [{} for _ in packs]
        numbers = {pack: number for number, pack in enumerate(packs)}
        for name, entry in entries.items():
            if entry[0] == "f":
                self._plan(name, entry, numbers)

    def _plan(self, name: str, entry: list[Any], numbers: dict[str, int]) -> None:
        size, pieces = entry[3], entry[4]
        block = -(-size // len(pieces)) if pieces else 0
        if len(pieces) > 1:  # all but the last are equally long: a power of two
            block = 1 << (block - 1).bit_length()
        for number, (identity, pack, offset, stored) in enumerate(pieces):
            if pack not in numbers:
                raise Damaged("a pack that is not listed")
            place = (name, number * block, len(pieces) == 1)
            self._parts[numbers[pack]].setdefault((offset, stored, identity), []).append(place)

    def prepare(self) -> None:
        """Folders, and the files that are more or less than one chunk."""
        for name, entry in self._entries.items():
            if entry[0] == "d":
                (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, entry in self._entries.items():
            path = self._folder / name
            if not path.parent.is_dir():
                path.parent.mkdir(mode=0o700, parents=True)
            if entry[0] == "f" and len(entry[4]) != 1:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))

    def write(self, pool: ThreadPoolExecutor, packs: Iterator[tuple[int, bytes]]) -> None:
        """Raises Damaged, also when packs are missing."""
        left = set(range(len(self._parts)))
        working: deque[list[Future[None]]] = deque()
        for number, content in packs:
            if number not in left:
                raise Damaged("a pack that was not asked for")
            left.discard(number)
            parts = list(self._parts[number].items())
            share = -(-len(parts) // WORKERS) or 1
            view = memoryview(content)
            shares = [parts[at : at + share] for at in range(0, len(parts), share)]
            working.append([pool.submit(self._some, view, some) for some in shares])
            if len(working) > PACKS_AHEAD:
                _done(working.popleft())
        for futures in working:
            _done(futures)
        if left:
            raise Damaged("it ends too early")

    def _some(self, content: memoryview, parts: list[tuple[tuple[int, int, str], list[Place]]]) -> None:
        if not hasattr(self._local, "decompressor"):
            self._local.decompressor = zstandard.ZstdDecompressor()
        for (offset, stored, identity), places in parts:
            try:
                raw = self._local.decompressor.decompress(content[offset : offset + stored], max_output_size=BLOCK)
            except zstandard.ZstdError as error:
                raise Damaged(type(error).__name__) from None
            if identify(raw) != identity:
                raise Damaged("checksum")
            for place in places:
                self._put(raw, *place)

    def _put(self, raw: bytes, name: str, at: int, whole: bool) -> None:
        path = os.path.join(self._folder, name)
        flags = os.O_WRONLY | os.O_NOFOLLOW | (os.O_CREAT | os.O_EXCL if whole else 0)
        file = os.open(path, flags, 0o600)
        try:
            if os.pwrite(file, raw, at) != len(raw):
                raise OSError("the disk is full")
            if whole:
                self._finish(file, name)
        finally:
            os.close(file)

    def _finish(self, file: int, name: str) -> None:
        _, mode, mtime, size, _ = self._entries[name]
        if os.fstat(file).st_size != size:
            raise Damaged("length")
        os.fchmod(file, mode & 0o7777)
        os.utime(file, ns=(mtime, mtime))

    def close(self) -> dict[str, list[int]]:
        """Links, times and modes; the signatures of all files."""
        for name, entry in self._entries.items():
            if entry[0] == "l":
                os.symlink(entry[1], self._folder / name)
            elif entry[0] == "f" and len(entry[4]) != 1:
                file = os.open(self._folder / name, os.O_WRONLY | os.O_NOFOLLOW)
                try:
                    self._finish(file, name)
                finally:
                    os.close(file)
        signatures = {name: signature_of(self._folder / name) for name, one in self._entries.items() if one[0] == "f"}
        for name, entry in sorted(self._entries.items(), reverse=True):  # what is in a folder before the folder
            if entry[0] == "d":
                os.utime(self._folder / name, ns=(entry[2], entry[2]))
                os.chmod(self._folder / name, entry[1] & 0o7777)
        return signatures


def _done(futures: list[Future[None]]) -> None:
    for future in futures:
        future.result()


def packs_in(source: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    while head := source.read(PACK.size):
        if len(head) < PACK.size:
            raise Damaged("it ends too early")
        number, length = PACK.unpack(head)
        content = source.read(min(length, MAX_PACK))
        if len(content) != length:
            raise Damaged("it ends too early")
        yield number, content


def restore(root: Path, source: IO[bytes]) -> dict[str, list[int]]:
    """Raises Damaged or OSError, with root absent."""
    (length,) = MANIFEST.unpack(source.read(MANIFEST.size))
    if length > MAX_BYTES:
        raise Damaged("manifest")
    asked = json.loads(source.read(length))
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent, prefix=".restore-") as folder:
        staging = Path(folder) / "state"
        staging.mkdir(mode=0o700)
        try:
            restorer = Restorer(staging, asked["entries"], asked["packs"])
        except Unusable as error:
            raise Damaged(str(error)) from None
        restorer.prepare()
        with ThreadPoolExecutor(WORKERS, "restore") as pool:
            restorer.write(pool, packs_in(source))
        signatures = restorer.close()
        os.rename(staging, root)
    return signatures


def main(root: Path) -> int:
    try:
        signatures = restore(root, sys.stdin.buffer)
    except Damaged as error:
        print(error, file=sys.stderr)
        return DAMAGED
    arrive(root)
    json.dump(signatures, sys.stdout, separators=(",", ":"))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""Cuts files into chunks and writes the new ones as zstd frames, one after the other, into packs."""

import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import local
from typing import IO, Any

import zstandard

# A database changes in pages of 4 KiB; other files mostly at their end or as a whole.
DATABASE_BLOCK, BLOCK = 16 * 1024, 256 * 1024
# So that a restore downloads several at once, and a pack is worth a request.
PACK_BYTES = 8 * 1024 * 1024
LEVEL = 3
WORKERS = 2
# Chunks in work: bounds the memory at 8 MiB.
AHEAD = 32


def identify(content: bytes | memoryview) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


class Packs:
    """Writes chunks that `known` does not have. `lengths` are those of the packs written so far."""

    def __init__(self, target: IO[bytes], name: str, known: dict[str, list[Any]]) -> None:
        self._target = target
        self._name = name
        self._known = known  # by id; the chunk as a manifest has it
        self._pool = ThreadPoolExecutor(WORKERS, "chunks")
        self._local = local()
        self.lengths: list[int] = []

    def file(self, path: Path, block: int, limit: int) -> tuple[list[list[Any]], int] | None:
        """The chunks of a file and its size; None when it is larger than the limit. Raises OSError."""
        waiting: deque[Future[tuple[str, bytes | None]]] = deque()
        found: list[list[Any]] = []
        size = 0
        with path.open("rb") as file:
            for content in _blocks(file, block):
                size += len(content)
                if size > limit:
                    break
                waiting.append(self._pool.submit(self._prepared, content))
                if len(waiting) >= AHEAD:
                    found.append(self._kept(*waiting.popleft().result()))
        found += [self._kept(*future.result()) for future in waiting]
        return (found, size) if size <= limit else None

    def _prepared(self, content: bytes) -> tuple[str, bytes | None]:
        """In a worker: both release Python's lock."""
        name = identify(content)
        if name in self._known:
            return name, None
        if not hasattr(self._local, "compressor"):
            self._local.compressor = zstandard.ZstdCompressor(level=LEVEL)
        return name, self._local.compressor.compress(content)

    def _kept(self, name: str, frame: bytes | None) -> list[Any]:
        if name not in self._known:
            assert frame is not None  # what is known never becomes unknown
            if not self.lengths or self.lengths[-1] >= PACK_BYTES:
                self.lengths.append(0)
            self._known[name] = [name, f"{self._name}.{len(self.lengths) - 1}", self.lengths[-1], len(frame)]
            self._target.write(frame)
            self.lengths[-1] += len(frame)
        return self._known[name]


def _blocks(file: IO[bytes], block: int) -> Iterator[bytes]:
    while content := file.read(block):
        yield content

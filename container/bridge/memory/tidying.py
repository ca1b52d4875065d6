"""Keeps what is stored small: deletes what no restore point needs, and rewrites packs that are mostly dead."""

import hashlib
import tempfile
from dataclasses import replace
from typing import IO

from botocore.exceptions import BotoCoreError, ClientError

from bridge.memory.chunks import PACK_BYTES
from bridge.memory.manifest import Entries, Unusable, chunks, live_bytes, moved, to_retire
from bridge.memory.objects import RestoreFailed
from bridge.memory.points import Snapshot
from bridge.memory.snapshots import Snapshots
from bridge.memory.state import Known, stem_of
from chalicelib.platform import log

OURS = (".tar.zst", ".manifest", ".pack")
# A listing and the manifests of all restore points are read for it.
EVERY = 32
Places = dict[tuple[str, int], tuple[str, int]]


class Tidying:
    """After saves, in the thread that makes them. Nothing here may fail a save."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._objects = snapshots.objects
        self._needs: dict[str, set[str]] = {}  # the keys that a snapshot needs, by its own
        self._saves = 0
        self.written = 0  # bytes that compaction wrote

    def after_save(self) -> None:
        """Rewrite packs if it is worth it; delete now and then, and after the first save."""
        try:
            self.compact()
            if self._saves % EVERY == 0:
                self.tidy()
            self._saves += 1
        except (ClientError, BotoCoreError, RestoreFailed, Unusable) as error:
            log.failure("tidy_failed", error)

    def tidy(self) -> None:
        """Delete what the pointer does not need, also what tasks left that died before they wrote it.

        What a newer generation has written stays. Nothing is deleted when a manifest cannot be read.
        """
        kept: set[str] = set()
        snapshots = self._snapshots.pointer().snapshots
        for snapshot in snapshots:
            kept |= self._needed(snapshot)
        self._needs = {snapshot.key: self._needs[snapshot.key] for snapshot in snapshots}
        newest = f"{self._snapshots.generation + 1:08d}"
        for key in self._objects.listed():
            if key.endswith(OURS) and key not in kept and key.rsplit("/", 1)[-1] < newest:
                self._objects.delete(key)

    def _needed(self, snapshot: Snapshot) -> set[str]:
        if snapshot.key not in self._needs:
            needs = {snapshot.key}
            if snapshot.key.endswith(".manifest"):
                needs |= self._needed_by(snapshot)
            self._needs[snapshot.key] = needs
        return self._needs[snapshot.key]

    def _needed_by(self, snapshot: Snapshot) -> set[str]:
        entries, base = self._snapshots.entries(snapshot)
        return {base.key, *(self._objects.pack(name) for name in live_bytes(entries))}

    def compact(self) -> None:
        """Copy live chunks out of packs that are mostly dead or too many. The latest snapshot then names new ones."""
        snapshots, known = self._snapshots, self._snapshots.known
        retired = to_retire(live_bytes(known.entries), known.sizes)
        before = snapshots.pointer()
        if not retired or not before.snapshots or before.snapshots[0].key != known.key:
            return
        stem = stem_of(snapshots.generation, snapshots.clock(), 0)
        with tempfile.TemporaryFile() as file:
            places, lengths = self._copy(known.entries, retired, stem, file)
            names = [f"{stem}.{number}" for number in range(len(lengths))]
            self._objects.put_packs(file, names, lengths)
        sizes = {**known.sizes, **dict(zip(names, lengths, strict=True))}
        sizes = {name: size for name, size in sizes.items() if name not in retired}
        after = Known("", moved(known.entries, places), known.signatures, None, sizes)
        body, after = after.written(f"{self._objects.prefix}{stem}.manifest")
        self._objects.put(after.key, body)
        digest = hashlib.sha256(body).hexdigest()
        snapshots.move(before, replace(before.snapshots[0], key=after.key, sha256=digest), known.key)
        snapshots.known = after
        self.written += sum(lengths) + len(body)
        log.event("compacted", packs=len(retired), bytes=sum(lengths))

    def _copy(self, entries: Entries, retired: list[str], stem: str, file: IO[bytes]) -> tuple[Places, list[int]]:
        places: Places = {}
        lengths: list[int] = []
        live: dict[str, set[tuple[int, int]]] = {name: set() for name in retired}
        for _, pack, offset, stored in chunks(entries):
            if pack in live:
                live[pack].add((offset, stored))
        for name in retired:
            content = self._objects.get(self._objects.pack(name))
            for offset, stored in sorted(live[name]):
                if not lengths or lengths[-1] >= PACK_BYTES:
                    lengths.append(0)
                places[name, offset] = f"{stem}.{len(lengths) - 1}", lengths[-1]
                file.write(content[offset : offset + stored])
                lengths[-1] += stored
        file.flush()
        return places, lengths

"""Snapshots of a user's memory in S3: a save uploads what has changed, and moves a pointer.

    workspaces/<user>/packs/<generation>-<time>-<number>.<n>.pack    chunks of files, written once
    workspaces/<user>/<generation>-<time>-<number>.manifest          the files of one snapshot, written once
    workspaces/<user>/latest                                         written last, only over what was read

A manifest is complete, or it lists the differences from another one, its base. The pointer lists the restore
points. A write replaces it only if it has not changed since it was read (S3's If-Match), and never for an older
generation. Snapshots of earlier versions (.tar.zst) are restored too.
"""

import hashlib
import tempfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from bridge.memory.archive import Damaged
from bridge.memory.archiver import ArchiveFailed, Archiver
from bridge.memory.copying import Copier, Saved
from bridge.memory.manifest import Entries, Unusable, applied, check, decode, live_bytes
from bridge.memory.objects import Objects, RestoreFailed
from bridge.memory.pointer import Pointer, Pointing
from bridge.memory.points import KEPT_GAPS, RESTORED, TURN, Gap, Snapshot
from bridge.memory.state import Base, Known, document_of, stem_of
from bridge.shared.rest import Fence
from bridge.shared.user import AgentUser
from chalicelib.platform.clock import Clock, now_ms

__all__ = ["RestoreFailed", "Snapshot", "Snapshots"]


class Snapshots(Pointing):
    """Reads and writes the snapshots of one user, for one generation."""

    def __init__(
        self, bucket: str, user_id: str, generation: int, user: AgentUser | None = None, clock: Clock = now_ms
    ) -> None:
        objects = Objects(bucket, f"workspaces/{user_id}/")
        super().__init__(objects, generation, clock)
        self.archiver = Archiver(user or AgentUser())
        self.copier = Copier(self.archiver.user)
        self._seq = 0
        self.known = Known()

    def restore(self, root: Path, back: int = 0) -> Snapshot | None:
        """Put the latest snapshot (or the one `back` before it) at root; None for a new user.

        Raises RestoreFailed, with root absent.
        """
        snapshots = self.pointer().snapshots
        if not snapshots:
            return None
        if back >= len(snapshots):
            raise RestoreFailed("there is no older snapshot")
        self.restore_one(snapshots[back], root)
        return snapshots[back]

    def restore_one(self, wanted: Snapshot, root: Path) -> None:
        """Put that snapshot at root, which must not exist. Raises RestoreFailed, with root absent."""
        self.known = Known()  # we know nothing about the files on the disk now
        try:
            if wanted.key.endswith(".tar.zst"):
                self._unpack(wanted, root)
            else:
                self.known = self._fetch(wanted, root)
        except (Damaged, Unusable) as error:
            raise RestoreFailed(f"damaged: {error}") from None
        except ArchiveFailed as error:
            raise RestoreFailed(str(error)) from None
        except OSError as error:
            raise RestoreFailed(type(error).__name__) from None

    def _unpack(self, wanted: Snapshot, root: Path) -> None:
        """Restore a snapshot of an earlier version of this program."""
        archive = self.objects.verified(wanted.key, wanted.sha256)
        self.archiver.unpack(iter([archive]), root, wanted.sha256)

    def _fetch(self, wanted: Snapshot, root: Path) -> Known:
        entries, base = self.entries(wanted)
        live = live_bytes(entries)
        sizes: dict[str, int] = {}
        with self.copier.restore(root, entries, sorted(live)) as restoring:

            def use(name: str, content: bytes) -> None:
                sizes[name] = len(content)
                restoring.put(name, content)

            self.objects.packs(sorted(live), use)
        return Known(wanted.key, entries, restoring.signatures, base, sizes)

    def entries(self, wanted: Snapshot) -> tuple[Entries, Base]:
        """The files of a snapshot, and the base of its manifest. Raises RestoreFailed, Unusable."""
        body = self.objects.verified(wanted.key, wanted.sha256)
        delta, base = document_of(decode(body))
        if base is None:
            entries = applied({}, delta)
            base = Base(wanted.key, wanted.sha256, entries, len(body))
        else:
            packed = self.objects.verified(base.key, base.sha256)
            base = Base(base.key, base.sha256, applied({}, document_of(decode(packed))[0]), len(packed))
            entries = applied(base.entries, delta)
        check(entries)
        return entries, base

    def backup(
        self, root: Path, fence: Fence = nullcontext, reason: str = TURN, unrestful: bool = False
    ) -> Snapshot | None:
        """Write a snapshot of root and move the pointer to it. Returns None if nothing has changed.

        Raises LeaseLost for an old generation, ArchiveFailed, and what the fence raises.
        """
        before = self.pointer()
        self.refuse_if_newer(before)
        self._seq += 1
        stem = stem_of(self.generation, self.clock(), self._seq)
        known = self.known
        with tempfile.TemporaryFile() as file:
            saved = self.copier.save(root, known.entries, known.signatures, stem, file, fence)
            at = self.clock()
            if known.key and not (saved.delta.changed or saved.delta.removed):
                self.known = known.seen(saved.signatures)
                return None
            _refuse_if_gone(before, saved)
            names = [f"{stem}.{number}" for number in range(len(saved.lengths))]
            self.objects.put_packs(file, names, saved.lengths)
        after = known.after(saved, dict(zip(names, saved.lengths, strict=True)))
        snapshot, after = self._write(after, stem, at, sum(saved.lengths), saved, reason, unrestful)
        self.move(before, snapshot)
        self.known = after
        return snapshot

    def keep(self, root: Path, reason: str) -> None:
        """Make a restore point of the present files and keep it for DAILY. Raises what `backup` raises."""
        if self.backup(root, reason=reason) is None:
            self.relabel(self.pointer(), reason)

    def relabel(self, before: Pointer, reason: str) -> None:
        """Say why the latest restore point is kept. Raises LeaseLost."""
        if before.snapshots:
            latest = before.snapshots[0]
            self.move(before, replace(latest, reason=reason), latest.key)

    def taken_in(self, root: Path, reason: str) -> None:
        """Save imported files completely, since nothing is known about them. Raises what `backup` raises."""
        self.known = Known()
        self.backup(root, reason=reason)

    def return_to(self, wanted: Snapshot) -> Snapshot:
        """Make an older restore point the latest: the next start restores it. Raises LeaseLost."""
        before = self.pointer()
        latest = replace(wanted, created_at=self.clock(), reason=RESTORED, written=0)
        gap = Gap(wanted.created_at, latest.created_at)
        self.move(replace(before, gaps=(gap, *before.gaps)[:KEPT_GAPS]), latest)
        return latest

    def _write(
        self, known: Known, stem: str, at: int, packed: int, saved: Saved, reason: str, unrestful: bool
    ) -> tuple[Snapshot, Known]:
        """Write the manifest. Returns the entry for the pointer."""
        key = f"{self.objects.prefix}{stem}.manifest"
        body, known = known.written(key)
        self.objects.put(key, body)
        total = sum(live_bytes(known.entries).values())
        counts = saved.files, at, saved.skipped, saved.databases
        digest = hashlib.sha256(body).hexdigest()
        return Snapshot(key, digest, total, *counts, reason, unrestful, packed + len(body)), known


def _refuse_if_gone(before: Pointer, now: Saved) -> None:
    """An agent can delete its own files. An empty snapshot must not replace the good ones."""
    had = before.snapshots[0].databases if before.snapshots else 0
    if not now.files or (had and not now.databases):
        raise ArchiveFailed("there is no memory to save")

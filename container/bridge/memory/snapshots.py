"""Snapshots of a user's memory in S3: each under its own key, and a pointer to the latest.

    workspaces/<user>/<generation>-<seq>.tar.zst    written first, never again
    workspaces/<user>/latest                        written last, only over what was read

The pointer lists the last KEEP snapshots. A write replaces it only if it has not changed since it was read
(S3's If-Match), and never for an older generation. A snapshot is one PUT, so its limit is 5 GB packed.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from bridge.memory.archive import Damaged, Summary
from bridge.memory.archiver import ArchiveFailed, Archiver
from bridge.shared.user import AgentUser
from chalicelib.agents.tasks import LeaseLost
from chalicelib.platform import aws, log
from chalicelib.platform.clock import Clock, now_ms

KEEP = 5
TRIES = 3
# S3's words for "somebody else was first", or may have been.
CONTENDED = ("PreconditionFailed", "ConditionalRequestConflict")


class RestoreFailed(Exception):
    """A snapshot exists but could not be restored: this container must not make a backup."""


@dataclass(frozen=True)
class Snapshot:
    """`skipped` counts files that were too large or unreadable; `databases` counts OpenClaw's own."""

    key: str
    sha256: str
    bytes: int
    files: int
    created_at: int
    skipped: int = 0
    databases: int = 0

    @classmethod
    def from_wire(cls, entry: Mapping[str, Any]) -> Self:
        """Ignores fields that a later version may have added. Raises TypeError if a field is missing."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in entry.items() if name in known})


@dataclass(frozen=True)
class Pointer:
    """What `latest` says; the newest snapshot first. `etag` is None when there is none yet."""

    generation: int
    snapshots: tuple[Snapshot, ...]
    etag: str | None


class Snapshots:
    """One user's snapshots, read and written for one generation."""

    def __init__(
        self, bucket: str, user_id: str, generation: int, archiver: Archiver | None = None, clock: Clock = now_ms
    ) -> None:
        self._bucket = bucket
        self.archiver = archiver or Archiver(AgentUser())
        self._prefix = f"workspaces/{user_id}/"
        self._generation = generation
        self._clock = clock
        self._seq = 0

    @property
    def _s3(self) -> Any:
        return aws.client("s3")

    def pointer(self) -> Pointer:
        """The current pointer, empty for a new user. Raises RestoreFailed when it cannot be read."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + "latest")
            body = json.loads(answer["Body"].read())
            snapshots = tuple(Snapshot.from_wire(entry) for entry in body["snapshots"])
            return Pointer(int(body["generation"]), snapshots, answer["ETag"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return Pointer(0, (), None)
            raise RestoreFailed(error.response["Error"]["Code"]) from None
        except (BotoCoreError, ValueError, KeyError, TypeError) as error:
            raise RestoreFailed(type(error).__name__) from None

    def restore(self, root: Path, back: int = 0) -> Snapshot | None:
        """Put the latest snapshot (or the one `back` before it) at root; None for a new user.

        Raises RestoreFailed, with root absent.
        """
        snapshots = self.pointer().snapshots
        if not snapshots:
            return None
        if back >= len(snapshots):
            raise RestoreFailed("there is no older snapshot")
        wanted = snapshots[back]
        try:
            self._fetch(wanted, root)
        except BotoCoreError as error:  # a connection that broke off in the middle
            log.failure("restore_interrupted", error)
            self._fetch_again(wanted, root)
        return wanted

    def _fetch_again(self, wanted: Snapshot, root: Path) -> None:
        try:
            self._fetch(wanted, root)
        except BotoCoreError as error:
            raise RestoreFailed(type(error).__name__) from None

    def _fetch(self, wanted: Snapshot, root: Path) -> None:
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=wanted.key)["Body"]
            self.archiver.unpack(body.iter_chunks(1 << 20), root, wanted.sha256)
        except Damaged as error:
            raise RestoreFailed(f"damaged: {error}") from None
        except ClientError as error:
            raise RestoreFailed(error.response["Error"]["Code"]) from None
        except ArchiveFailed as error:
            raise RestoreFailed(str(error)) from None
        except OSError as error:
            raise RestoreFailed(type(error).__name__) from None

    def backup(self, root: Path) -> Snapshot:
        """Write a snapshot of root and point to it. Raises LeaseLost for an old generation, or ArchiveFailed."""
        before = self.pointer()
        self._refuse_if_newer(before)
        self._seq += 1
        key = f"{self._prefix}{self._generation:08d}-{self._clock():013d}-{self._seq:04d}.tar.zst"
        with tempfile.TemporaryFile() as file:
            summary = self.archiver.pack(root, file)
            _refuse_if_gone(before, summary)
            file.seek(0)
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=file)
        known = summary.sha256, summary.bytes, summary.files, self._clock(), summary.skipped, summary.databases
        snapshot = Snapshot(key, *known)
        self._tidy(self._point(before, snapshot))
        return snapshot

    def _refuse_if_newer(self, pointer: Pointer) -> None:
        if pointer.generation > self._generation:
            raise LeaseLost(self._prefix)

    def _point(self, before: Pointer, snapshot: Snapshot) -> set[str]:
        """Make the snapshot the latest; returns the keys that are kept. Raises LeaseLost."""
        for _ in range(TRIES):
            self._refuse_if_newer(before)
            kept = (snapshot, *before.snapshots)[:KEEP]
            try:
                self._replace(before, kept)
            except ClientError as error:
                if error.response["Error"]["Code"] not in CONTENDED:
                    raise
                before = self.pointer()
                if snapshot not in before.snapshots[:1]:
                    continue  # an older task was quicker: it goes behind ours
                # Our own first try, whose answer was lost on the way.
                kept = before.snapshots
            return {entry.key for entry in kept}
        raise LeaseLost(self._prefix)

    def _replace(self, before: Pointer, kept: tuple[Snapshot, ...]) -> None:
        body = {"generation": self._generation, "snapshots": [vars(entry) for entry in kept]}
        condition = {"IfMatch": before.etag} if before.etag else {"IfNoneMatch": "*"}
        self._s3.put_object(
            Bucket=self._bucket, Key=self._prefix + "latest", Body=json.dumps(body).encode(), **condition
        )

    def _tidy(self, kept: set[str]) -> None:
        """Delete snapshots that the pointer does not list, including those of tasks that died before they wrote it.

        Snapshots of a newer generation stay. The next backup retries failed deletions.
        """
        newest = f"{self._prefix}{self._generation + 1:08d}"
        try:
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
            for key in keys:
                if key.endswith(".tar.zst") and key not in kept and key < newest:
                    self._s3.delete_object(Bucket=self._bucket, Key=key)
        except (ClientError, BotoCoreError) as error:
            log.failure("tidy_failed", error)


def _refuse_if_gone(before: Pointer, now: Summary) -> None:
    """An agent can delete its own files; this must not displace the good snapshots."""
    had = before.snapshots[0].databases if before.snapshots else 0
    if not now.files or (had and not now.databases):
        raise ArchiveFailed("there is no memory to save")

"""Snapshots of a user's memory in S3: each under its own key, and a pointer to the latest.

    workspaces/<user>/<generation>-<seq>.tar.zst    written first, never again
    workspaces/<user>/latest                        written last, only over what was read

The pointer names the last KEEP snapshots. It is replaced only if nobody replaced it since it was
read (S3's If-Match) and never by an older generation.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bridge.archive import Damaged
from bridge.archiver import Archiver
from bridge.user import AgentUser
from chalicelib import aws
from chalicelib.clock import Clock, now_ms
from chalicelib.tasks import LeaseLost

KEEP = 5


class RestoreFailed(Exception):
    """There is a snapshot and it could not be restored: no backup may follow."""


@dataclass(frozen=True)
class Snapshot:
    key: str
    sha256: str
    bytes: int
    files: int
    created_at: int


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
            snapshots = tuple(Snapshot(**entry) for entry in body["snapshots"])
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
            body = self._s3.get_object(Bucket=self._bucket, Key=wanted.key)["Body"]
            self.archiver.unpack(body.iter_chunks(1 << 20), root, wanted.sha256)
        except Damaged as error:
            raise RestoreFailed(f"damaged: {error}") from None
        except ClientError as error:
            raise RestoreFailed(error.response["Error"]["Code"]) from None
        except (BotoCoreError, OSError) as error:
            raise RestoreFailed(type(error).__name__) from None
        return wanted

    def backup(self, root: Path) -> Snapshot:
        """Write a snapshot of root and point to it. Raises LeaseLost for an old generation."""
        before = self.pointer()
        self._refuse_if_newer(before)
        self._seq += 1
        key = f"{self._prefix}{self._generation:08d}-{self._clock():013d}-{self._seq:04d}.tar.zst"
        with tempfile.TemporaryFile() as file:
            summary = self.archiver.pack(root, file)
            file.seek(0)
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=file)
        snapshot = Snapshot(key, summary.sha256, summary.bytes, summary.files, self._clock())
        self._point(before, snapshot)
        return snapshot

    def _refuse_if_newer(self, pointer: Pointer) -> None:
        if pointer.generation > self._generation:
            raise LeaseLost(self._prefix)

    def _point(self, before: Pointer, snapshot: Snapshot) -> None:
        kept = (snapshot, *before.snapshots)[:KEEP]
        body = {"generation": self._generation, "snapshots": [vars(entry) for entry in kept]}
        condition = {"IfMatch": before.etag} if before.etag else {"IfNoneMatch": "*"}
        try:
            self._s3.put_object(
                Bucket=self._bucket, Key=self._prefix + "latest", Body=json.dumps(body).encode(), **condition
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise LeaseLost(self._prefix) from None
            raise
        for old in before.snapshots[KEEP - 1 :]:
            self._s3.delete_object(Bucket=self._bucket, Key=old.key)

"""The pointer `latest`: the restore points of a user, moved only by the newest generation."""

import json
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bridge.memory.objects import Objects, RestoreFailed
from bridge.memory.points import Gap, Snapshot, thinned
from chalicelib.agents.tasks import LeaseLost
from chalicelib.platform import aws
from chalicelib.platform.clock import Clock

TRIES = 3
# S3's words for "somebody else was first", or may have been.
CONTENDED = ("PreconditionFailed", "ConditionalRequestConflict")


@dataclass(frozen=True)
class Pointer:
    """What `latest` says; the newest snapshot first. `etag` is None when there is none yet."""

    generation: int
    snapshots: tuple[Snapshot, ...]
    etag: str | None
    gaps: tuple[Gap, ...] = ()


class Pointing:
    """Reads and moves the pointer for one generation."""

    def __init__(self, objects: Objects, generation: int, clock: Clock) -> None:
        self.objects = objects
        self.generation = generation
        self.clock = clock

    @property
    def _s3(self) -> Any:
        return aws.client("s3")

    def pointer(self) -> Pointer:
        """The current pointer, empty for a new user. Raises RestoreFailed when it cannot be read."""
        try:
            answer = self._s3.get_object(Bucket=self.objects.bucket, Key=self.objects.prefix + "latest")
            body = json.loads(answer["Body"].read())
            snapshots = tuple(Snapshot.from_wire(entry) for entry in body["snapshots"])
            gaps = tuple(Gap(int(since), int(until)) for since, until in body.get("gaps", []))
            return Pointer(int(body["generation"]), snapshots, answer["ETag"], gaps)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return Pointer(0, (), None)
            raise RestoreFailed(error.response["Error"]["Code"]) from None
        except (BotoCoreError, ValueError, KeyError, TypeError) as error:
            raise RestoreFailed(type(error).__name__) from None

    def refuse_if_newer(self, pointer: Pointer) -> None:
        """Raises LeaseLost."""
        if pointer.generation > self.generation:
            raise LeaseLost(self.objects.prefix)

    def move(self, before: Pointer, snapshot: Snapshot, instead_of: str = "") -> None:
        """Make the snapshot the latest, or put it in the place of the latest one. Raises LeaseLost."""
        for _ in range(TRIES):
            self.refuse_if_newer(before)
            others = before.snapshots
            if instead_of:
                if not others or others[0].key != instead_of:
                    return  # another one is the latest by now
                others = others[1:]
            try:
                self._replace(before, thinned((snapshot, *others), self.clock()))
            except ClientError as error:
                if error.response["Error"]["Code"] not in CONTENDED:
                    raise
                before = replace(self.pointer(), gaps=before.gaps)
                if snapshot not in before.snapshots[:1]:
                    continue  # an older task was quicker: it goes behind ours
                # Our own first try: its response was lost.
            return
        raise LeaseLost(self.objects.prefix)

    def _replace(self, before: Pointer, kept: tuple[Snapshot, ...]) -> None:
        gaps = [[gap.since, gap.until] for gap in before.gaps]
        body = {"generation": self.generation, "snapshots": [vars(entry) for entry in kept], "gaps": gaps}
        condition = {"IfMatch": before.etag} if before.etag else {"IfNoneMatch": "*"}
        self._s3.put_object(
            Bucket=self.objects.bucket, Key=self.objects.prefix + "latest", Body=json.dumps(body).encode(), **condition
        )

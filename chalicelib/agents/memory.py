"""Restore points, export and import of an agent's memory: what is there, and what the user asks of the container.

The container does the work (container/bridge/memory/errands.py). A request is one row in Settings: a running agent
is told of it, a sleeping one is started for it and finds it.
"""

import json
import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.platform import aws
from chalicelib.platform.clock import MINUTE, Clock, now_ms
from chalicelib.platform.models import SettingItem
from chalicelib.platform.settings import Settings
from chalicelib.platform.writes import update
from chalicelib.wire.protocol import Frame, ProtocolError

KEY = "memory"
PENDING, DONE, FAILED = "pending", "done", "failed"
RESTORE, EXPORT, IMPORT = "restore", "export", "import"
# A request that was never finished makes room for another one.
STALE = 15 * MINUTE
# How long a signed address works, and what one file may have.
LINK_SECONDS, UPLOAD_BYTES = 3600, 2_000_000_000


@dataclass(frozen=True)
class Errand:
    """`subject`: the restore point, or the file that was made or is to be taken in."""

    id: str
    kind: str
    subject: str
    at: int
    status: str = PENDING
    message: str = ""

    def public(self) -> dict[str, Any]:
        return {"id": self.id, "kind": self.kind, "at": self.at, "status": self.status, "message": self.message}

    def frame(self) -> Frame:
        return {"type": "memory", **self.public()}


class _Refused(Exception):
    """The row is not as it was read."""


class Errands:
    """The one row of a user."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def get(self, user_id: str) -> Errand | None:
        try:
            value = SettingItem.get(user_id, KEY, consistent_read=True).value
        except SettingItem.DoesNotExist:
            return None
        return Errand(**value)

    def ask(self, user_id: str, kind: str, subject: str) -> Errand:
        """Raises ProtocolError MEMORY_BUSY while another one is pending."""
        before, now = self.get(user_id), self._clock()
        if before is not None and before.status == PENDING and now - before.at < STALE:
            raise ProtocolError("MEMORY_BUSY", "something is being done with this memory already")
        errand = Errand(uuid.uuid4().hex, kind, subject, now)
        same = SettingItem.value == asdict(before) if before else SettingItem.value.does_not_exist()
        try:
            update(SettingItem(user_id, KEY), [SettingItem.value.set(asdict(errand))], same, _Refused)
        except _Refused:
            raise ProtocolError("MEMORY_BUSY", "something is being done with this memory already") from None
        return errand

    def end(self, user_id: str, errand: Errand, status: str, message: str = "") -> Errand:
        """Done or failed; without effect when the row is another one's by now."""
        ended = replace(errand, status=status, message=message)
        same = SettingItem.value == asdict(errand)
        try:
            update(SettingItem(user_id, KEY), [SettingItem.value.set(asdict(ended))], same, _Refused)
        except _Refused:
            return ended
        return ended


@dataclass(frozen=True)
class Memories:
    """What is stored of a user's memory, as the page sees it."""

    settings: Settings

    def points(self, user_id: str) -> list[dict[str, Any]]:
        """The restore points, the newest first; empty before the first save."""
        try:
            key = f"workspaces/{user_id}/latest"
            body = aws.client("s3").get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):  # S3 says 403 where it may not list
                return []
            raise
        return [_point(entry) for entry in json.loads(body)["snapshots"]]

    def find(self, user_id: str, wanted: object) -> str:
        """The id of a restore point that exists. Raises ProtocolError."""
        if not isinstance(wanted, str):
            raise ProtocolError("BAD_FIELD", "id must be the id of a restore point")
        if wanted not in {point["id"] for point in self.points(user_id)}:
            raise ProtocolError("NOT_FOUND", "there is no such restore point")
        return wanted

    def download(self, user_id: str, errand: Errand) -> str | None:
        """The address of an export that is ready."""
        if errand.kind != EXPORT or errand.status != DONE:
            return None
        name = "agent-export.zip"
        asked = {"Bucket": self._bucket, "Key": export_key(user_id, errand.id)}
        asked["ResponseContentDisposition"] = f'attachment; filename="{name}"'
        return str(aws.client("s3").generate_presigned_url("get_object", asked, LINK_SECONDS))

    def upload(self, user_id: str) -> dict[str, Any]:
        """A signed POST for one file, and the id of the file for the import. S3 refuses a larger file."""
        name = uuid.uuid4().hex
        rules = [["content-length-range", 1, UPLOAD_BYTES]]
        signed = aws.client("s3").generate_presigned_post(
            self._bucket, import_key(user_id, name), Conditions=rules, ExpiresIn=LINK_SECONDS
        )
        where = {"uploadUrl": signed["url"], "fields": signed["fields"]}
        return {"id": name, **where, "expiresInSeconds": LINK_SECONDS, "maxBytes": UPLOAD_BYTES}

    @property
    def _bucket(self) -> str:
        return self.settings.need("DATA_BUCKET")


def _point(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(entry["created_at"]),
        "createdAt": entry["created_at"],
        "bytes": entry["bytes"],
        "files": entry["files"],
        "reason": entry.get("reason", ""),
        "unrestful": entry.get("unrestful", False),
    }


def export_key(user_id: str, name: str) -> str:
    return f"exports/{user_id}/{name}.zip"


def import_key(user_id: str, name: str) -> str:
    return f"imports/{user_id}/{name}"

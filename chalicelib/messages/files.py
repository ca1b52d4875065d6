"""Files that the agent gives to its person: where they lie in S3, what they are called, and who may fetch them.

    files/<user>/<id>/content

The Bridge stores them (container/bridge/files). The object holds its name and type as headers, so a signed address
needs no other look-up. Its user is part of the key: nobody can ask for the file of another one.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from chalicelib.platform import aws
from chalicelib.platform.parallel import each
from chalicelib.wire.protocol import Frame, ProtocolError

MAX_FILE_BYTES = 100_000_000
# How long a signed address works.
LINK_SECONDS = 600
NAME_CHARACTERS, SUFFIX_CHARACTERS = 120, 12
OTHER = "application/octet-stream"
_OFFICE = "application/vnd.openxmlformats-officedocument"
# What a browser is told of a file, by the ending of its name. Never a type that runs code: no HTML, SVG or XML.
TYPES = {
    **{"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"},
    **{"mp3": "audio/mpeg", "m4a": "audio/mp4", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg"},
    **{"wav": "audio/wav", "flac": "audio/flac", "mp4": "video/mp4", "webm": "video/webm"},
    **{"pdf": "application/pdf", "zip": "application/zip", "json": "application/json"},
    **{"txt": "text/plain", "md": "text/plain", "log": "text/plain", "csv": "text/csv"},
    **{"docx": f"{_OFFICE}.wordprocessingml.document", "xlsx": f"{_OFFICE}.spreadsheetml.sheet"},
    **{"pptx": f"{_OFFICE}.presentationml.presentation"},
}
# A picture is shown at once: it must begin like one.
PICTURES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
# Days after which S3 deletes a file: the user's retention, rounded up to one of these (cdk/stacks/storage.py).
KEPT_DAYS = (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 540, 730, 1095, 1825, 3650)
KEPT_TAG = "keep-days"
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class StoredFile:
    """One file as rows and frames have it. `voice`: it was spoken as a voice note."""

    id: str
    name: str
    mime_type: str
    size: int
    voice: bool = False

    def public(self) -> Frame:
        frame: Frame = {"id": self.id, "name": self.name, "mimeType": self.mime_type, "sizeBytes": self.size}
        return frame | ({"voice": True} if self.voice else {})


def stored(entry: Frame) -> StoredFile:
    """Out of a row or a frame."""
    size, voice = int(entry["sizeBytes"]), bool(entry.get("voice"))
    return StoredFile(str(entry["id"]), str(entry["name"]), str(entry["mimeType"]), size, voice)


def object_key(user_id: str, file_id: str) -> str:
    return f"files/{user_id}/{file_id}/content"


def safe_name(name: str) -> str:
    """A name that hides nothing: no path, no control or direction marks, not too long; its ending is kept."""
    text = unicodedata.normalize("NFC", name.encode(errors="replace").decode())
    text = text.replace("\\", "/").rstrip("/").rpartition("/")[2]
    text = "".join(one for one in text if unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    text = text.strip(" .") or "file"
    if len(text) <= NAME_CHARACTERS:
        return text
    suffix = PurePosixPath(text).suffix
    suffix = suffix if len(suffix) <= SUFFIX_CHARACTERS else ""
    return text[: NAME_CHARACTERS - len(suffix) - 1].rstrip() + "…" + suffix


def content_type(name: str, beginning: bytes) -> str:
    """The type from the allow list; anything else is bytes without a meaning."""
    found = TYPES.get(PurePosixPath(name).suffix.lower().lstrip("."), OTHER)
    looks = PICTURES.get(found)
    return OTHER if looks is not None and not looks.match(beginning) else found


def disposition(name: str) -> str:
    """RFC 6266: saved, never opened; with a plain name for old programs and the real one (RFC 5987)."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def tagging(retention_days: int | None) -> str:
    """The tag by which a lifecycle rule deletes the object; empty to keep it."""
    days = next((step for step in KEPT_DAYS if retention_days and step >= retention_days), None)
    return f"{KEPT_TAG}={days}" if days else ""


class Files:
    """Files of a bucket as the gateway hands them out."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    @property
    def _s3(self) -> Any:
        return aws.client("s3")

    def link(self, user_id: str, file_id: str) -> Frame:
        """A signed address of a user's own file. Raises ProtocolError NOT_FOUND."""
        if not _ID.fullmatch(file_id):
            raise ProtocolError("NOT_FOUND", "there is no such file")
        key = object_key(user_id, file_id)
        try:
            self._s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:  # S3 says 403 where it may not list
            if error.response["Error"]["Code"] in ("404", "403", "NoSuchKey", "AccessDenied"):
                raise ProtocolError("NOT_FOUND", "the file does not exist any more") from None
            raise
        asked = {"Bucket": self._bucket, "Key": key}
        url = str(self._s3.generate_presigned_url("get_object", asked, LINK_SECONDS))
        return {"url": url, "expiresInSeconds": LINK_SECONDS}

    def lend(self, user_id: str, name: str, key: str, body: bytes) -> str:
        """Store a file of the workspace for a day; its id. `key` names this content of this file."""
        shown = safe_name(name)
        headers = {"ContentType": content_type(shown, body[:16]), "ContentDisposition": disposition(shown)}
        file_id = key[:32]
        place = {"Bucket": self._bucket, "Key": object_key(user_id, file_id)}
        self._s3.put_object(**place, Body=body, Tagging=tagging(1), **headers)
        return file_id

    def delete(self, user_id: str, file_ids: list[str]) -> None:
        """Those of a conversation that is deleted. Raises the first error, when all were tried."""

        def gone(file_id: str) -> None:
            self._s3.delete_object(Bucket=self._bucket, Key=object_key(user_id, file_id))

        for error in each([partial(gone, file_id) for file_id in file_ids]):
            if error is not None:
                raise error

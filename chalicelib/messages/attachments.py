"""The files of a message: a small picture in the message's row, everything else in S3 for seven days."""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.messages.inbox import Message
from chalicelib.platform import aws
from chalicelib.platform.parallel import each
from chalicelib.platform.settings import Settings
from chalicelib.wire.files import MAX_FILE, file_name, mime_type
from chalicelib.wire.protocol import ProtocolError

# A DynamoDB item holds at most 400 KB, including the text.
INLINE_LIMIT = 200_000
LINK_SECONDS = 3600
# What the table of a conversation and the tabs are told of an attachment.
SHOWN = ("mimeType", "fileName", "bytes", "uploadId", "voice", "transcript")
SHOWN_TRANSCRIPT = 4_000
Entry = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """A file that a page is about to upload."""

    name: str
    mime_type: str


def parse_wanted(body: Mapping[str, Any]) -> Wanted:
    """Raises ProtocolError BAD_FIELD, EMPTY_FILE or ATTACHMENT_TOO_LARGE."""
    size = body.get("bytes")
    if not isinstance(body.get("fileName"), str) or isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise ProtocolError("BAD_FIELD", "a file needs a fileName and its size in bytes")
    if size == 0:
        raise ProtocolError("EMPTY_FILE", "the file is empty")
    if size > MAX_FILE:
        raise ProtocolError("ATTACHMENT_TOO_LARGE", f"a file may have {MAX_FILE} bytes, this one has {size}")
    return Wanted(file_name(body["fileName"]), mime_type(body.get("mimeType")))


def place(user_id: str, wanted: Wanted, settings: Settings) -> Entry:
    """A signed POST for one file, and its id. S3 refuses another size than a page may send."""
    name = uuid.uuid4().hex
    signed = aws.client("s3").generate_presigned_post(
        settings.need("DATA_BUCKET"),
        upload_key(user_id, name),
        Conditions=[["content-length-range", 1, MAX_FILE]],
        ExpiresIn=LINK_SECONDS,
    )
    where = {"uploadUrl": signed["url"], "fields": signed["fields"], "expiresInSeconds": LINK_SECONDS}
    return {"id": name, "fileName": wanted.name, "mimeType": wanted.mime_type, "maxBytes": MAX_FILE, **where}


def upload_key(user_id: str, name: str) -> str:
    """A message's id has 8 letters at least, so no message is named `files`."""
    return f"attachments/{user_id}/files/{name}"


def keep(message: Message, attachments: list[Entry], settings: Settings) -> Message:
    """The message with its attachments. Pictures that are too large for a DynamoDB item are stored in S3 first.

    Raises ProtocolError ATTACHMENT_GONE for an upload that is not there, or not this user's.
    """
    inline = sum(len(entry.get("content", "")) for entry in attachments) <= INLINE_LIMIT
    stored = list(attachments)

    def store(number: int, entry: Entry) -> None:
        if "uploadId" in entry:
            stored[number] = _uploaded(message, entry, settings)
        elif not inline:
            stored[number] = _put(f"attachments/{message.user_id}/{message.id}/{number}", entry, settings)

    for error in each([partial(store, number, entry) for number, entry in enumerate(attachments)]):
        if error is not None:
            raise error
    return replace(message, attachments=stored)


def _uploaded(message: Message, entry: Entry, settings: Settings) -> Entry:
    """The key is made of the caller's own id: whatever the page names, it is a file of this user."""
    key = upload_key(message.user_id, entry["uploadId"])
    try:
        size = aws.client("s3").head_object(Bucket=settings.need("DATA_BUCKET"), Key=key)["ContentLength"]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "403", "NoSuchKey", "AccessDenied"):  # 403 where it may not list
            text = f"“{entry['fileName']}” is not there (any more): attach it again"
            raise ProtocolError("ATTACHMENT_GONE", text, message.id) from None
        raise
    return entry | {"key": key, "bytes": size}


def _put(key: str, entry: Entry, settings: Settings) -> Entry:
    body, bucket = base64.b64decode(entry["content"]), settings.need("DATA_BUCKET")
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType=entry["mimeType"])
    return {"mimeType": entry["mimeType"], "fileName": entry["fileName"], "key": key}


def load(entry: Entry, bucket: str) -> bytes | None:
    """An attachment's content, from the row or from S3; None when S3 has it no more."""
    if "content" in entry:
        return base64.b64decode(entry["content"])
    try:
        body: bytes = aws.client("s3").get_object(Bucket=bucket, Key=entry["key"])["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404", "403", "AccessDenied"):
            return None
        raise
    return body


def shown(entry: Entry) -> Entry:
    """Without its content and its place. A long transcript is cut: a frame holds 32 KB."""
    told = {name: entry[name] for name in SHOWN if name in entry}
    if len(told.get("transcript", "")) > SHOWN_TRANSCRIPT:
        told["transcript"] = told["transcript"][:SHOWN_TRANSCRIPT] + " …"
    return told


def kept(entry: Entry) -> Entry:
    """As a message's row has it: what Telegram holds is not in it."""
    return {name: value for name, value in entry.items() if name != "content" or "telegram" not in entry}

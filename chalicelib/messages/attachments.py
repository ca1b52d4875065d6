"""Stores a message's pictures: in the message's row, or in S3 if they are large."""

import base64
from dataclasses import replace

from chalicelib.messages.inbox import Message
from chalicelib.platform import aws
from chalicelib.platform.settings import Settings

# A DynamoDB item holds at most 400 KB, including the text.
INLINE_LIMIT = 200_000


def keep(message: Message, attachments: list[dict[str, str]], settings: Settings) -> Message:
    """The message with its attachments; those that are too large for a DynamoDB item are stored in S3 first."""
    if sum(len(entry["content"]) for entry in attachments) <= INLINE_LIMIT:
        return replace(message, attachments=attachments)
    bucket = settings.need("DATA_BUCKET")
    stored = []
    for number, entry in enumerate(attachments):
        key = f"attachments/{message.user_id}/{message.id}/{number}"
        body = base64.b64decode(entry["content"])
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType=entry["mimeType"])
        stored.append({"mimeType": entry["mimeType"], "fileName": entry["fileName"], "key": key})
    return replace(message, attachments=stored)


def load(entry: dict[str, str], bucket: str) -> str:
    """An attachment's content in base64, from the row or from S3."""
    if "content" in entry:
        return entry["content"]
    body = aws.client("s3").get_object(Bucket=bucket, Key=entry["key"])["Body"].read()
    return base64.b64encode(body).decode()

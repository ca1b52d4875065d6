"""Downloads what a person sent in Telegram when its turn starts, and opens what the agent gives to them."""

import base64
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from typing import IO, Any

from botocore.exceptions import ClientError

from chalicelib.messages.files import StoredFile, object_key
from chalicelib.messages.inbox import Message
from chalicelib.platform import aws, log
from chalicelib.telegram.api import BotApi, Flood, Rejected, TelegramError
from chalicelib.wire.files import MAX_FILE

TRIES = 3


class Files:
    def __init__(self, api: BotApi) -> None:
        self._api = api

    def fetched(self, message: Message, told: Callable[[], bool]) -> Message:
        """The message with the contents of its files; one that cannot be fetched is marked as missing.

        Once the turn is `told` to end, the other files stay as they are, for another try.
        """
        kept: list[dict[str, Any]] = []
        for entry in message.attachments:
            if "telegram" not in entry or told():
                kept.append(entry)
                continue
            content = self._content(entry["telegram"], MAX_FILE)
            if content is None:
                kept.append(entry | {"missing": True})
                continue
            kept.append(entry | {"content": base64.b64encode(content).decode(), "bytes": len(content)})
        return replace(message, attachments=kept)

    def _content(self, file_id: str, limit: int) -> bytes | None:
        for attempt in range(TRIES):
            try:
                return self._api.download(file_id, limit)
            except Rejected as error:
                log.event("telegram_file_refused", status=error.status)
                return None
            except Flood as flood:
                time.sleep(min(flood.retry_after, 30))
            except TelegramError as error:
                log.event("telegram_file_failed", reason=type(error).__name__)
                time.sleep(attempt + 1)
        return None


class Stored:
    """The files that the agent has given to a user. They lie on the disk while they are sent."""

    def __init__(self, user_id: str, bucket: str) -> None:
        self._user_id = user_id
        self._bucket = bucket

    def open(self, file: StoredFile) -> IO[bytes] | None:
        """A copy of a file; None if it is gone. Raises what AWS raises."""
        key = object_key(self._user_id, file.id)
        try:
            body = aws.client("s3").get_object(Bucket=self._bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):  # 403 where it may not list
                return None
            raise
        copy = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
        for content in body.iter_chunks(1 << 20):
            copy.write(content)
        copy.seek(0)
        return copy

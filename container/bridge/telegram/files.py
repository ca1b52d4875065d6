"""Downloads photos, voice messages and documents from Telegram when their turn starts."""

import base64
import time
from dataclasses import replace
from typing import Any

from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.telegram.api import BotApi, Flood, Rejected, TelegramError
from chalicelib.wire.files import MAX_FILE

TRIES = 3


class Files:
    def __init__(self, api: BotApi) -> None:
        self._api = api

    def fetched(self, message: Message) -> Message:
        """The message with the contents of its files; one that cannot be fetched is marked as missing."""
        kept: list[dict[str, Any]] = []
        for entry in message.attachments:
            if "telegram" not in entry:
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

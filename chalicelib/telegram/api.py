"""Calls the Bot API and reports the outcome of each call. The token stays inside this file.

A Bot API URL holds the token, and `requests` writes the URL into its exceptions: none of them
leaves here (`from None`), and nothing here logs.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from chalicelib.platform.http import unopened

Json = dict[str, Any]

DEFAULT_URL = "https://api.telegram.org"
CONNECT_SECONDS, READ_SECONDS = 5, 15
FILE_SECONDS = 120  # until Telegram has taken a file
MAX_DOWNLOAD = 20_000_000  # the Bot API gives no larger file to a bot


class TelegramError(Exception):
    """A call failed."""


class Rejected(TelegramError):
    """The Bot API refused: nothing happened, and the same call will be refused again."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(f"{status}: {description}")
        self.status = status
        self.description = description

    @property
    def unchanged(self) -> bool:
        return "message is not modified" in self.description


class Flood(TelegramError):
    """Too many calls: nothing happened, and the next may come after retry_after seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after


class NotSent(TelegramError):
    """No connection: nothing happened."""


class Unknown(TelegramError):
    """The call went out and no answer came: it may have happened, or not."""


class BotApi:
    """One bot. Safe for several threads."""

    def __init__(self, token: str, url: str = DEFAULT_URL) -> None:
        self._root = f"{url.rstrip('/')}/bot{token}"
        self._files = f"{url.rstrip('/')}/file/bot{token}"
        self._session = requests.Session()

    def __repr__(self) -> str:
        return "BotApi()"

    def call(self, method: str, files: Any = None, **fields: Any) -> Any:
        """The method's result. Raises Rejected, Flood, NotSent or Unknown."""
        fields = {name: value for name, value in fields.items() if value is not None}
        body: Json = {"json": fields}
        if files is not None:
            body = {"files": files, "data": {n: v if isinstance(v, str) else json.dumps(v) for n, v in fields.items()}}
        with _private(method):
            seconds = READ_SECONDS if files is None else FILE_SECONDS
            answer = self._session.post(f"{self._root}/{method}", timeout=(CONNECT_SECONDS, seconds), **body)
        return _result(method, answer)

    def download(self, file_id: str, limit: int = MAX_DOWNLOAD) -> bytes:
        """A file's content. Raises what `call` raises, Rejected also for one over the limit."""
        path = self.call("getFile", file_id=file_id).get("file_path", "")
        content = b""
        with _private("download"):
            url, timeout = f"{self._files}/{path}", (CONNECT_SECONDS, READ_SECONDS)
            with self._session.get(url, timeout=timeout, stream=True) as answer:
                if answer.status_code != 200:
                    raise Rejected(answer.status_code, "the file cannot be fetched")
                for part in answer.iter_content(64 * 1024):
                    content += part
                    if len(content) > limit:
                        raise Rejected(413, "the file is too large")
        return content


@contextmanager
def _private(method: str) -> Iterator[None]:
    """Exceptions of requests, without the URL in them."""
    try:
        yield
    except requests.RequestException as error:
        raise (NotSent(method) if unopened(error) else Unknown(method)) from None


def _result(method: str, answer: requests.Response) -> Any:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        body = None
    body = body if isinstance(body, dict) else {}
    if answer.status_code == 200 and body.get("ok"):
        return body.get("result")
    # The documented sign is `error_code`; the status of the answer is nearly always the same.
    code = body.get("error_code")
    status = code if body.get("ok") is False and isinstance(code, int) else answer.status_code
    if status == 429:
        raise Flood(float((body.get("parameters") or {}).get("retry_after", 1)))
    if 400 <= status < 500:
        raise Rejected(status, str(body.get("description", "")))
    raise Unknown(method)  # a gateway's 5xx says nothing about what happened behind it

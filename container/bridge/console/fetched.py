"""What the Control UI gets by HTTP: avatars, icons, the chat's media. Asked of the gateway, over the page's tunnel.

    page -- {"type": "fetch", id, method, path, session?} --> here -- GET with the gateway's token --> gateway
    page <-- {"type": "fetch", id, status, mime, data, more} in parts -- here

Only paths of this list, only GET, no redirects. Of the answer's headers only the type goes on.
"""

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote

import urllib3

from chalicelib.platform import log

Json = dict[str, Any]

_NAME = r"[A-Za-z0-9._~%:@!$&'()*+,;=-]{1,600}"
# 2026.9.1: dist/control-ui-contract. Without catalog-icon and link-favicon: for these the gateway calls the address
# that is in the path, and a text in the chat could name any, with what the agent knows in it.
PLACES = re.compile(
    rf"/avatar/{_NAME}|/api/users/{_NAME}/avatar"
    rf"|/__openclaw__/(?:channel-avatar|plugin-icon|workspace-icon)/{_NAME}"
    rf"|/__openclaw__/assistant-media|/api/chat/media/outgoing/{_NAME}(?:/{_NAME}){{0,4}}"
)
QUERY = re.compile(r"[!-\"$-~]{0,4000}")
SESSION = re.compile(r"[!-~]{1,300}")
TYPES = re.compile(r"(?:image|audio|video)/[a-z0-9.+-]{1,60}|application/(?:json|pdf)|text/plain")
UNKNOWN_TYPE = "application/octet-stream"
# Bytes of an answer, and of a part: with base64 a part fits one piece, and what else the gateway says goes in between.
MOST, PART = 6_000_000, 60_000
# At once, and waiting; beyond that the answer is 429.
AT_ONCE, WAITING = 3, 60
SECONDS, CONNECT_SECONDS = 20.0, 5.0
NOT_FOUND, NOT_ALLOWED, TOO_LARGE, TOO_MANY, UNREACHED = 404, 405, 413, 429, 502


class Refused(Exception):
    """The status that the page gets."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class Fetches:
    """Of one tunnel. `gateway`: port and token. `show` sends a message to the page, and waits for that."""

    def __init__(self, gateway: tuple[int, str], show: Callable[[str], None], secrets: Sequence[str] = ()) -> None:
        port, self._token = gateway
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=SECONDS)
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, timeout=timeout, maxsize=AT_ONCE)
        self._show = show
        self._secrets = [secret.encode() for secret in secrets]
        self._running = threading.Semaphore(AT_ONCE)
        self._waiting = 0
        self._lock = threading.Lock()

    def take(self, message: str) -> bool:
        """Whether the message is one of these; it is answered in a thread of its own. Does not block."""
        if '"fetch"' not in message[:40]:
            return False
        try:
            asked: Any = json.loads(message)
        except ValueError:
            return False
        if not isinstance(asked, dict) or asked.get("type") != "fetch" or not isinstance(asked.get("id"), str):
            return False
        with self._lock:
            full = self._waiting >= WAITING
            self._waiting += 1
        work = self._refuse if full else self._answer
        threading.Thread(target=work, args=(asked,), name="console-fetch", daemon=True).start()
        return True

    def _refuse(self, asked: Json) -> None:
        self._end(asked["id"], TOO_MANY)

    def _answer(self, asked: Json) -> None:
        try:
            with self._running:
                status, mime, body = self._fetched(asked)
        except Refused as refusal:
            return self._end(asked["id"], refusal.status)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            log.failure("console_unfetched", error)
            return self._end(asked["id"], UNREACHED)
        head = {"type": "fetch", "id": asked["id"], "status": status, "mime": mime}
        for begin in range(0, len(body), PART):
            data = base64.b64encode(body[begin : begin + PART]).decode()
            self._show(json.dumps(head | {"data": data, "more": True}))
        return self._end(asked["id"], status, mime)

    def _end(self, name: str, status: int, mime: str = UNKNOWN_TYPE) -> None:
        with self._lock:
            self._waiting -= 1
        self._show(json.dumps({"type": "fetch", "id": name, "status": status, "mime": mime, "data": "", "more": False}))

    def _fetched(self, asked: Json) -> tuple[int, str, bytes]:
        """Status, type and body. Raises Refused, and as urllib3 does."""
        if asked.get("method", "GET") != "GET":
            raise Refused(NOT_ALLOWED)
        target, headers = allowed(asked.get("path")), {"Authorization": f"Bearer {self._token}"}
        session = asked.get("session")
        if isinstance(session, str) and SESSION.fullmatch(session):
            headers["x-openclaw-requester-session-key"] = session
        response = self._pool.request(
            "GET", target, headers=headers, redirect=False, retries=False, preload_content=False
        )
        try:
            if 300 <= response.status < 400:
                raise Refused(NOT_FOUND)
            if response.status != 200:
                return response.status, UNKNOWN_TYPE, b""
            body = b"".join(_limited(response))
        finally:
            response.close()
        for secret in self._secrets:
            body = body.replace(secret, b"*" * len(secret))
        return response.status, _type(response.headers.get("content-type", "")), body


def allowed(path: Any) -> str:
    """The address at the gateway. Raises Refused: another place, a way out of it, or no address at all."""
    if not isinstance(path, str):
        raise Refused(NOT_FOUND)
    place, _, query = path.partition("?")
    steps = unquote(place).split("/")[1:]
    odd = any(step in ("", ".", "..") or re.search(r"[\x00-\x1f\x7f\\%]", step) for step in steps)
    if odd or not PLACES.fullmatch(place) or not QUERY.fullmatch(query):
        raise Refused(NOT_FOUND)
    return path


def _limited(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    left, deadline = MOST, time.monotonic() + SECONDS
    for chunk in response.stream(PART):
        left -= len(chunk)
        if left < 0:
            raise Refused(TOO_LARGE)
        if time.monotonic() > deadline:
            raise Refused(UNREACHED)
        yield chunk


def _type(said: str) -> str:
    mime = said.partition(";")[0].strip().lower()
    return mime if TYPES.fullmatch(mime) else UNKNOWN_TYPE

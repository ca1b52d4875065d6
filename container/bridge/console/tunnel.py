"""One WebSocket of the Control UI: a connection of its own to the gateway, and the way back to its tab."""

import contextlib
import json
import queue
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import websocket

from bridge.console.fetched import Fetches
from bridge.console.introduction import NotConnect, signed_in
from bridge.console.noted import Unnoted
from bridge.console.pieces import Broken, Gatherer
from bridge.openclaw.gateway import SUSPENDED_SECONDS
from bridge.shared.sockets import hang_up
from bridge.turns.splitting import split
from chalicelib.lifecycle.services import PostService
from chalicelib.platform import log
from chalicelib.wire.connections import Gone
from chalicelib.wire.console import BROKEN, DATA, closed

Json = dict[str, Any]

# Bytes of JSON in a frame to a tab: API Gateway takes 128 KB, and counts each 32 KB as a message.
PIECE_BYTES = 120_000
# Messages of a page that the gateway does not take fast enough, and their characters.
WAITING, WAITING_SIZE = 1_000, 16_000_000
LOOK_SECONDS = 1.0
CONNECT_SECONDS = 10
SILENCE_SECONDS = 75  # as in openclaw/gateway.py
HIDDEN = "[hidden]"
HEAD = re.compile(r'\{\s*"type"\s*:\s*"(?P<kind>req|res)"\s*,\s*"id"\s*:\s*"(?P<id>[^"\\]{1,100})"')
# Requests that are kept for a second try, and the longest of them.
MOST_ASKED, LONGEST_ASKED = 200, 64_000
# How OpenClaw says that it has done nothing, because its files are being copied (a tenth of a second).
SUSPENDED, REFUSAL = "unavailable during gateway suspension", 2_000
UNNOTED = {"code": "UNAVAILABLE", "message": "Your message could not be kept just now, and was not sent. Try again."}


class Tunnel:
    """`secrets`: what may not reach the browser. `ended` is called once, in a thread of the tunnel.

    `note` gets each request before it is sent, and raises Unnoted for one that must not be.
    """

    def __init__(
        self,
        name: str,
        tab: tuple[str, str],
        gateway: tuple[str, str],
        post: PostService,
        secrets: Sequence[str],
        ended: Callable[["Tunnel"], None],
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`tab`: connection and endpoint. `gateway`: URL and token."""
        self.name, self.tab = name, tab
        self._url, self._token = gateway
        self._post, self._secrets, self._ended = post, [secret for secret in secrets if secret], ended
        self._note = note
        self._fetches = Fetches((urlsplit(self._url).port or 0, self._token), self._bring, self._secrets)
        self._showing = threading.Lock()
        self._pieces = Gatherer()
        self._out: queue.Queue[str | None] = queue.Queue(WAITING)
        self._seq = 0
        self._waiting = 0  # characters in the queue
        self._asked: dict[str, str] = {}  # requests without an answer yet, by their ids
        self._closing = threading.Event()
        self._socket: websocket.WebSocket | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="console", daemon=True).start()

    def take(self, frame: Json) -> None:
        """A piece from the tab. Does not block."""
        try:
            for message in self._pieces.put(frame["seq"], frame["data"], frame["more"]):
                self._waiting += len(message)
                if self._waiting > WAITING_SIZE:
                    raise Broken("too much waits")
                self._out.put_nowait(message)
        except (Broken, queue.Full) as error:
            log.event("console_broken", reason=str(error) or "too much waits")
            self.close(BROKEN, "broken")

    def close(self, code: int = 1000, reason: str = "", tell: bool = True) -> None:
        """End it. `tell`: the tab hears of it, if it is still there."""
        if self._closing.is_set():
            return
        self._closing.set()
        if tell:
            threading.Thread(target=self._say, args=(closed(self.name, code, reason),), daemon=True).start()
        with contextlib.suppress(queue.Full):
            self._out.put_nowait(None)
        if self._socket is not None:
            hang_up(self._socket)

    def _run(self) -> None:
        try:
            self._socket = websocket.create_connection(
                self._url, timeout=CONNECT_SECONDS, suppress_origin=True, enable_multithread=True
            )
            self._socket.settimeout(SILENCE_SECONDS)
            threading.Thread(target=self._write, args=(self._socket,), name="console-out", daemon=True).start()
            while not self._closing.is_set():
                message = self._socket.recv()
                if not message:
                    break
                self._show(str(message))
        except (OSError, websocket.WebSocketException) as error:
            if not self._closing.is_set():
                log.event("console_ended", reason=type(error).__name__)
        finally:
            self.close(1012, "the gateway ended")
            if self._socket is not None:
                hang_up(self._socket)  # it may have been closed before it was open
            self._ended(self)

    def _write(self, socket: websocket.WebSocket) -> None:
        """The page's messages to the gateway, in their order."""
        first = True
        while (message := self._next()) is not None:
            self._waiting -= len(message)
            if not first and self._fetches.take(message):
                continue
            try:
                sent = signed_in(message, self._token) if first else message
                self._note(sent)
                self._remember(sent)
                socket.send(sent)
            except NotConnect:
                return self.close(BROKEN, "connect comes first")
            except Unnoted:
                self._show(json.dumps({"type": "res", "id": _field(sent, "req"), "ok": False, "error": UNNOTED}))
            except (OSError, websocket.WebSocketException):
                return self.close(1012, "the gateway ended")
            first = False
        return None

    def _next(self) -> str | None:
        """The next message for the gateway; None when it is over."""
        while not self._closing.is_set():
            with contextlib.suppress(queue.Empty):
                return self._out.get(timeout=LOOK_SECONDS)
            if self._pieces.late():
                log.event("console_broken", reason="a piece is missing")
                self.close(BROKEN, "broken")
        return None

    def _remember(self, message: str) -> None:
        name = _field(message, "req")
        if not name or len(message) > LONGEST_ASKED:
            return
        self._asked[name] = message
        if len(self._asked) > MOST_ASKED:
            self._asked.pop(next(iter(list(self._asked)), ""), None)

    def _again(self, message: str) -> bool:
        """Whether it is a refusal that passes: a snapshot was taken just then, and the request is sent once more."""
        asked = self._asked.pop(_field(message, "res"), None)
        if asked is None or len(message) > REFUSAL or SUSPENDED not in message:
            return False
        time.sleep(SUSPENDED_SECONDS)
        with contextlib.suppress(queue.Full):
            self._waiting += len(asked)
            self._out.put_nowait(asked)
            return True
        return False

    def _show(self, message: str) -> None:
        """A message of the gateway's to the tab. It waits for each piece: the gateway feels a tab that is slow."""
        if self._again(message):
            return
        for secret in self._secrets:
            message = message.replace(secret, HIDDEN)
        pieces = split(message, PIECE_BYTES)
        with self._showing:
            for number, piece in enumerate(pieces, 1):
                self._seq += 1
                frame = {"type": "console", "tunnel": self.name, "kind": DATA, "data": piece}
                if not self._say(frame | {"seq": self._seq, "more": number < len(pieces)}):
                    return

    def _bring(self, message: str) -> None:
        """What a fetch has found, if the page still waits."""
        if not self._closing.is_set():
            self._show(message)

    def _say(self, frame: Json) -> bool:
        try:
            self._post.to(*self.tab, frame)
        except Gone:
            self.close(tell=False)
            return False
        except Exception as error:  # noqa: BLE001  throttled or offline: a piece is missing now
            log.failure("console_unsent", error)
            self.close(BROKEN, "broken", tell=frame["kind"] == DATA)
            return False
        return True


def _field(message: str, kind: str) -> str:
    """The id of a request (req) or of a response (res), from its beginning: some are long. "" for anything else."""
    found = HEAD.match(message[:200])
    return found["id"] if found and found["kind"] == kind else ""

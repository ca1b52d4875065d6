"""The agent's own WebSocket, outward to our API: nothing can connect to the container."""

import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import websocket

from bridge.shared.sockets import hang_up
from chalicelib.platform import log
from chalicelib.wire.connections import AGENT
from chalicelib.wire.tickets import Ticket, Tickets

Json = dict[str, Any]

# API Gateway closes a connection after 10 idle minutes.
PING_SECONDS = 240
READY_SECONDS = 5
BACK_OFF_SECONDS = (0.2, 1, 2, 5, 10, 15)


class Link:
    """Keeps one socket open and hands each frame to `handle`; connected again after any loss."""

    def __init__(self, url: str, user_id: str, generation: int, tickets: Tickets, handle: Callable[[Json], None]):
        self._url = url
        self._ticket = Ticket(user_id, AGENT, generation)
        self._tickets = tickets
        self._handle = handle
        self._socket: websocket.WebSocket | None = None
        self._stopped = threading.Event()
        self._now = threading.Event()  # connect again without waiting
        self.ready = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="agent-link", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self.reopen()

    def reopen(self) -> None:
        """Give the socket up, and open another one at once."""
        self._now.set()
        if self._socket is not None:
            hang_up(self._socket)

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            opened = time.monotonic()
            self._now.clear()
            try:
                self._session()
            except Exception as error:  # noqa: BLE001  whatever broke it, the link is opened again
                log.event("agent_link_lost", reason=type(error).__name__)
            self.ready.clear()
            failures = 0 if time.monotonic() - opened > 60 else failures + 1
            wait = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]
            self._now.wait(wait * random.uniform(0.8, 1.2))  # noqa: S311  jitter, not a secret

    def _session(self) -> None:
        secret = self._tickets.issue(self._ticket)
        url = f"{self._url}?ticket={secret}"
        self._socket = websocket.create_connection(url, timeout=10, suppress_origin=True, enable_multithread=True)
        try:
            self._listen(self._socket)
        finally:
            self._socket.shutdown()

    def _listen(self, socket: websocket.WebSocket) -> None:
        self._say({"action": "agentReady"})
        while not self._stopped.is_set():
            socket.settimeout(PING_SECONDS if self.ready.is_set() else READY_SECONDS)
            try:
                raw = socket.recv()
            except websocket.WebSocketTimeoutException:
                # Until it is confirmed nobody can wake us: the gateway may have failed to note it.
                self._say({"action": "ping" if self.ready.is_set() else "agentReady"})
                continue
            if not raw:
                return
            frame = json.loads(raw)
            if frame.get("type") == "agentReady":
                self.ready.set()
            self._handle(frame)

    def say(self, frame: Json) -> None:
        """From any thread. It is lost if the socket is closed."""
        try:
            if self._socket is not None:
                self._say(frame)
        except (OSError, websocket.WebSocketException) as error:
            log.event("frame_unsent", action=frame.get("action"), reason=type(error).__name__)

    def _say(self, frame: Json) -> None:
        assert self._socket is not None
        self._socket.send(json.dumps(frame))

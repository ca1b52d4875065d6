"""The hooks by which Lambda tells a MicroVM of its life, over HTTP: 200 means done, 503 not yet.

Nobody else reaches this port from outside: a machine's endpoint asks for a token, and none is ever made. Inside the
machine the agent's user could; its connections are refused before anything is read. Which user Lambda's own caller has,
if it is inside at all, is documented nowhere. So no other user is refused.
"""

import contextlib
import json
import socket
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bridge.shared.peers import Unknown, owner
from chalicelib.platform import log
from chalicelib.wire.protocol import number_in

Json = dict[str, Any]
PATH = "/aws/lambda-microvms/runtime/v1/"
# A hook's work; False: not yet. Lambda may call it again.
Hook = Callable[[Json], bool]
MAX_BODY = 64_000
# Whoever is refused could fill the log.
LOG_SECONDS = 60.0
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class BadHook(Exception):
    """It cannot be done, now or later."""


class Hooks(ThreadingHTTPServer):
    """A thread for each call: a slow hook must not hold up another one.

    `agent`: the user who may not call; None where the agent has no user of its own.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], hooks: Mapping[str, Hook], agent: int | None = None) -> None:
        super().__init__(address, _Handler)
        self.hooks = hooks
        self._agent = agent
        self._refused, self._logged = 0, -LOG_SECONDS

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether the caller may; asked before a thread is made or a byte is read."""
        if self._agent is None:
            return True
        try:
            caller = owner(client_address[:2], request.getsockname()[:2])
        except OSError:
            caller = Unknown.NO_ROW
        if caller is Unknown.ELSEWHERE or (isinstance(caller, int) and caller != self._agent):
            return True
        self._refuse(request, caller)
        return False

    def _refuse(self, connection: socket.socket, caller: int | Unknown) -> None:
        self._refused += 1
        now = time.monotonic()
        if now - self._logged >= LOG_SECONDS:
            self._logged = now
            log.event("hook_caller_refused", caller=str(caller), refused=self._refused)
        with contextlib.suppress(OSError):  # it may be gone
            connection.setblocking(False)
            connection.send(REFUSED)


class _Handler(BaseHTTPRequestHandler):
    server: Hooks

    def do_POST(self) -> None:
        name = self.path.removeprefix(PATH)
        hook = self.server.hooks.get(name) if self.path.startswith(PATH) else None
        if hook is None:
            self._answer(404)
            return
        try:
            done = hook(self._body())
        except BadHook as error:
            log.event("hook_refused", hook=name, reason=str(error))
            self._answer(500)
        except Exception as error:  # noqa: BLE001  Lambda ends a machine with a failed hook: say why
            log.failure("hook_failed", error, hook=name)
            self._answer(500)
        else:
            self._answer(200 if done else 503)

    def _body(self) -> Json:
        length = number_in(self.headers.get("Content-Length") or "0")
        if length is None or length > MAX_BODY:
            raise BadHook("the body has no length, or too many bytes")
        try:
            body = json.loads(self.rfile.read(length) or b"{}")
        except ValueError:
            raise BadHook("the body is not JSON") from None
        return body if isinstance(body, dict) else {}

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """The hooks log for themselves."""

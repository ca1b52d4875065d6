"""The hooks by which Lambda tells a MicroVM of its life, over HTTP: 200 means done, 503 not yet.

Nobody else reaches this port from outside: a machine's endpoint asks for a token, and none is ever made. What runs
inside the machine does; it can end or still its own machine that way, as it can with any process of its own.
"""

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chalicelib.platform import log
from chalicelib.wire.protocol import number_in

Json = dict[str, Any]
PATH = "/aws/lambda-microvms/runtime/v1/"
# A hook's work; False: not yet. Lambda may call it again.
Hook = Callable[[Json], bool]
MAX_BODY = 64_000


class BadHook(Exception):
    """It cannot be done, now or later."""


class Hooks(ThreadingHTTPServer):
    """A thread for each call: a slow hook must not hold up another one."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], hooks: Mapping[str, Hook]) -> None:
        super().__init__(address, _Handler)
        self.hooks = hooks


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

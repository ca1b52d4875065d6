"""HTTP on :8080, loopback: health for ECS, and one more way into the same inbox."""

import hmac
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chalicelib.platform import log
from chalicelib.wire.protocol import ProtocolError, number_in, parse_body, parse_message

Json = dict[str, Any]
MAX_BODY = 5_000_000


class Server(ThreadingHTTPServer):
    """GET /health, /status; POST /message, /shutdown (bearer token on all but /health)."""

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        token: str,
        status: Callable[[], Json],
        put: Callable[[Any], bool],
        shutdown_task: Callable[[], None],
    ) -> None:
        super().__init__(address, _Handler)
        self.token = token
        self.status = status
        self.put = put
        self.shutdown_task = shutdown_task


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path == "/health":
            status = self.server.status()
            self._answer(200 if status["ready"] else 503, {"status": "ok" if status["ready"] else "starting"})
        elif self.path == "/status" and self._authorized():
            self._answer(200, self.server.status())
        elif self.path != "/status":
            self._answer(404, {"code": "NOT_FOUND", "message": "no such path"})

    def do_POST(self) -> None:
        if self.path not in ("/message", "/shutdown"):
            self._answer(404, {"code": "NOT_FOUND", "message": "no such path"})
        elif self._authorized():
            if self.path == "/shutdown":
                self.server.shutdown_task()
                self._answer(202, {"status": "stopping"})
            else:
                self._message()

    def _message(self) -> None:
        try:
            sent = parse_message(parse_body(self._body()))
            new = self.server.put(sent)
        except ProtocolError as error:
            self._answer(400, {"code": error.code, "message": error.message})
        except Exception as error:  # noqa: BLE001  throttled or offline: not acknowledged, so its sender may try again
            log.failure("message_not_kept", error)
            self._answer(500, {"code": "INTERNAL", "message": "Something went wrong here. Please try again."})
        else:
            self._answer(202, {"type": "ack", "id": sent.id, "duplicate": not new})

    def _body(self) -> str:
        length = number_in(self.headers.get("Content-Length") or "0")
        if length is None:
            raise ProtocolError("BAD_FIELD", "Content-Length must be a whole number")
        if length > MAX_BODY:
            raise ProtocolError("TEXT_TOO_LONG", f"a body may have {MAX_BODY} bytes")
        return self.rfile.read(length).decode(errors="replace")

    def _authorized(self) -> bool:
        given = self.headers.get("Authorization", "")
        if hmac.compare_digest(given.encode(), f"Bearer {self.server.token}".encode()):
            return True
        self._answer(401, {"code": "UNAUTHORIZED", "message": "a bearer token is needed"})
        return False

    def _answer(self, status: int, body: Json) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        """Request lines are not logged: a health check a few times a minute says nothing."""

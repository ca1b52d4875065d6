"""A small MCP server (streamable HTTP) with one tool. It keeps what it was asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bridge.provider.servers import Servers
from chalicelib.people.servers import McpServer as Row
from chalicelib.platform.secrets import Secrets

TOOL = {
    "name": "brew",
    "description": "Brews walnut tea for somebody",
    "inputSchema": {"type": "object", "properties": {"who": {"type": "string"}}},
}


def known(*rows: Row, local: str = "", tokens: dict[str, str] | None = None) -> Servers:
    """Of Ann; as if they had been read."""
    servers = Servers(Secrets("/test/", lambda path: (tokens or {}) if path == "/test/mcp/ann/" else {}), local)
    servers.serve("ann")
    servers._known = {row.id: row for row in rows}
    return servers


class McpServer:
    """`answers` may take the place of the next answers: status, headers, body."""

    def __init__(self, base: str = "http://127.0.0.1:0") -> None:
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(*outer._answer("POST", self.path, dict(self.headers), body))

            def do_GET(self) -> None:
                self._answer(*outer._answer("GET", self.path, dict(self.headers), b""))

            def do_DELETE(self) -> None:
                self._answer(*outer._answer("DELETE", self.path, dict(self.headers), b""))

            def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", int(base.rpartition(":")[2])), Handler)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.base}/mcp?set=all"

    def __enter__(self) -> "McpServer":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> tuple[int, dict[str, str], bytes]:
        body = json.loads(raw) if raw else None
        self.asked.append((method, path, {name.lower(): value for name, value in headers.items()}, body))
        if self.answers:
            return self.answers.pop(0)
        if method != "POST" or not isinstance(body, dict):
            return 405 if method == "GET" else 200, {}, b""
        result = self._result(body)
        if result is None:
            return 202, {}, b""
        reply = json.dumps({"jsonrpc": "2.0", "id": body["id"], "result": result}).encode()
        return 200, {"Content-Type": "application/json", "Mcp-Session-Id": "s1", "Set-Cookie": "a=b"}, reply

    @staticmethod
    def _result(body: dict[str, Any]) -> dict[str, Any] | None:
        params = body.get("params") or {}
        if body.get("method") == "initialize":
            about = {"name": "tea", "version": "1"}
            return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": about}
        if body.get("method") == "tools/list":
            return {"tools": [TOOL]}
        if body.get("method") == "tools/call":
            return {"content": [{"type": "text", "text": f"walnut tea for {params['arguments'].get('who')}"}]}
        return None

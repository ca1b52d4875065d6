"""What the Control UI gets by HTTP: only from places of the list, never with a token in the browser."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from bridge.console import fetched
from bridge.console.fetched import Fetches, Refused, allowed
from tests.support.client import eventually

Json = dict[str, Any]


class Gateway(BaseHTTPRequestHandler):
    """Answers by path; `asked` has what it was asked."""

    asked: ClassVar[list[tuple[str, str, str | None]]] = []
    answers: ClassVar[dict[str, tuple[int, str, bytes]]] = {
        "/avatar/main?v=1": (200, "image/png; charset=x", b"picture"),
        "/avatar/moved": (302, "text/html", b""),
        "/avatar/page": (200, "text/html", b"<script>"),
        "/avatar/token": (200, "application/json", b'{"a": "the-token"}'),
        "/avatar/large": (200, "image/png", b"x" * 3_000),
    }

    def do_GET(self) -> None:
        headers = self.headers
        self.asked.append((self.path, headers["Authorization"], headers["x-openclaw-requester-session-key"]))
        status, mime, body = self.answers.get(self.path, (403, "application/json", b"{}"))
        self.send_response(status)
        self.send_header("Content-Type", mime)
        self.send_header("Location", "/avatar/main?v=1")
        self.send_header("Set-Cookie", "a=b")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return None


class Place:
    def __init__(self, port: int) -> None:
        self.shown: list[Json] = []
        self.fetches = Fetches((port, "the-token"), lambda text: self.shown.append(json.loads(text)), ["the-token"])

    def fetch(self, path: str, **more: str) -> tuple[int, str, bytes]:
        name = f"f{len(self.shown)}"
        assert self.fetches.take(json.dumps({"type": "fetch", "id": name, "path": path, **more}))
        parts = eventually(lambda: self._whole(name), 10)
        return parts[-1]["status"], parts[-1]["mime"], b"".join(base64.b64decode(part["data"]) for part in parts)

    def _whole(self, name: str) -> list[Json]:
        parts = [part for part in self.shown if part["id"] == name]
        return parts if parts and not parts[-1]["more"] else []


@pytest.fixture
def place() -> Iterator[Place]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    Gateway.asked.clear()
    yield Place(server.server_port)
    server.shutdown()
    server.server_close()


def test_a_picture_comes_with_its_type_and_nothing_else(place: Place) -> None:
    """The token is added here; the page's session is passed on."""
    assert place.fetch("/avatar/main?v=1", session="agent:main:main") == (200, "image/png", b"picture")
    assert Gateway.asked == [("/avatar/main?v=1", "Bearer the-token", "agent:main:main")]
    assert all(set(part) == {"type", "id", "status", "mime", "data", "more"} for part in place.shown)


def test_what_the_gateway_refuses_is_refused_without_its_text(place: Place) -> None:
    assert place.fetch("/avatar/nobody") == (403, fetched.UNKNOWN_TYPE, b"")


def test_no_redirect_is_followed_and_no_page_is_shown_as_one(place: Place) -> None:
    assert place.fetch("/avatar/moved")[0] == 404
    assert len(Gateway.asked) == 1
    assert place.fetch("/avatar/page") == (200, fetched.UNKNOWN_TYPE, b"<script>")
    assert place.fetch("/avatar/token")[2] == b'{"a": "*********"}'


def test_a_large_answer_comes_in_parts_and_a_larger_one_not(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetched, "PART", 1_000)
    assert place.fetch("/avatar/large") == (200, "image/png", b"x" * 3_000)
    assert len(place.shown) == 4
    monkeypatch.setattr(fetched, "MOST", 2_999)
    assert place.fetch("/avatar/large") == (413, fetched.UNKNOWN_TYPE, b"")


def test_other_methods_and_too_many_are_refused_unasked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.fetch("/avatar/main?v=1", method="POST")[0] == 405
    monkeypatch.setattr(fetched, "WAITING", 0)
    assert place.fetch("/avatar/main?v=1")[0] == 429
    assert Gateway.asked == []


def test_a_gateway_that_is_away_is_told() -> None:
    assert Place(1).fetch("/avatar/main")[0] == 502


@pytest.mark.parametrize(
    "path",
    [
        "/avatar/main",
        "/avatar/main?meta=1",
        "/api/users/ann%40example.com/avatar?v=2",
        "/__openclaw__/workspace-icon/agent%3Amain%3Amain",
        "/__openclaw__/plugin-icon/%40scope%2Fname",
        "/__openclaw__/assistant-media?meta=1&source=%2Fhome%2Fa.png",
        "/api/chat/media/outgoing/agent%3Amain/abc/full",
    ],
)
def test_places_of_the_list(path: str) -> None:
    assert allowed(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "/",
        "/v1/chat/completions",
        "/tools/invoke",
        "/__openclaw__/link-favicon/example.com",
        "/__openclaw__/catalog-icon/https%3A%2F%2Fexample.com%2Fsecret",
        "/api/users/a/other",
        "/avatar/..",
        "/avatar/%2e%2e",
        "/avatar/%2e%2e%2ftools",
        "/avatar/a%2f..%2f..%2ftools%2finvoke",
        "/avatar/%252e%252e",
        "/avatar/a%5cb",
        "/avatar/a%00",
        "/avatar/a/b",
        "//avatar/a",
        "/avatar/a?b c",
        "/avatar/a?b#c",
        "/avatar/a\r\nX: y",
        "http://127.0.0.1/avatar/a",
        "/api/chat/media/outgoing/a/../b",
    ],
)
def test_no_other_place(path: Any) -> None:
    with pytest.raises(Refused):
        allowed(path)


def test_other_messages_are_not_taken(place: Place) -> None:
    said = {"type": "req", "id": "1", "method": "chat.send", "params": {"message": '"fetch"'}}
    for message in (json.dumps(said), '{"type": "fetch"', '{"type": "fetch"}', '["fetch"]'):
        assert not place.fetches.take(message)

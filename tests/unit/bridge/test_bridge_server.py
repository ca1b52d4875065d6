"""The Bridge's own port over a real socket: what it answers, to whom, and what it does not fall for."""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bridge.server import MAX_BODY, Server
from chalicelib.wire.protocol import SendMessage

Json = dict[str, Any]
TOKEN = {"Authorization": "Bearer right"}
MESSAGE = {"id": "message-1", "text": "hello"}
CLOSED = [("GET", "/status"), ("POST", "/message"), ("POST", "/shutdown")]


class Place:
    """A served port, and what the agent behind it was asked."""

    def __init__(self) -> None:
        self.ready = True
        self.sent: list[SendMessage] = []
        self.refuse: Exception | None = None
        self.shutdowns = 0
        self.server = Server(("127.0.0.1", 0), "right", self.status, self.put, self.shut_down)
        self.port: int = self.server.server_address[1]

    def status(self) -> Json:
        return {"ready": self.ready, "busy": False, "generation": 7}

    def put(self, sent: SendMessage) -> bool:
        if self.refuse is not None:
            raise self.refuse
        self.sent.append(sent)
        return [message.id for message in self.sent].count(sent.id) == 1

    def shut_down(self) -> None:
        self.shutdowns += 1

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: object = None) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        url = f"http://127.0.0.1:{self.port}{path}"
        return requests.request(method, url, headers=headers, data=data, timeout=10)

    def raw(self, *headers: str) -> tuple[int, Json]:
        """POST /message with these headers and no body, as no decent client would; the connection stays open."""
        lines = ["POST /message HTTP/1.1", "Host: x", "Authorization: Bearer right", *headers, "", ""]
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall("\r\n".join(lines).encode())
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head, "closed without an answer"
        return int(head.split()[1]), json.loads(body)


@pytest.fixture
def place(capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    """Whatever was sent, no handler ended in a traceback."""
    place = Place()
    thread = threading.Thread(target=place.server.serve_forever, args=(0.01,))
    thread.start()
    yield place
    place.server.shutdown()
    place.server.server_close()
    thread.join()
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(("ready", "status", "said"), [(True, 200, "ok"), (False, 503, "starting")])
def test_health_needs_no_token_and_says_nothing_else(place: Place, ready: bool, status: int, said: str) -> None:
    place.ready = ready
    answer = place.ask("GET", "/health")
    assert (answer.status_code, answer.json()) == (status, {"status": said})


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize("header", [None, "", "right", "Bearer", "Bearer wrong", "Bearer rightly", "Basic right", "ä"])
def test_all_else_needs_the_token(place: Place, method: str, path: str, header: str | None) -> None:
    headers = {"Authorization": header.encode("latin-1")} if header is not None else {}
    answer = place.ask(method, path, headers, MESSAGE if path == "/message" else None)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")
    assert (place.sent, place.shutdowns) == ([], 0)


def test_the_status_is_the_agents(place: Place) -> None:
    answer = place.ask("GET", "/status", TOKEN)
    assert (answer.status_code, answer.json()) == (200, place.status())


def test_a_message_is_acknowledged_and_a_repeated_one_is_known(place: Place) -> None:
    first, second = (place.ask("POST", "/message", TOKEN, MESSAGE) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == {"type": "ack", "id": "message-1", "duplicate": False}
    assert second.json() == {"type": "ack", "id": "message-1", "duplicate": True}
    assert place.sent[0] == SendMessage("message-1", "hello")


def test_a_shutdown_is_asked_for_once(place: Place) -> None:
    answer = place.ask("POST", "/shutdown", TOKEN)
    assert (answer.status_code, answer.json()) == (202, {"status": "stopping"})
    assert place.shutdowns == 1


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/message"), ("GET", "/shutdown"), ("POST", "/status")]
)
@pytest.mark.parametrize("headers", [{}, TOKEN])
def test_another_path_is_not_found(place: Place, method: str, path: str, headers: dict[str, str]) -> None:
    answer = place.ask(method, path, headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert place.shutdowns == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "BAD_JSON"),
        (b"{", "BAD_JSON"),
        (b"[" * 100_000, "BAD_JSON"),
        (b"[]", "BAD_JSON"),
        (b"\xff\xfe", "BAD_JSON"),
        ({}, "BAD_FIELD"),
        ({"id": "short", "text": "hello"}, "BAD_FIELD"),
        ({"id": "message-1", "text": 7}, "BAD_FIELD"),
        ({"id": "message-1", "text": " "}, "EMPTY_MESSAGE"),
        ({"id": "message-1", "text": "x" * 40_000}, "TEXT_TOO_LONG"),
    ],
)
def test_a_bad_body_is_refused_with_a_code(place: Place, body: object, code: str) -> None:
    answer = place.ask("POST", "/message", TOKEN, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert place.sent == []


@pytest.mark.parametrize("length", ["many", "-1", "1e3", "1_000", "0x10", "٣", "9" * 5_000])
def test_a_length_that_is_no_number_is_refused_at_once(place: Place, length: str) -> None:
    """Nothing is read meanwhile: a negative length would read until the other side hangs up."""
    status, answer = place.raw(f"Content-Length: {length}")
    assert (status, answer["code"]) == (400, "BAD_FIELD")


def test_a_body_that_is_too_long_is_refused_before_it_is_read(place: Place) -> None:
    status, answer = place.raw(f"Content-Length: {MAX_BODY + 1}")
    assert (status, answer["code"]) == (400, "TEXT_TOO_LONG")


def test_without_a_length_there_is_no_body(place: Place) -> None:
    status, answer = place.raw()
    assert (status, answer["code"]) == (400, "BAD_JSON")


def test_a_message_that_could_not_be_kept_is_not_acknowledged(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.refuse = TimeoutError("of hello")
    answer = place.ask("POST", "/message", TOKEN, MESSAGE)
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    said = capsys.readouterr().err
    assert json.loads(said)["error"] == "TimeoutError"
    assert "hello" not in said, "no text in a log"

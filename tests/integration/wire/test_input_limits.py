"""Every row of the input limits answered with its frame, through the real app and a real socket."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import websocket

from local.stack import Stack
from tests.support.client import Client, sign_up
from tests.support.tables import no_container


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[Client]:
    client = Client(stack)
    yield client
    client.close()


def cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def frame_before(key: str) -> Any:
    """getHistory with a cursor that no page gave."""
    frame = json.dumps({"action": "getHistory", "before": cursor(key)})
    return pytest.param(frame, "BAD_FIELD", id=f"before {key[:15]}")


def send(**fields: Any) -> str:
    return json.dumps({"action": "sendMessage", "id": "message-1", "text": "hello"} | fields)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "BAD_JSON"),
        ("", "BAD_JSON"),
        ("[1]", "BAD_JSON"),
        pytest.param("[" * 20_000, "BAD_JSON", id="deep"),
        ("{}", "UNKNOWN_ACTION"),
        ('{"action": 5}', "UNKNOWN_ACTION"),
        ('{"action": "agentReady"}', "UNKNOWN_ACTION"),
        (send(text=""), "EMPTY_MESSAGE"),
        (send(text=7), "BAD_FIELD"),
        (send(id="no"), "BAD_FIELD"),
        (send(conversationId="a#b"), "BAD_FIELD"),
        (send(userId="somebody-else", text=""), "EMPTY_MESSAGE"),
        ('{"action": "getHistory", "limit": 51}', "BAD_FIELD"),
        ('{"action": "getHistory", "limit": true}', "BAD_FIELD"),
        ('{"action": "getHistory", "before": "%%%"}', "BAD_FIELD"),
        *(frame_before(key) for key in ("²" * 13 + "-message-1", "0" * 13 + "-" + "x" * 2_000, "0" * 13)),
        ('{"action": "resume", "lastSeq": -1}', "BAD_FIELD"),
        ('{"action": "resume", "runId": 5}', "BAD_FIELD"),
        ('{"action": "resume"}', "RUN_UNKNOWN"),
        ('{"action": "stop"}', "RUN_UNKNOWN"),
    ],
)
def test_a_bad_frame_is_answered_with_its_code_and_the_socket_stays(client: Client, frame: str, code: str) -> None:
    client.say(frame)
    assert client.until(lambda f: True, 15)["code"] == code
    client.say({"action": "ping"})
    assert client.until(lambda f: True, 15) == {"type": "pong"}


def test_text_over_the_limit_is_refused_by_rest_too(client: Client) -> None:
    answer = client.rest("POST", "/messages", {"id": "message-1", "text": "x" * 32_001})
    assert (answer.status_code, answer.json()["code"]) == (400, "TEXT_TOO_LONG")


def test_a_frame_over_32_kb_closes_as_in_api_gateway_and_no_other_socket(stack: Stack, client: Client) -> None:
    other = Client(stack, client.token)
    other.say(send(text="x" * 40_000))
    with pytest.raises((websocket.WebSocketException, AssertionError, OSError)):
        other.until(lambda f: f["type"] == "ack", 10)
    client.say({"action": "ping"})
    assert client.until(lambda f: True, 15) == {"type": "pong"}


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/conversations/a%23b", None, "BAD_FIELD"),
        ("GET", "/conversations/main?limit=0", None, "BAD_FIELD"),
        ("GET", "/conversations/main?limit=abc", None, "BAD_FIELD"),
        ("GET", "/conversations/main?limit=²", None, "BAD_FIELD"),
        ("GET", "/conversations/main?limit=٣", None, "BAD_FIELD"),
        pytest.param("GET", "/conversations/main?limit=" + "9" * 5_000, None, "BAD_FIELD", id="5000 digits"),
        ("GET", "/conversations/main?before=zzz", None, "BAD_FIELD"),
        ("GET", f"/conversations/main?before={cursor('1')}", None, "BAD_FIELD"),
        ("PUT", "/conversations/main", {"title": ""}, "BAD_FIELD"),
        ("PUT", "/conversations/main", {}, "BAD_FIELD"),
        ("PUT", "/conversations/main", {"pined": True}, "BAD_FIELD"),
        ("PUT", "/conversations/main", {"pinned": "yes"}, "BAD_FIELD"),
        ("PUT", "/conversations/main", {"pinned": None}, "BAD_FIELD"),
        ("PUT", "/conversations/main", {"title": None, "pinned": True}, "BAD_FIELD"),
        ("PUT", "/conversations/main", {"folder": " "}, "BAD_FIELD"),
        ("PUT", "/conversations/main", {"folder": ["Work"]}, "BAD_FIELD"),
        ("PUT", "/conversations/main", {"folder": "a\tb"}, "BAD_FIELD"),
        ("PUT", "/conversations/main", {"model": "demo"}, "BAD_FIELD"),
        ("PUT", "/conversations/main", {"model": 1}, "BAD_FIELD"),
        ("PUT", "/conversations/unknown", {"title": "x"}, "NOT_FOUND"),
        ("PUT", "/conversations/unknown", {"model": "a/b"}, "NOT_FOUND"),
        ("PUT", "/conversations/unknown", {"model": None}, "NOT_FOUND"),
        ("PUT", "/conversations/unknown", {"pinned": True}, "NOT_FOUND"),
        ("PUT", "/conversations/unknown", {"folder": "Work"}, "NOT_FOUND"),
        ("PUT", "/conversations/unknown", {"folder": None}, "NOT_FOUND"),
        ("PUT", "/conversations/unknown", {"title": "\ud83d"}, "NOT_FOUND"),
        ("PUT", "/settings", {"model": "a/\ud83d"}, "BAD_FIELD"),
        ("PUT", "/settings", {"timeZone": "Mars/Olympus"}, "BAD_FIELD"),
        ("PUT", "/settings", {"idleTimeoutMinutes": 1}, "BAD_FIELD"),
        ("PUT", "/settings", {"surprise": 1}, "BAD_FIELD"),
    ],
)
def test_bad_rest_input_has_a_code(client: Client, method: str, path: str, body: Any, code: str) -> None:
    answer = client.rest(method, path, body)
    assert answer.status_code in (400, 404)
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/messages"), ("PUT", "/conversations/main"), ("PUT", "/settings")]
)
@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 20_000], ids=["cut off", "list", "no text", "deep"])
def test_a_rest_body_that_is_no_json_object_has_a_code(client: Client, method: str, path: str, body: bytes) -> None:
    url = f"{client.stack.url}/api{path}"
    answer = requests.request(method, url, headers=client.headers, data=body, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_JSON")


@pytest.mark.parametrize("path", ["/status", "/conversations", "/settings"])
def test_rest_without_a_token_is_401_with_a_code(stack: Stack, path: str) -> None:
    answer = requests.get(f"{stack.url}/api{path}", timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")


def test_a_ticket_opens_one_socket_once(stack: Stack) -> None:
    client = Client(stack, sign_up(stack))
    ticket = client.rest("POST", "/ws-ticket").json()["ticket"]
    url = f"{stack.url.replace('http', 'ws')}/ws"
    websocket.create_connection(f"{url}?ticket={ticket}", timeout=10).close()
    for query in (f"?ticket={ticket}", "?ticket=made-up", "?token=made-up", ""):
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            websocket.create_connection(url + query, timeout=10)
        assert refused.value.status_code == 401
    websocket.create_connection(f"{url}?token={client.token}", timeout=10).close()


def test_a_foreign_origin_is_refused(stack: Stack) -> None:
    client = Client(stack)
    url = f"{stack.url.replace('http', 'ws')}/ws?ticket="
    ticket = client.rest("POST", "/ws-ticket").json()["ticket"]
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(url + ticket, origin="https://evil.example", timeout=10)
    assert refused.value.status_code == 403
    websocket.create_connection(url + ticket, origin=stack.url, timeout=10).close()


@pytest.fixture(scope="module")
def hook(client: Client) -> str:
    """The path of a hook's address."""
    made = client.rest("POST", "/hooks", {"name": "Shortcuts"})
    assert made.status_code == 201
    return f"{client.stack.url}/api/hooks/{made.json()['token']}"


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", "text/plain", 400, "EMPTY_MESSAGE"),
        (b"{", "application/json", 400, "BAD_JSON"),
        pytest.param(b"[" * 60_000, "application/json", 400, "BAD_JSON", id="deep"),
        (b"\xff\xfe", "application/octet-stream", 400, "BAD_ENCODING"),
        pytest.param(b"x" * 65_537, "text/plain", 413, "TOO_LARGE", id="huge"),
        (b"x", "image/png", 415, "UNSUPPORTED_TYPE"),
        (b"x", "multipart/form-data; boundary=x", 415, "UNSUPPORTED_TYPE"),
    ],
)
def test_a_bad_post_to_a_hook_has_a_code(hook: str, body: bytes, kind: str, status: int, code: str) -> None:
    answer = requests.post(hook, data=body, headers={"Content-Type": kind}, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_too_many_posts_to_a_hook_are_told_when_to_come_again(client: Client, hook: str) -> None:
    with no_container(client.stack, client.user_id):
        answers = [
            requests.post(hook, data=b"x", headers={"Content-Type": "text/plain"}, timeout=30) for _ in range(12)
        ]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert {answer.status_code for answer in answers} == {202, 429}
    assert {answer.json()["code"] for answer in limited} == {"RATE_LIMITED"}
    assert all(1 <= int(answer.headers["Retry-After"]) <= 60 for answer in limited)


@pytest.mark.parametrize("token", ["x", "a" * 22, "%2e%2e"])
def test_an_unknown_hook_is_404(stack: Stack, token: str) -> None:
    answer = requests.post(f"{stack.url}/api/hooks/{token}", data=b"x", headers={"Content-Type": "x/y"}, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_hooks_are_the_owners(client: Client, stack: Stack) -> None:
    mine = client.rest("POST", "/hooks", {"name": "Home Assistant"}).json()["hook"]["id"]
    other = Client(stack)
    assert other.rest("GET", "/hooks").json() == {"hooks": []}
    assert other.rest("DELETE", f"/hooks/{mine}").status_code == 404
    assert client.rest("POST", "/hooks", {"name": "a\nb"}).json()["code"] == "BAD_FIELD"
    assert requests.get(f"{stack.url}/api/hooks", timeout=10).status_code == 401
    other.close()

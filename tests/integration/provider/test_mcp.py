"""The user's MCP servers behind the proxy: the token is added there, and what could lead elsewhere is refused."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bridge.provider import mcp
from chalicelib.people.servers import McpServer as Row
from tests.support.bridge_parts import Proxied, custom, proxied
from tests.support.mcp_server import McpServer, known

TOKEN = "tok-3nQv7"


@pytest.fixture(scope="module")
def server() -> Iterator[McpServer]:
    with McpServer() as server:
        yield server


@pytest.fixture(scope="module")
def proxy(server: McpServer) -> Iterator[Proxied]:
    rows = [Row("tea", "tea", server.url, True, 1), Row("open", "open", server.url, False, 1)]
    rows += [Row("gone", "gone", server.url, True, 1), Row("inside", "inside", "https://mcp.example.com/", False, 1)]
    rows += [Row("worse", "worse", "https://169.254.169.254/", False, 1)]
    servers = known(*rows, local=server.base, tokens={"tea": TOKEN})
    with proxied((custom("http://127.0.0.1:1"),), servers=servers) as proxy:
        yield proxy


def ask(proxy: Proxied, name: str, method: str = "POST", **more: Any) -> requests.Response:
    headers = {"x-proxy-token": proxy.token, "mcp-session-id": "s0", "cookie": "a=b", "authorization": "Bearer mine"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"} if method == "POST" else None
    given = {"json": body, "headers": headers} | more
    return requests.request(method, f"{proxy.url}/mcp/{name}", timeout=30, **given)


def test_the_token_is_added_and_nothing_else_of_ours_gets_out(proxy: Proxied, server: McpServer) -> None:
    answer = ask(proxy, "tea")
    assert answer.json()["result"]["tools"][0]["name"] == "brew"
    assert (answer.headers["mcp-session-id"], "set-cookie" in answer.headers) == ("s1", False)
    method, path, headers, _ = server.asked[-1]
    assert (method, path) == ("POST", "/mcp?set=all")
    assert (headers["authorization"], headers["mcp-session-id"]) == (f"Bearer {TOKEN}", "s0")
    assert {"x-proxy-token", "cookie"} & headers.keys() == set()
    assert proxy.token not in str(headers)
    assert ask(proxy, "open").status_code == 200
    assert "authorization" not in server.asked[-1][2]
    assert ask(proxy, "tea", "DELETE").status_code == 200


def test_who_has_another_token_and_what_is_no_server(proxy: Proxied, server: McpServer) -> None:
    before = len(server.asked)
    assert ask(proxy, "tea", headers={"x-proxy-token": "other"}).status_code == 401
    assert ask(proxy, "none").status_code == 404
    assert ask(proxy, "tea", "PUT").status_code == 404
    assert ask(proxy, "tea/../../x").status_code in (403, 404)
    assert ask(proxy, "gone").status_code == 503, "its token is not there any more"
    assert len(server.asked) == before


def test_a_stream_passes_as_it_comes(proxy: Proxied, server: McpServer) -> None:
    events = b"event: message\ndata: {}\n\n"
    server.answers.append((200, {"Content-Type": "text/event-stream"}, events))
    answer = ask(proxy, "tea", "GET", stream=True)
    assert (answer.headers["content-type"], next(answer.iter_content(None))) == ("text/event-stream", events)


def test_a_redirect_is_not_followed(proxy: Proxied, server: McpServer) -> None:
    server.answers.append((307, {"Location": f"{server.base}/elsewhere"}, b""))
    asked = len(server.asked)
    answer = ask(proxy, "tea")
    assert (answer.status_code, len(server.asked)) == (502, asked + 1)
    assert "redirects" in answer.text


def test_an_answer_that_is_too_large_breaks_off(
    proxy: Proxied, server: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp, "MAX_ANSWER", 1000)
    monkeypatch.setattr(mcp, "MAX_BODY", 1000)
    server.answers.append((200, {"Content-Type": "application/json"}, b"x" * 100_000))
    with pytest.raises(requests.RequestException):
        ask(proxy, "tea")
    assert ask(proxy, "tea", json={"long": "x" * 2000}).status_code == 413


def test_an_address_inside_is_not_called(proxy: Proxied) -> None:
    assert ask(proxy, "worse").status_code == 403


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.1.2.3", "::1", "::ffff:10.0.0.1", "fd00::1"])
def test_a_name_that_leads_inside_is_not_called(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up for each call, and one public address among others does not help."""
    real, looked = socket.getaddrinfo, []

    def found(host: str, port: Any, *arguments: Any, **more: Any) -> Any:
        if host != "mcp.example.com":
            return real(host, port, *arguments, **more)
        looked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("93.184.215.14", address)]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    row = Row("inside", "inside", "https://mcp.example.com/", False, 1)
    with proxied((custom("http://127.0.0.1:1"),), servers=known(row)) as proxy:
        answer = ask(proxy, "inside")
    assert (answer.status_code, looked) == (502, ["mcp.example.com"])

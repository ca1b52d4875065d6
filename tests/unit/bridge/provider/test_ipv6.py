"""Without IPv4 each of the Bridge's clients speaks to an IPv6 address: here one in its URL, on loopback."""

import asyncio
import errno
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from aiohttp import ClientConnectorError, web
from aiohttp.client_reqrep import ConnectionKey

from bridge import config, link
from bridge.outbox.push_service import PushService
from bridge.provider.refusals import unreached
from bridge.shared import addresses
from chalicelib.platform import aws
from chalicelib.telegram.api import BotApi
from chalicelib.wire.tickets import Tickets
from tests.support.bridge_parts import BODY, PATH, custom, proxied

DUAL = "AWS_USE_DUALSTACK_ENDPOINT"


class Elsewhere:
    """A host that has nothing but `::1`: answers to every path as the service there would."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.framed = threading.Event()
        self._socket = socket.create_server(("::1", 0), family=socket.AF_INET6)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"[::1]:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._socket.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.SockSite(runner, self._socket).start())
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if "upgrade" in request.headers.get("connection", "").lower():
            peer = web.WebSocketResponse()
            await peer.prepare(request)
            await peer.receive()
            self.framed.set()
            return peer
        return web.json_response({"ok": True, "result": {"id": 1}, "TaskARN": "arn:task", "choices": []})


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    made = Elsewhere()
    yield made
    made.close()


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS's clients of a task without IPv4, as its environment makes them."""
    monkeypatch.setattr(aws, "_session", None)
    monkeypatch.setattr(aws, "_clients", {})
    monkeypatch.setenv(DUAL, "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("s3", "s3.dualstack.eu-central-1.amazonaws.com"),
        ("dynamodb", "dynamodb.eu-central-1.api.aws"),
        ("ssm", "ssm.eu-central-1.api.aws"),
        ("scheduler", "scheduler.eu-central-1.api.aws"),
    ],
)
def test_aws_is_called_by_its_dual_stack_names(service: str, name: str, clients: None) -> None:
    assert aws.client(service).meta.endpoint_url == f"https://{name}"


def test_without_the_option_the_usual_names_are_called(clients: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DUAL, "false")
    assert aws.client("ssm").meta.endpoint_url == "https://ssm.eu-central-1.amazonaws.com"


def test_the_connections_of_the_api_keep_their_name(clients: None) -> None:
    """The WebSocket API itself has both kinds of addresses then: one name, and no other one that botocore makes up."""
    name = "https://a.execute-api.eu-central-1.amazonaws.com/api"
    assert aws.client("apigatewaymanagementapi", name).meta.endpoint_url == name


def test_aws_at_an_address(elsewhere: Elsewhere, clients: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{elsewhere.host}")
    aws.client("s3").get_object(Bucket="data", Key="workspaces/ann/pointer")
    aws.client("ssm").get_parameters_by_path(Path="/serverless-openclaw/dev/")
    aws.client("dynamodb").list_tables()
    api = aws.client("apigatewaymanagementapi", f"http://{elsewhere.host}/api")
    api.post_to_connection(ConnectionId="c1", Data=b"{}")
    assert elsewhere.asked[-4:] == ["/data/workspaces/ann/pointer", "/", "/", "/api/@connections/c1"]


def test_a_model_at_an_address(elsewhere: Elsewhere) -> None:
    with proxied((custom(f"http://{elsewhere.host}/v1"),)) as proxy:
        answer = requests.post(f"{proxy.url}{PATH}", json=BODY, headers={"x-proxy-token": proxy.token}, timeout=30)
    assert (answer.status_code, elsewhere.asked[-1]) == (200, "/v1/chat/completions")


def test_telegram_at_an_address(elsewhere: Elsewhere) -> None:
    assert BotApi("42:token", f"http://{elsewhere.host}").call("getMe") == {"id": 1}


def test_the_task_s_metadata_at_an_address(elsewhere: Elsewhere) -> None:
    assert config.task_arn(f"http://{elsewhere.host}/v4/1") == "arn:task"


def test_the_socket_at_an_address(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tickets, "issue", lambda *_: "secret")
    ours = link.Link(f"ws://{elsewhere.host}/api", "ann", 1, Tickets(), lambda _: None)
    ours.start()
    try:
        assert elsewhere.framed.wait(10)
    finally:
        ours.stop()


def test_a_push_to_an_ipv6_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver puts what can be reached first; the connection goes to the checked address."""
    both: list[Any] = [(0, 0, 0, "", (one, 443)) for one in ("2606:4700::6810:84e5", "93.184.215.14")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: both)
    assert all(addresses.is_outside(entry[4][0]) for entry in both)
    pool = PushService(lambda _: "")._pool("push.example", None, 1)
    assert (pool.host, pool.assert_hostname) == ("2606:4700::6810:84e5", "push.example")


def test_a_host_without_an_ipv6_address_is_told_as_such() -> None:
    """What the kernel says where there is only IPv6."""
    key = ConnectionKey("mcp.example.com", 443, True, True, None, None, None)
    failure = ClientConnectorError(key, OSError(errno.ENETUNREACH, "Network is unreachable"))
    assert "needs an IPv6 address" in unreached(failure)
    assert unreached(TimeoutError()) == "TimeoutError"

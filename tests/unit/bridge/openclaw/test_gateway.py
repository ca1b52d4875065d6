"""The link to OpenClaw, against a server that says what the real one may."""

import json
from collections.abc import Iterator

import pytest
from aiohttp import web

from bridge.openclaw.gateway import Gateway, GatewayError
from tests.support.websockets import served

DEEP = '{"type": "event", "payload": {"runId": "r", "args": ' + "[" * 20_000 + "]" * 20_000 + "}}"


async def deep(request: web.Request) -> web.WebSocketResponse:
    """Every reply comes behind an event that is nested too deep to be read."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_json({"type": "event", "event": "connect.challenge", "payload": {}})
    async for message in socket:
        await socket.send_str(DEEP)
        asked = json.loads(message.data)
        reply = {"type": "res", "id": asked["id"], "ok": asked["method"] != "chat.send", "payload": {}}
        await socket.send_json(reply | {"error": {"code": "INVALID", "message": "x" * 200_000}})
    return socket


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with served(deep) as url:
        gateway = Gateway(url, "token")
        yield gateway
        gateway.close()
        assert gateway.closed.wait(5)


def test_an_event_nested_too_deep_is_passed_over_and_the_link_stays(gateway: Gateway) -> None:
    """A model chooses a tool's arguments: they must not cost the turn."""
    gateway.connect()
    assert gateway.request("chat.history", {}) == {}
    assert not gateway.closed.is_set()


def test_a_refusal_is_short_enough_for_a_frame(gateway: Gateway) -> None:
    gateway.connect()
    with pytest.raises(GatewayError) as refused:
        gateway.request("chat.send", {})
    assert str(refused.value) == "INVALID: " + "x" * 2_000

"""A peer that hangs does not hold up our end: the last snapshot waits behind it."""

import asyncio
import json
import time
from collections.abc import Iterator

import pytest
from aiohttp import web

from bridge.openclaw.gateway import Gateway
from tests.support.websockets import served

HELLO = {"type": "res", "ok": True, "payload": {"server": {"version": "1"}}}


async def frozen(request: web.Request) -> web.WebSocketResponse:
    """Says hello, then neither reads nor answers any more."""
    socket = web.WebSocketResponse(autoclose=False, autoping=False)
    await socket.prepare(request)
    await socket.send_json({"type": "event", "event": "connect.challenge", "payload": {}})
    asked = json.loads((await socket.receive()).data)
    await socket.send_json(HELLO | {"id": asked["id"]})
    await asyncio.sleep(60)
    return socket


@pytest.fixture
def url() -> Iterator[str]:
    with served(frozen) as url:
        yield url


def test_closing_does_not_wait_for_a_gateway_that_hangs(url: str) -> None:
    gateway = Gateway(url, "token")
    gateway.connect()
    time.sleep(0.2)  # the reader waits inside recv
    begun = time.monotonic()
    gateway.close()
    assert time.monotonic() - begun < 1
    assert gateway.closed.wait(5), "the reader woke up and said so"

"""The agent's own socket: until the gateway has confirmed it, nobody can wake the agent."""

from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from bridge import link
from bridge.link import Link
from tests.support.client import eventually
from tests.support.websockets import served

said: list[str] = []


async def forgetful(request: web.Request) -> web.WebSocketResponse:
    """Confirms the second `agentReady` only; the first met a throttled table."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        said.append(message.json()["action"])
        if said.count("agentReady") == 2:
            await socket.send_json({"type": "agentReady"})
        else:
            await socket.send_json({"type": "error", "code": "INTERNAL", "message": "throttled"})
    return socket


@pytest.fixture
def url() -> Iterator[str]:
    said.clear()
    with served(forgetful) as url:
        yield url


class FakeTickets:
    def issue(self, ticket: Any) -> str:
        return "ticket"


def test_it_says_that_it_is_ready_until_that_is_confirmed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "READY_SECONDS", 0.1)
    frames: list[Any] = []
    agent = Link(url, "ann", 1, FakeTickets(), frames.append)  # type: ignore[arg-type]
    agent.start()
    eventually(agent.ready.is_set, 10)
    agent.stop()
    assert said == ["agentReady", "agentReady"]
    assert frames[-1] == {"type": "agentReady"}

"""Parts of the Bridge as tests put them together: a configuration, a proxy in front of a provider."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from aiohttp import web

from bridge.config import Config
from bridge.provider.budget import Budget
from bridge.provider.proxy import Proxy
from bridge.provider.servers import Servers
from chalicelib.people.preferences import Choice
from chalicelib.platform.secrets import Secrets
from chalicelib.providers.credentials import Credentials
from chalicelib.providers.routes import COMPLETIONS, Route
from chalicelib.wire.protocol import Frame
from local import tools
from local.cloud.bridges import free_port
from tests.support.fake_spending import FakeSpending

KEY = "sk-test-4bQ9vZr2TnX7"
BODY = {"model": "gpt-5.4-nano", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
PATH = "/custom/chat/completions"


def custom(url: str) -> Route:
    """An OpenAI-compatible server at that URL."""
    return Route("custom", COMPLETIONS, url, "demo", "openai-api-key", small="demo-title")


def secrets_with(**keys: str) -> Secrets:
    """Parameters by name, `_` for `-`."""
    return Secrets("/test/", lambda _: {name.replace("_", "-"): value for name, value in keys.items()})


def make_config(home: Path, *routes: Route, model: str = "") -> Config:
    """A configuration that starts the real OpenClaw in `home`."""
    found = tools.find()
    home.mkdir(exist_ok=True)
    return Config(
        user_id="ann",
        generation=1,
        task_arn="arn",
        websocket_url="ws://x",
        data_bucket="bucket",
        home=home,
        node=str(found.node),
        openclaw=os.environ.get("OPENCLAW_ENTRY", str(found.openclaw)),
        compile_cache=str(home.parent / "compile-cache"),
        gateway_port=free_port(),
        http_port=0,
        http_host="127.0.0.1",
        routes=routes,
        model=model or f"{routes[0].id}/{routes[0].model}",
        secrets=secrets_with(openai_api_key=KEY),
    )


@dataclass
class Proxied:
    """A running proxy and what stands around it."""

    url: str
    token: str
    spending: FakeSpending
    budget: Budget
    told: list[Frame]
    choice: Choice


@contextlib.contextmanager
def proxied(
    routes: tuple[Route, ...],
    secrets: Secrets | None = None,
    spending: FakeSpending | None = None,
    token: str = "worthless",  # noqa: S107
    servers: Servers | None = None,
) -> Iterator[Proxied]:
    spending = spending or FakeSpending()
    budget = Budget(spending)
    told: list[Frame] = []
    choice = Choice()
    budget.serve("ann", lambda: choice, told.append)
    proxy = Proxy(routes, Credentials(secrets or secrets_with(openai_api_key=KEY)), budget, token, servers)
    proxy.start()
    _until_served(proxy.url)
    try:
        yield Proxied(proxy.url, token, spending, budget, told, choice)
    finally:
        proxy.stop()


def _until_served(url: str) -> None:
    """The socket listens at once, and the first answer comes when the server runs."""
    for _ in range(100):
        with contextlib.suppress(requests.RequestException):
            if requests.post(f"{url}/none/none", timeout=5).status_code == 401:
                return
        time.sleep(0.05)
    raise AssertionError("the proxy does not serve")


def post(proxy: Proxied, path: str = PATH, token: str | None = None, **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token or proxy.token}", "Content-Type": "application/json"}
    return requests.post(proxy.url + path, json=BODY, headers=headers, timeout=30, **more)


def short(proxy: Proxied, seconds: float = 0.5) -> requests.Response:
    headers = {"Authorization": f"Bearer {proxy.token}"}
    return requests.post(proxy.url + PATH, json=BODY, headers=headers, timeout=seconds)


async def streamed(request: web.Request, chunks: list[bytes], pause: float = 0) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for chunk in chunks:
        await response.write(chunk)
        await asyncio.sleep(pause)
    await response.write_eof()
    return response

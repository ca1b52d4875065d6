"""The HTTP server that OpenClaw uses as its model provider, and as the user's MCP servers.

OpenClaw holds a token that is worth nothing outside this container. The proxy checks it (refusals.py) and
forwards the call with the real credential (forwarding.py, mcp.py).
"""

import asyncio
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

import certifi

from bridge.provider.budget import Budget
from bridge.provider.failures import NO_KEY, NOT_ALLOWED, UNREACHABLE
from bridge.provider.forwarding import Forwarder
from bridge.provider.mcp import McpForwarder, sessions
from bridge.provider.refusals import Door, Refused, error_body, unreached
from bridge.provider.servers import Servers
from chalicelib.platform import log
from chalicelib.providers.credentials import Credentials, NoCredential
from chalicelib.providers.routes import Route

if TYPE_CHECKING:
    from aiohttp import ClientSession, TraceConfig
    from aiohttp.web import Request, StreamResponse

MAX_BODY = 64 * 1024 * 1024
# Calls at the same time. A turn with its subagents needs no more. Further calls wait; they are not refused.
PLACES = 8
CONNECT_SECONDS = 10.0
# A model may think for minutes between two chunks. OpenClaw gives up long before this.
SILENCE_SECONDS = 900.0


class Proxy:
    """Listens on loopback from the start; serves in its own thread once started."""

    def __init__(
        self,
        routes: tuple[Route, ...],
        credentials: Credentials,
        budget: Budget,
        token: str,
        servers: Servers | None = None,
    ) -> None:
        self._door = Door(routes, token)
        self._credentials = credentials
        self._budget = budget
        self._servers = servers
        self._places = asyncio.Semaphore(PLACES)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._blocking = ThreadPoolExecutor(max_workers=PLACES, thread_name_prefix="proxy")
        self._forwarder: Forwarder | None = None
        self._mcp: McpForwarder | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def start(self) -> None:
        threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy", daemon=True).start()

    def stop(self, seconds: float = 5.0) -> None:
        """Count what the running calls cost, then end."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._ended.wait(seconds)
        self._blocking.shutdown(wait=True)

    async def _serve(self) -> None:
        from aiohttp import web

        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/mcp/{server}", self._handle_mcp)
        app.router.add_route("*", "/{route}/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
        local = self._servers.local_url if self._servers is not None else ""
        async with _session() as session, sessions(local) as outside:
            if self._servers is not None:
                self._mcp = McpForwarder(outside, self._servers, self._blocking)
            self._forwarder = Forwarder(session, self._credentials, self._budget, self._blocking)
            await runner.setup()
            await web.SockSite(runner, self._socket).start()
            self._loop = asyncio.get_running_loop()
            await self._stopping.wait()
            await runner.cleanup()
        self._ended.set()

    async def _handle(self, request: "Request") -> "StreamResponse":
        from aiohttp import ClientError, web

        assert self._forwarder is not None
        try:
            route, url = self._door.target(request)
            async with self._places:
                return await self._forwarder.forward(request, route, url, await request.read())
        except Refused as refused:
            return web.json_response(error_body(refused.kind, refused.text), status=refused.status)
        except NoCredential:
            return web.json_response(error_body(NO_KEY, "this provider's key is not set"), status=401)
        except (ClientError, TimeoutError) as failure:
            log.event("provider_unreachable", provider=request.match_info["route"], reason=type(failure).__name__)
            text = f"the provider did not answer: {unreached(failure)}"
            return web.json_response(error_body(UNREACHABLE, text), status=502)

    async def _handle_mcp(self, request: "Request") -> "StreamResponse":
        from aiohttp import web

        try:
            self._door.check(request)
            if self._mcp is None:
                raise Refused(404, NOT_ALLOWED, "there are no servers here")
            return await self._mcp.forward(request)
        except Refused as refused:
            return web.json_response(error_body(refused.kind, refused.text), status=refused.status)


def _session() -> "ClientSession":
    """The client of all calls to providers. Needs a running event loop."""
    from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

    trust = ssl.create_default_context(cafile=certifi.where())
    return ClientSession(
        timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS),
        connector=TCPConnector(keepalive_timeout=60, ssl=trust),
        auto_decompress=False,
        cookie_jar=DummyCookieJar(),
        trace_configs=[_tracing()],
    )


def _tracing() -> "TraceConfig":
    """Notes when the client begins to send a call's body: from then on the provider may count the call."""
    from aiohttp import TraceConfig

    async def sent(_: object, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.sent = True

    tracing = TraceConfig()
    tracing.on_request_chunk_sent.append(sent)
    return tracing

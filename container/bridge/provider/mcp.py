"""Forwards OpenClaw's calls to the user's MCP servers, and adds the token: OpenClaw knows neither it nor the address.

Streamable HTTP only: one address for every call, which may answer with a stream. The older transport (SSE) names a
second address in its stream, and the server could choose it. Redirects are not followed for the same reason.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bridge.provider.refusals import Refused, unreached
from bridge.provider.servers import Servers
from bridge.shared.aws_errors import AWS_ERRORS
from chalicelib.people.devices import is_public
from chalicelib.people.servers import McpServer
from chalicelib.platform import log

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from aiohttp.web import Request, StreamResponse

METHODS = ("POST", "GET", "DELETE")
MAX_BODY, MAX_ANSWER = 4_000_000, 20_000_000
# Calls at the same time. A GET is a stream that stays open, one for each server and conversation.
PLACES = 40
CONNECT_SECONDS, ANSWER_SECONDS, STREAM_SECONDS = 10.0, 300.0, 3600.0
# All that goes through, each way.
SENT = ("accept", "content-type", "mcp-session-id", "mcp-protocol-version", "last-event-id")
PASSED = ("content-type", "mcp-session-id", "retry-after")
REFUSED = "mcp_refused"


@asynccontextmanager
async def sessions(local_url: str) -> AsyncIterator["ClientSession"]:
    """The client of all calls to servers. `local_url`: the server of a test; then no host is looked up."""
    import certifi
    from aiohttp import ClientSession, DummyCookieJar, TCPConnector

    from bridge.provider.outside import PublicOnly

    trust = ssl.create_default_context(cafile=certifi.where())
    resolver = None if local_url else PublicOnly()
    async with ClientSession(
        connector=TCPConnector(ssl=trust, resolver=resolver, use_dns_cache=False),
        auto_decompress=False,
        cookie_jar=DummyCookieJar(),
    ) as session:
        yield session


class McpForwarder:
    """`blocking` runs what waits for AWS. Belongs to one event loop."""

    def __init__(self, session: "ClientSession", servers: Servers, blocking: Executor) -> None:
        self._session = session
        self._servers = servers
        self._blocking = blocking
        self._places = asyncio.Semaphore(PLACES)

    async def forward(self, request: "Request") -> "StreamResponse":
        """The server's answer, already streamed. Raises Refused."""
        from aiohttp import ClientError

        server = self._servers.get(request.match_info["server"])
        if server is None or request.method not in METHODS:
            raise Refused(404, REFUSED, "there is no such server")
        if not is_public(server.url, self._servers.local_url):
            raise Refused(403, REFUSED, "the server's address is not public")
        if self._places.locked():
            raise Refused(503, REFUSED, "too many calls to servers at the same time")
        async with self._places:
            try:
                return await self._send(request, server)
            except (ClientError, OSError, TimeoutError) as failure:
                log.event("mcp_unreachable", server=server.id, reason=type(failure).__name__)
                raise Refused(502, REFUSED, f"the server did not answer: {unreached(failure)}") from None

    async def _send(self, request: "Request", server: McpServer) -> "StreamResponse":
        from aiohttp import ClientTimeout

        limit = STREAM_SECONDS if request.method == "GET" else ANSWER_SECONDS
        timeout = ClientTimeout(total=limit, sock_connect=CONNECT_SECONDS)
        body = await self._body(request)
        headers = {name: request.headers[name] for name in SENT if name in request.headers}
        headers |= {"Accept-Encoding": "identity", "User-Agent": "serverless-openclaw"} | await self._token(server)
        async with self._session.request(
            request.method, server.url, data=body, headers=headers, allow_redirects=False, timeout=timeout
        ) as answer:
            if 300 <= answer.status < 400:
                raise Refused(502, REFUSED, "the server redirects, which is not followed: name its last address")
            return await self._stream(request, answer, server)

    @staticmethod
    async def _body(request: "Request") -> bytes | None:
        if request.method != "POST":
            return None
        body = bytearray()
        async for block in request.content.iter_any():
            body += block
            if len(body) > MAX_BODY:
                raise Refused(413, REFUSED, f"a call may have {MAX_BODY} bytes")
        return bytes(body)

    async def _token(self, server: McpServer) -> dict[str, str]:
        try:
            token = await asyncio.get_running_loop().run_in_executor(self._blocking, self._servers.token, server)
        except (*AWS_ERRORS, LookupError) as error:
            log.failure("mcp_token_unread", error, server=server.id)
            raise Refused(503, REFUSED, "the server's token could not be read just now") from None
        return {"Authorization": f"Bearer {token}"} if token else {}

    @staticmethod
    async def _stream(request: "Request", answer: "ClientResponse", server: McpServer) -> "StreamResponse":
        from aiohttp import ClientError, web

        response = web.StreamResponse(status=answer.status)
        for name in PASSED:
            if name in answer.headers:
                response.headers[name] = answer.headers[name]
        left = MAX_ANSWER
        try:
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                left -= len(chunk)
                if left < 0:
                    raise TimeoutError("too large")
                await response.write(chunk)
            await response.write_eof()
        except (ClientError, OSError, TimeoutError) as failure:
            log.event("mcp_broke_off", server=server.id, reason=type(failure).__name__)
            if request.transport is not None:
                request.transport.abort()  # after a clean end the client would take half an answer for the whole
        return response

"""The model provider that OpenClaw sees: it adds the credential, meters, and passes bytes through.

OpenClaw holds a token that is worth nothing outside this container. What comes back is written as
it comes, in the provider's own bytes; a client that goes away ends the call to the provider, and a
provider that breaks off breaks off for the client too.
"""

import asyncio
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import certifi
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from bridge.budget import Budget
from bridge.credentials import Credentials, NoCredential
from bridge.providers import GEMINI, Route
from bridge.usage import Reader
from chalicelib import log

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from aiohttp.web import Request, StreamResponse

MAX_BODY = 64 * 1024 * 1024
CONNECT_SECONDS = 10.0
# A model may think for minutes between two chunks. OpenClaw gives up long before this.
SILENCE_SECONDS = 900.0
# Of one connection only, or ours to set.
NOT_PASSED = (
    {"host", "connection", "keep-alive", "proxy-authorization", "proxy-authenticate", "te", "trailer", "upgrade"}
    | {"transfer-encoding", "content-length", "accept-encoding", "expect", "cookie", "set-cookie"}
    | {"authorization", "x-api-key", "x-goog-api-key"}
)


class Refused(Exception):
    """A request that is not sent on."""

    def __init__(self, status: int, kind: str, text: str) -> None:
        super().__init__(text)
        self.status, self.kind, self.text = status, kind, text


class Proxy:
    """Listens on loopback from the start; serves in a thread of its own once started."""

    def __init__(self, routes: tuple[Route, ...], credentials: Credentials, budget: Budget, token: str) -> None:
        self._routes = {route.id: route for route in routes}
        self._credentials = credentials
        self._budget = budget
        self._token = token
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._blocking = ThreadPoolExecutor(max_workers=8, thread_name_prefix="proxy")
        self._session: ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def start(self) -> None:
        threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy", daemon=True).start()

    def stop(self, seconds: float = 5.0) -> None:
        """Let what was used be counted, then end."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._ended.wait(seconds)
        self._blocking.shutdown(wait=True)

    async def _serve(self) -> None:
        from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web

        timeout = ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
        trust = ssl.create_default_context(cafile=certifi.where())
        connector = TCPConnector(limit=64, keepalive_timeout=60, ssl=trust)
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{route}/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
        async with ClientSession(
            timeout=timeout, connector=connector, auto_decompress=False, cookie_jar=DummyCookieJar()
        ) as self._session:
            await runner.setup()
            await web.SockSite(runner, self._socket).start()
            self._loop = asyncio.get_running_loop()
            await self._stopping.wait()
            await runner.cleanup()
        self._ended.set()

    async def _handle(self, request: "Request") -> "StreamResponse":
        from aiohttp import ClientError, web

        try:
            route, url = self._target(request)
            return await self._forward(request, route, url, await request.read())
        except Refused as refused:
            error = {"type": refused.kind, "code": refused.kind, "message": refused.text}
            return web.json_response({"type": "error", "error": error}, status=refused.status)
        except NoCredential:
            error = {"type": "no_credential", "message": "this provider's key is not set"}
            return web.json_response({"type": "error", "error": error}, status=401)
        except (ClientError, TimeoutError) as failure:
            log.event("provider_unreachable", provider=request.match_info["route"], reason=type(failure).__name__)
            error = {
                "type": "upstream_unreachable",
                "message": f"the provider did not answer: {type(failure).__name__}",
            }
            return web.json_response({"type": "error", "error": error}, status=502)

    def _target(self, request: "Request") -> tuple[Route, str]:
        """Which provider, and where there. Raises Refused."""
        if not self._ours(request):
            raise Refused(401, "authentication_error", "this is not this container's token")
        route = self._routes.get(request.match_info["route"])
        path = "/" + request.match_info["path"]
        if route is None or request.method != "POST" or not route.allows(path):
            raise Refused(403, "permission_error", "only model calls to a configured provider are passed on")
        events = route.api == GEMINI and request.query.get("alt") == "sse"
        return route, route.base + path + ("?alt=sse" if events else "")

    def _ours(self, request: "Request") -> bool:
        headers = request.headers
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        given = headers.get("x-api-key") or headers.get("x-goog-api-key") or bearer
        return hmac.compare_digest(given.encode(), self._token.encode())

    async def _forward(self, request: "Request", route: Route, url: str, body: bytes) -> "StreamResponse":
        headers = {name: value for name, value in request.headers.items() if name.lower() not in NOT_PASSED}
        headers["Accept-Encoding"] = "identity"  # the meter reads along
        off_loop = asyncio.get_running_loop().run_in_executor
        key = await off_loop(self._blocking, self._admit, route, url, body, headers)
        assert self._session is not None
        async with self._session.post(url, data=body, headers=headers | key, allow_redirects=False) as answer:
            refused = answer.status in (401, 403)
            if not (refused and await off_loop(self._blocking, self._credentials.replaced, route, key)):
                return await self._pass(request, route, body, answer)
        key = await off_loop(self._blocking, self._credentials.headers, route, url, body, headers)
        async with self._session.post(url, data=body, headers=headers | key, allow_redirects=False) as answer:
            return await self._pass(request, route, body, answer)

    def _admit(self, route: Route, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        """The credential, if the budget allows the call. Raises Refused or NoCredential."""
        try:
            refusal = self._budget.may_call()
            if refusal is not None:
                raise Refused(402, "budget_reached", refusal)
            return self._credentials.headers(route, url, body, headers)
        except (PynamoDBException, ClientError, BotoCoreError) as error:
            log.failure("model_call_not_admitted", error)
            raise Refused(503, "not_admitted", "the limit or the key could not be read just now") from None

    async def _pass(self, request: "Request", route: Route, body: bytes, answer: "ClientResponse") -> "StreamResponse":
        from aiohttp import ClientError, web

        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        for name, value in answer.headers.items():
            if name.lower() not in NOT_PASSED:
                response.headers.add(name, value)
        response.content_length = answer.content_length
        reader = Reader(len(body), "event-stream" in answer.content_type)
        try:
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                reader.feed(chunk)
                await response.write(chunk)
            reader.finish()
            await response.write_eof()
        except (ClientError, TimeoutError) as failure:
            log.event("provider_broke_off", provider=route.id, reason=type(failure).__name__)
            if request.transport is not None:
                request.transport.abort()  # a clean end would make half an answer look whole
        finally:
            if answer.status == 200:
                self._blocking.submit(self._charge, route, _model(request.path, body), reader)
        return response

    def _charge(self, route: Route, model: str, reader: Reader) -> None:
        try:
            self._budget.charge(route, model, reader)
        except Exception as error:  # noqa: BLE001  the answer is out; what could not be counted is told
            log.failure("charge_failed", error, provider=route.id)


def _model(path: str, body: bytes) -> str:
    """The model that is asked for: in the body, or in Gemini's path."""
    if "/models/" in path:
        return path.rpartition("/models/")[2].partition(":")[0]
    try:
        return str(json.loads(body).get("model", ""))
    except (ValueError, AttributeError):
        return ""

"""The model provider that OpenClaw sees: it adds the credential, meters, and passes bytes through.

OpenClaw holds a token that is worth nothing outside this container. What comes back is written as
it comes, in the provider's own bytes; a client that goes away ends the call to the provider, and a
provider that breaks off breaks off for the client too.
"""

import asyncio
import hmac
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, TypeVar

import certifi
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from bridge.provider.admission import Call, Gate, call_of
from bridge.provider.budget import REACHED, Budget
from bridge.provider.credentials import Credentials, NoCredential
from bridge.provider.failures import NO_KEY, NOT_ADMITTED, NOT_ALLOWED, UNREACHABLE, marked
from bridge.provider.routes import GEMINI, TOKEN_HEADER, Route
from chalicelib.platform import log

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession, TraceConfig
    from aiohttp.web import Request, StreamResponse

Result = TypeVar("Result")
MAX_BODY = 64 * 1024 * 1024
# Calls under way at once: a turn with its subagents needs no more. Further ones wait, they are not refused.
PLACES = 8
CONNECT_SECONDS = 10.0
# A model may think for minutes between two chunks. OpenClaw gives up long before this.
SILENCE_SECONDS = 900.0
# Of one connection only, or ours to set.
NOT_PASSED = (
    {"host", "connection", "keep-alive", "proxy-authorization", "proxy-authenticate", "te", "trailer", "upgrade"}
    | {"transfer-encoding", "content-length", "accept-encoding", "expect", "cookie", "set-cookie"}
    | {"authorization", "x-api-key", "x-goog-api-key", TOKEN_HEADER}
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
        self._gate = Gate(budget)
        self._places = asyncio.Semaphore(PLACES)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._blocking = ThreadPoolExecutor(max_workers=PLACES, thread_name_prefix="proxy")
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
        connector = TCPConnector(keepalive_timeout=60, ssl=trust)
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{route}/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
        async with ClientSession(
            timeout=timeout,
            connector=connector,
            auto_decompress=False,
            cookie_jar=DummyCookieJar(),
            trace_configs=[_tracing()],
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
            async with self._places:
                return await self._forward(request, route, url, await request.read())
        except Refused as refused:
            return web.json_response(_error(refused.kind, refused.text), status=refused.status)
        except NoCredential:
            return web.json_response(_error(NO_KEY, "this provider's key is not set"), status=401)
        except (ClientError, TimeoutError) as failure:
            log.event("provider_unreachable", provider=request.match_info["route"], reason=type(failure).__name__)
            text = f"the provider did not answer: {type(failure).__name__}"
            return web.json_response(_error(UNREACHABLE, text), status=502)

    def _target(self, request: "Request") -> tuple[Route, str]:
        """Which provider, and where there. Raises Refused."""
        if not self._ours(request):
            raise Refused(401, NOT_ALLOWED, "this is not this container's token")
        route = self._routes.get(request.match_info["route"])
        path = "/" + request.match_info["path"]
        if route is None or request.method != "POST" or not route.allows(path):
            raise Refused(403, NOT_ALLOWED, "only model calls to a configured provider are passed on")
        events = route.api == GEMINI and request.query.get("alt") == "sse"
        return route, route.base + path + ("?alt=sse" if events else "")

    def _ours(self, request: "Request") -> bool:
        headers = request.headers
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        given = headers.get(TOKEN_HEADER) or headers.get("x-api-key") or headers.get("x-goog-api-key") or bearer
        return hmac.compare_digest(given.encode(), self._token.encode())

    async def _forward(self, request: "Request", route: Route, url: str, body: bytes) -> "StreamResponse":
        headers = {name: value for name, value in request.headers.items() if name.lower() not in NOT_PASSED}
        headers["Accept-Encoding"] = "identity"  # the meter reads along
        while True:
            call, key = await self._off_loop(self._admit, route, url, request.path, body, headers)
            if self._gate.take(call.most):
                break
            await self._gate.changed()
        try:
            return await self._send(request, call, url, body, headers, key)
        finally:
            self._settle(call)

    async def _send(
        self,
        request: "Request",
        call: Call,
        url: str,
        body: bytes,
        headers: dict[str, str],
        key: dict[str, str],
        again: bool = False,
    ) -> "StreamResponse":
        """Ask the provider; once more when it refused a key that has been replaced meanwhile."""
        assert self._session is not None
        call.begin()
        sent = headers | key
        async with self._session.post(
            url, data=body, headers=sent, allow_redirects=False, trace_request_ctx=call
        ) as answer:
            call.status = answer.status
            refused = answer.status in (401, 403) and not again
            if not (refused and await self._off_loop(self._credentials.replaced, call.route, key)):
                return await self._pass(request, call, answer)
        key = await self._off_loop(self._credentials.headers, call.route, url, body, headers)
        return await self._send(request, call, url, body, headers, key, again=True)

    async def _off_loop(self, work: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._blocking, work, *arguments)

    def _admit(
        self, route: Route, url: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[Call, dict[str, str]]:
        """The call and its credential, if the budget allows it. Raises Refused or NoCredential."""
        try:
            refusal = self._budget.may_call()
            if refusal is not None:
                raise Refused(402 if refusal.code == REACHED else 503, refusal.code.lower(), refusal.text)
            return call_of(route, path, body), self._credentials.headers(route, url, body, headers)
        except (PynamoDBException, ClientError, BotoCoreError) as error:
            log.failure("model_call_not_admitted", error)
            raise Refused(503, NOT_ADMITTED, "the limit or the key could not be read just now") from None

    async def _pass(self, request: "Request", call: Call, answer: "ClientResponse") -> "StreamResponse":
        from aiohttp import ClientError, web

        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        for name, value in answer.headers.items():
            if name.lower() not in NOT_PASSED:
                response.headers.add(name, value)
        response.content_length = answer.content_length
        reader = call.reader
        reader.events = "event-stream" in answer.content_type
        try:
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                reader.feed(chunk)
                await response.write(chunk)
            reader.finish()
            await response.write_eof()
        except (ClientError, TimeoutError) as failure:
            log.event("provider_broke_off", provider=call.route.id, reason=type(failure).__name__)
            if request.transport is not None:
                request.transport.abort()  # a clean end would make half an answer look whole
        return response

    def _settle(self, call: Call) -> None:
        """The call is over, however it ended. Until it is counted, what it may cost stays reserved."""
        call.end()
        if not call.owed:
            self._gate.release(call.most)
            return
        counted = asyncio.get_running_loop().run_in_executor(self._blocking, self._charge, call)
        counted.add_done_callback(lambda _: self._gate.release(call.most))

    def _charge(self, call: Call) -> None:
        try:
            self._budget.charge(call.route, call.model, call.reader)
        except Exception as error:  # noqa: BLE001  the answer is out; what could not be counted is told
            log.failure("charge_failed", error, provider=call.route.id)


def _error(kind: str, text: str) -> dict[str, object]:
    """A refusal of ours in a form that all the providers' clients read; the mark in it comes back with the run."""
    return {"type": "error", "error": {"type": kind, "code": kind, "message": marked(kind, text)}}


def _tracing() -> "TraceConfig":
    """Notes when a call's body begins to go out: from then on it may be counted by the provider."""
    from aiohttp import TraceConfig

    async def sent(_: object, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.sent = True

    tracing = TraceConfig()
    tracing.on_request_chunk_sent.append(sent)
    return tracing

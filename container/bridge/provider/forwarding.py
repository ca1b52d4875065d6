"""Forwards one call to its provider: admits it, adds the credential, streams the answer back and counts the cost.

The client gets the provider's own bytes as they arrive. When the client disconnects, the call to the provider
ends. When the provider breaks off, the connection to the client breaks off too.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from bridge.provider.admission import Call, Gate, call_of
from bridge.provider.budget import Budget
from bridge.provider.failures import NOT_ADMITTED
from bridge.provider.limits import REACHED
from bridge.provider.refusals import Refused
from chalicelib.platform import log
from chalicelib.providers.credentials import Credentials
from chalicelib.providers.routes import TOKEN_HEADER, Route

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from aiohttp.web import Request, StreamResponse

Result = TypeVar("Result")
# These headers belong to one connection only, or the proxy sets them itself.
NOT_PASSED = (
    {"host", "connection", "keep-alive", "proxy-authorization", "proxy-authenticate", "te", "trailer", "upgrade"}
    | {"transfer-encoding", "content-length", "accept-encoding", "expect", "cookie", "set-cookie"}
    | {"authorization", "x-api-key", "x-goog-api-key", TOKEN_HEADER}
)


class Forwarder:
    """`session` calls the providers; `blocking` runs what waits for AWS. Belongs to one event loop."""

    def __init__(self, session: "ClientSession", credentials: Credentials, budget: Budget, blocking: Executor) -> None:
        self._session = session
        self._credentials = credentials
        self._budget = budget
        self._blocking = blocking
        self._gate = Gate(budget)

    async def forward(self, request: "Request", route: Route, url: str, body: bytes) -> "StreamResponse":
        """The provider's answer, already streamed. Raises Refused, NoCredential and aiohttp's ClientError."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in NOT_PASSED}
        headers["Accept-Encoding"] = "identity"  # the meter cannot read a compressed answer
        while True:
            call, key = await self._off_loop(self._admit, route, url, request.path, body, headers)
            if self._gate.take(call.most):
                break
            await self._gate.changed()
        try:
            return await self._send(request, call, url, body, headers, key)
        finally:
            self._settle(call)

    def _admit(
        self, route: Route, url: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[Call, dict[str, str]]:
        """The call and its credential, if the budget allows it. Raises Refused or NoCredential."""
        try:
            refusal = self._budget.may_call()
            if refusal is not None:
                raise Refused(402 if refusal.code == REACHED else 503, refusal.code.lower(), refusal.text)
            call = call_of(route, path, body)
            call.cause = self._budget.cause()
            return call, self._credentials.headers(route, url, body, headers)
        except (PynamoDBException, ClientError, BotoCoreError) as error:
            log.failure("model_call_not_admitted", error)
            raise Refused(503, NOT_ADMITTED, "the limit or the key could not be read just now") from None

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
        """Ask the provider. If it refuses the key and the key was replaced meanwhile, ask once more."""
        call.begin()
        sent = headers | key
        async with self._session.post(
            url, data=body, headers=sent, allow_redirects=False, trace_request_ctx=call
        ) as answer:
            call.status = answer.status
            refused = answer.status in (401, 403) and not again
            if not (refused and await self._off_loop(self._credentials.replaced, call.route, key)):
                return await self._stream(request, call, answer)
        key = await self._off_loop(self._credentials.headers, call.route, url, body, headers)
        return await self._send(request, call, url, body, headers, key, again=True)

    async def _stream(self, request: "Request", call: Call, answer: "ClientResponse") -> "StreamResponse":
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
                request.transport.abort()  # after a clean end the client would take half an answer for the whole
        return response

    def _settle(self, call: Call) -> None:
        """The call is over. Its possible cost stays reserved until the real cost is counted."""
        call.end()
        if not call.owed:
            self._gate.release(call.most)
            return
        counted = asyncio.get_running_loop().run_in_executor(self._blocking, self._charge, call)
        counted.add_done_callback(lambda _: self._gate.release(call.most))

    def _charge(self, call: Call) -> None:
        try:
            self._budget.charge(call.route, call.model, call.reader, call.cause)
        except Exception as error:  # noqa: BLE001  the answer was sent already, so the failure can only be logged
            log.failure("charge_failed", error, provider=call.route.id)

    async def _off_loop(self, work: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._blocking, work, *arguments)

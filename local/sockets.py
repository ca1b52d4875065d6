"""API Gateway's WebSocket side: connections, Lambda events, and @connections with its real limits."""

import asyncio
import contextlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from local.functions import FunctionError, Functions

FRAME_LIMIT = 32 * 1024  # a client's frame; a browser sends each message as one
MESSAGE_LIMIT = 128 * 1024  # a message through @connections
IDLE_SECONDS = 10 * 60
LIFE_SECONDS = 2 * 60 * 60


@dataclass
class Open:
    id: str
    socket: web.WebSocketResponse
    since: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)


class Sockets:
    """All open connections of this stage."""

    def __init__(self, functions: Functions, idle: float = IDLE_SECONDS, life: float = LIFE_SECONDS) -> None:
        self._functions = functions
        self._idle = idle
        self._life = life
        self._open: dict[str, Open] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """GET /ws: ask websocket_connect, then carry frames until either side closes."""
        connection_id = secrets.token_urlsafe(11) + "="
        event = _event("CONNECT", connection_id)
        event["headers"] = dict(request.headers)
        event["queryStringParameters"] = dict(request.query) or None
        try:
            answer = await self._functions.invoke("websocket_connect", event)
        except FunctionError:
            return web.Response(status=500)
        if int(answer.get("statusCode", 200)) >= 300:
            return web.Response(status=int(answer["statusCode"]))
        socket = web.WebSocketResponse(max_msg_size=FRAME_LIMIT, autoping=True)
        connection = Open(connection_id, socket)
        watch: asyncio.Task[None] | None = None
        try:
            await socket.prepare(request)  # a client that has left meanwhile is handled like any other that leaves
            self._open[connection_id] = connection
            watch = asyncio.create_task(self._limits(connection))
            await self._receive(connection)
        finally:
            if watch is not None:
                watch.cancel()
            self._open.pop(connection_id, None)
            event = _event("DISCONNECT", connection_id)
            event["requestContext"]["disconnectStatusCode"] = socket.close_code or 1006
            self._spawn(self._run("websocket_disconnect", event))
        return socket

    async def _receive(self, connection: Open) -> None:
        async for message in connection.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            connection.last = time.monotonic()
            event = _event("MESSAGE", connection.id) | {"body": message.data}
            self._spawn(self._run("websocket_message", event, connection))

    async def _run(self, function: str, event: dict[str, Any], connection: Open | None = None) -> None:
        try:
            await self._functions.invoke(function, event)
        except FunctionError:
            if connection is not None and not connection.socket.closed:
                context = event["requestContext"]
                error = {"message": "Internal server error", "connectionId": connection.id}
                await connection.socket.send_str(json.dumps(error | {"requestId": context["requestId"]}))

    async def _limits(self, connection: Open) -> None:
        while not connection.socket.closed:
            await asyncio.sleep(min(self._idle, self._life, 5))
            now = time.monotonic()
            if now - connection.last > self._idle or now - connection.since > self._life:
                await connection.socket.close(code=WSCloseCode.GOING_AWAY)

    async def manage(self, request: web.Request) -> web.Response:
        """POST, GET and DELETE /@connections/{id}, as boto3's apigatewaymanagementapi calls them."""
        connection = self._open.get(request.match_info["id"])
        if connection is None or connection.socket.closed:
            return web.json_response({"message": None}, status=410, headers={"x-amzn-ErrorType": "GoneException"})
        if request.method == "DELETE":
            await connection.socket.close()
            return web.Response(status=204)
        if request.method == "GET":
            return web.json_response({"connectedAt": connection.since, "lastActiveAt": connection.last})
        data = await request.read()
        if len(data) > MESSAGE_LIMIT:
            headers = {"x-amzn-ErrorType": "PayloadTooLargeException"}
            return web.json_response({"message": "Message too long"}, status=413, headers=headers)
        with contextlib.suppress(ConnectionError):
            connection.last = time.monotonic()
            await connection.socket.send_str(data.decode())
        return web.json_response({})

    def count(self) -> int:
        return len(self._open)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for connection in list(self._open.values()):
            await connection.socket.close(code=WSCloseCode.GOING_AWAY)


def _event(kind: str, connection_id: str) -> dict[str, Any]:
    routes = {"CONNECT": "$connect", "MESSAGE": "$default", "DISCONNECT": "$disconnect"}
    context = {
        "eventType": kind,
        "routeKey": routes[kind],
        "connectionId": connection_id,
        "domainName": "localhost",
        "stage": "api",
        "apiId": "local",
        "requestId": secrets.token_hex(8),
        "requestTimeEpoch": int(time.time() * 1000),
        "identity": {"sourceIp": "127.0.0.1"},
    }
    return {"requestContext": context, "isBase64Encoded": False}

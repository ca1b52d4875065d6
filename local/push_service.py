"""A push service and the browsers behind it, on this machine. `python -m local.push_service`.

Takes pushes as the services of the browsers' makers do: it checks the signature, keeps to their limits, replaces
what has the same topic. Then it decrypts as the browser would. `/_local/` is for tests.
"""

import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from local.push_crypto import Browser, Refused, check_signature
from local.serving import main

LARGEST = 4096  # bytes of a push, by RFC 8030
MOST_TOPIC = 32
Json = dict[str, Any]


@dataclass
class Subscription:
    """`messages`: what was decrypted, in order; `faults`: statuses of the next answers; `gone`: unsubscribed."""

    browser: Browser
    messages: list[Json] = field(default_factory=list)
    faults: list[Json] = field(default_factory=list)
    refused: list[Json] = field(default_factory=list)
    gone: bool = False

    def take(self, headers: Any, body: bytes, origin: str) -> None:
        """Raises Refused."""
        if self.gone:
            raise Refused(410, "unsubscribed")
        check_signature(headers.get("Authorization", ""), origin, self.browser.server)
        if headers.get("Content-Encoding") != "aes128gcm" or not headers.get("TTL", "").isdecimal():
            raise Refused(400, "Content-Encoding must be aes128gcm, TTL a number of seconds")
        if len(body) > LARGEST:
            raise Refused(413, f"at most {LARGEST} bytes")
        topic = headers.get("Topic", "")
        if len(topic) > MOST_TOPIC or not topic.replace("-", "").replace("_", "").isalnum():
            raise Refused(400, "Topic must be up to 32 characters of base64url")
        payload = json.loads(self.browser.decrypted(body))
        self.messages.append({"topic": topic, "ttl": int(headers["TTL"]), "payload": payload})

    def shown(self) -> list[Json]:
        """The notifications of the device: one that has the tag of another takes its place."""
        return list({message["payload"]["tag"]: message["payload"] for message in self.messages}.values())


class Server:
    """`POST /push/<id>`, and what a browser does by itself."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, Subscription] = {}

    async def push(self, request: web.Request) -> web.Response:
        one, body = self._subscriptions.get(request.match_info["id"]), await request.read()
        if one is None:
            return web.Response(status=404)
        if one.faults:
            fault = one.faults.pop(0)
            return web.Response(status=int(fault["status"]), headers=fault.get("headers"))
        try:
            one.take(request.headers, body, str(request.url.origin()))
        except Refused as error:
            one.refused.append({"status": error.status, "why": str(error)})
            return web.Response(status=error.status, text=str(error))
        return web.Response(status=201)

    async def subscribe(self, request: web.Request) -> web.Response:
        """{"key": the page's VAPID key} → what PushManager.subscribe gives the page."""
        identity = secrets.token_urlsafe(24)
        browser = Browser((await request.json())["key"])
        self._subscriptions[identity] = Subscription(browser)
        return web.json_response({"endpoint": f"{request.url.origin()}/push/{identity}", "keys": browser.keys()})

    async def fault(self, request: web.Request) -> web.Response:
        """{"endpoint", "status", "times"?, "headers"?}: the next answers; none of them any more with `times` 0."""
        body = await request.json()
        self._of(body["endpoint"]).faults[:] = [body] * int(body.get("times", 1))
        return web.json_response({})

    async def unsubscribe(self, request: web.Request) -> web.Response:
        self._of((await request.json())["endpoint"]).gone = True
        return web.json_response({})

    async def device(self, request: web.Request) -> web.Response:
        """?endpoint= → {"messages", "shown", "refused"}"""
        one = self._of(request.query["endpoint"])
        return web.json_response({"messages": one.messages, "shown": one.shown(), "refused": one.refused})

    def _of(self, endpoint: str) -> Subscription:
        return self._subscriptions[endpoint.rsplit("/", 1)[-1]]

    def application(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024, middlewares=[only_json])
        app.router.add_post("/push/{id}", self.push)
        for name in ("subscribe", "fault", "unsubscribe"):
            app.router.add_post(f"/_local/{name}", getattr(self, name))
        app.router.add_get("/_local/device", self.device)
        return app


@web.middleware
async def only_json(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Protect `/_local/` against pages of other sites: they cannot send JSON here unasked."""
    if request.path.startswith("/_local/") and request.method == "POST" and request.content_type != "application/json":
        return web.Response(status=415)
    return await handler(request)


if __name__ == "__main__":
    main(__doc__, lambda: Server().application())

"""API Gateway, CloudFront, EventBridge in one process: `python -m local.api`. Prints its ports when ready."""

import argparse
import asyncio
import base64
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from local.functions import FunctionError, Functions
from local.policies import CONSOLE, headers_of
from local.processes import die_with_parent
from local.sockets import Sockets

ROOT = Path(__file__).resolve().parent.parent
BODY_LIMIT = 6 * 1024 * 1024  # what Lambda takes
WATCHDOG_SECONDS = 300
# Calls of Cognito's that need a signature: a page makes none.
SIGNED = ("Admin", "Create", "Delete", "Describe", "List")
LOCAL_HOSTS = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")


def resource_of(path: str, resources: list[str]) -> tuple[str, dict[str, str]] | None:
    """The route pattern that a path matches, and its parameters."""
    for resource in resources:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", resource)
        match = re.fullmatch(pattern, path)
        if match:
            return resource, match.groupdict()
    return None


class Api:
    """The public side: the web app, REST, WebSocket and Cognito on one origin."""

    def __init__(self, functions: Functions, site: Path, config: dict[str, Any], cognito: str) -> None:
        import app

        self._functions = functions
        self._resources = sorted(app.app.routes)
        self._site = site
        self._config = config
        self._cognito = cognito
        self._session: ClientSession | None = None

    @web.middleware
    async def only_local(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Protect against other sites that point their host name at loopback (DNS rebinding)."""
        if not LOCAL_HOSTS.fullmatch(request.headers.get("Host", "")):
            return web.Response(status=421)
        response: web.StreamResponse = await handler(request)
        return response

    async def rest(self, request: web.Request) -> web.Response:
        path = "/" + request.match_info["path"]
        found = resource_of(path, self._resources)
        if found is None:
            return web.json_response({"message": "Missing Authentication Token"}, status=403)
        body = await request.read()
        if len(body) > BODY_LIMIT:
            return web.json_response({"message": "Request Too Long"}, status=413)
        try:
            answer = await self._functions.invoke("api_handler", rest_event(request, path, *found, body))
        except FunctionError:
            return web.json_response({"message": "Internal server error"}, status=502)
        raw = answer["body"]
        content = base64.b64decode(raw) if answer.get("isBase64Encoded") else raw.encode()
        headers = dict(answer.get("headers") or {})
        return web.Response(status=answer["statusCode"], body=content, headers=headers)

    async def cognito(self, request: web.Request) -> web.Response:
        """Cognito on our own origin, so that the page needs no other origin."""
        if self._session is None:
            self._session = ClientSession()
        names = ("X-Amz-Target", "Content-Type")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        service, _, operation = headers.get("X-Amz-Target", "").partition(".")
        if service != "AWSCognitoIdentityProviderService":
            return web.Response(status=404)
        if operation.startswith(SIGNED):
            return web.Response(status=403)
        # Unsigned calls carry no region: moto finds its backend by this credential scope.
        headers["Authorization"] = (
            "AWS4-HMAC-SHA256 Credential=local/20200101/us-east-1/cognito-idp/aws4_request, "
            "SignedHeaders=host, Signature=local"
        )
        body = await request.read()
        if headers["X-Amz-Target"].endswith(".GetTokensFromRefreshToken"):
            # moto knows only the older call for the same thing.
            asked = json.loads(body)
            headers["X-Amz-Target"] = "AWSCognitoIdentityProviderService.InitiateAuth"
            parameters = {"REFRESH_TOKEN": asked["RefreshToken"]}
            older = {"ClientId": asked["ClientId"], "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": parameters}
            body = json.dumps(older).encode()
        async with self._session.post(self._cognito, data=body, headers=headers) as answer:
            kept = {n: v for n, v in answer.headers.items() if n.lower().startswith("x-amzn")}
            return web.Response(
                status=answer.status, body=await answer.read(), content_type="application/x-amz-json-1.1", headers=kept
            )

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The built web app; unknown paths are the app's own routes."""
        name = request.match_info["path"]
        if name == "config.json":
            return web.json_response(self._config, headers={"Cache-Control": "no-store"})
        path = (self._site / name).resolve()
        if not name or not path.is_relative_to(self._site) or not path.is_file():
            if "." in name.rsplit("/", 1)[-1]:
                return web.Response(status=404)
            path = self._site / (CONSOLE if name.startswith(CONSOLE) else "") / "index.html"
        return web.FileResponse(path, headers=headers_of(path.relative_to(self._site).as_posix()))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def rest_event(
    request: web.Request, path: str, resource: str, parameters: dict[str, str], body: bytes
) -> dict[str, Any]:
    query = {name: request.query.getall(name) for name in request.query}
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {
        "resource": resource,
        "path": path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": request.method,
            "path": f"/api{path}",
            "stage": "api",
            "apiId": "local",
            "identity": {"sourceIp": "127.0.0.1"},
        },
    }


class Schedule:
    """EventBridge: the rules of app.py, and the events of the local ECS."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    async def deliver(self, request: web.Request) -> web.Response:
        """An ECS event, or a schedule's tick asked for by name: {"function": …}, with its input if it has one."""
        event = await request.json()
        function = event.pop("function", "task_stopped")
        sent = event.pop("input", None) or cloudwatch_event(event)
        try:
            await self._functions.invoke(function, sent)
        except FunctionError as error:
            return web.json_response({"error": str(error)}, status=500)
        return web.json_response({})

    async def tick(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await self._functions.invoke("watchdog", cloudwatch_event({}))
            except FunctionError:
                continue  # logged by the instance; the next tick retries


def cloudwatch_event(event: dict[str, Any]) -> dict[str, Any]:
    empty = {"version": "0", "account": "123456789012", "region": "us-east-1", "time": "", "id": "local"}
    return empty | {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}, "resources": []} | event


async def serve(port: int) -> None:
    settings = json.loads(os.environ["LOCAL_API"])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    environment = dict(os.environ)
    functions = Functions(environment, ROOT, Path(settings["log"]))
    sockets = Sockets(functions, settings["idleSeconds"], settings["lifeSeconds"])
    schedule = Schedule(functions)
    internal_port, internal = await _listen(
        [("*", "/@connections/{id}", sockets.manage), ("POST", "/events", schedule.deliver)], [], 0
    )
    origins = [f"http://127.0.0.1:{port}", f"http://localhost:{port}"]
    functions.environment |= {"CALLBACK_URL": f"http://127.0.0.1:{internal_port}", "ALLOWED_ORIGINS": ",".join(origins)}
    await functions.warm(2)
    api = Api(functions, ROOT / "frontend" / "dist", settings["config"], settings["cognito"])
    public_port, public = await _listen(
        [
            ("GET", "/ws", sockets.connect),
            ("*", "/api/{path:.*}", api.rest),
            ("POST", "/cognito{path:/?}", api.cognito),
            ("GET", "/{path:.*}", api.page),
        ],
        [api.only_local],
        port,
    )
    tick = asyncio.create_task(schedule.tick(settings["watchdogSeconds"]))
    print(json.dumps({"port": public_port, "internal": internal_port}), flush=True)
    await stop.wait()
    tick.cancel()
    await sockets.close()
    await api.close()
    await functions.close()
    await public.cleanup()
    await internal.cleanup()


async def _listen(routes: list[tuple[str, str, Any]], middlewares: list[Any], port: int) -> tuple[int, web.AppRunner]:
    app = web.Application(client_max_size=2 * BODY_LIMIT, middlewares=middlewares)
    for method, path, handler in routes:
        app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    return int(runner.addresses[0][1]), runner


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when we go
    asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()

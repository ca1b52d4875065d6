"""Telegram on this machine: the Bot API, webhook delivery, and a chat page. `python -m local.telegram_api`.

It replaces api.telegram.org (methods below /bot<token>/), Telegram's servers (they send a person's
message to the webhook and retry until it is accepted) and the person's app (a page).
"""

import asyncio
import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from local.serving import main
from local.telegram_chats import Chats, Fault, Json
from local.telegram_media import ApiError

PAGE = Path(__file__).resolve().parent / "telegram_page"
LOCAL_HOSTS = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")
CSP = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
# The real server waits longer each time, for up to a day. That is too long here.
REDELIVER_SECONDS = (0.3, 0.5, 1, 2, 5, 10, 30, 60)


class Delivery:
    """Updates to the webhook: in order for each chat, repeated until a 2xx."""

    def __init__(self, chats: Chats) -> None:
        self._chats = chats
        self._queues: dict[int, asyncio.Queue[Json]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: ClientSession | None = None
        self.attempts: list[tuple[int, int]] = []  # update id, status

    def put(self, chat_id: int, update: Json) -> None:
        if chat_id not in self._queues:
            self._queues[chat_id] = asyncio.Queue()
            task = asyncio.create_task(self._work(self._queues[chat_id]))
            self._tasks.add(task)
        self._queues[chat_id].put_nowait(update)

    async def _work(self, updates: "asyncio.Queue[Json]") -> None:
        while True:
            update = await updates.get()
            for attempt in range(len(REDELIVER_SECONDS)):
                if await self.deliver(update) // 100 == 2:
                    break
                await asyncio.sleep(REDELIVER_SECONDS[attempt])

    async def deliver(self, update: Json) -> int:
        """One attempt. Returns the status, or 0 without an answer. Runs the method in the answer's body, if any."""
        hook = self._chats.webhook
        wanted = hook.get("allowed_updates") or ["message", "edited_message", "callback_query"]
        if not hook or not any(kind in update for kind in wanted):
            return 200
        self._session = self._session or ClientSession(timeout=ClientTimeout(total=30))
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.get("secret_token", "")}
        try:
            async with self._session.post(hook["url"], json=update, headers=headers) as answer:
                status, body = answer.status, await answer.read()
        except (ClientError, TimeoutError):
            status, body = 0, b""
        self.attempts.append((update["update_id"], status))
        if status == 200:
            self._answer(body)
        return status

    def _answer(self, body: bytes) -> None:
        try:
            fields = json.loads(body)
        except ValueError:
            return
        if isinstance(fields, dict) and "method" in fields:
            try:
                self._chats.call(fields.pop("method"), fields)
            except ApiError:
                return  # like the real server: the bot is not told

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._session is not None:
            await self._session.close()


class Server:
    """HTTP: the Bot API for the bot, `/_local/` for tests and the page."""

    def __init__(self, chats: Chats) -> None:
        self.chats = chats
        self.delivery = Delivery(chats)

    @web.middleware
    async def guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Protect against requests from pages of other sites."""
        if not LOCAL_HOSTS.fullmatch(request.headers.get("Host", "")):
            return web.Response(status=421)
        control = request.path.startswith("/_local/") and request.method == "POST"
        if control and request.content_type != "application/json":
            return web.Response(status=415)
        response: web.StreamResponse = await handler(request)
        response.headers.update({"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff"})
        return response

    async def api(self, request: web.Request) -> web.StreamResponse:
        """/bot<token>/<method>"""
        if request.match_info["token"] != self.chats.token:
            return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        try:
            result, lost = self.chats.call(request.match_info["method"], await _fields(request))
        except ApiError as error:
            return web.json_response(error.body, status=error.status)
        if lost and request.transport is not None:
            request.transport.close()
        return web.json_response({"ok": True, "result": result})

    async def download(self, request: web.Request) -> web.Response:
        content = self.chats.files.get(request.match_info["file"])
        if request.match_info["token"] != self.chats.token or content is None:
            return web.Response(status=404)
        return web.Response(body=content)

    async def say(self, request: web.Request) -> web.Response:
        """A person writes: {"chatId", "userId", "text" or "message" (any fields), "edit"?: message id}."""
        body = await request.json()
        chat_id, user_id = int(body["chatId"]), int(body.get("userId") or abs(int(body["chatId"])))
        message: Json = {
            "chat": {"id": chat_id, "type": "private" if chat_id > 0 else "supergroup"},
            "from": {"id": user_id, "is_bot": False, "first_name": body.get("name", "Ann")},
        }
        message |= {"text": body["text"]} if body.get("text") else {}
        message |= body.get("message", {})
        kind = "message"
        if body.get("edit"):
            kind, message["message_id"] = "edited_message", int(body["edit"])
        else:
            message = self.chats.person_says(message)
        update = {"update_id": self.chats.number(), kind: message}
        self.delivery.put(chat_id, update)
        return web.json_response(update)

    async def press(self, request: web.Request) -> web.Response:
        """A person presses a button: {"chatId", "userId", "messageId", "data"}."""
        body = await request.json()
        chat_id = int(body["chatId"])
        sender = {"id": int(body.get("userId") or abs(chat_id)), "is_bot": False, "first_name": "Ann"}
        try:
            query = self.chats.person_presses(chat_id, int(body["messageId"]), str(body["data"]), sender)
        except ApiError as error:
            return web.json_response(error.body, status=error.status)
        update = {"update_id": self.chats.number(), "callback_query": query}
        self.delivery.put(chat_id, update)
        return web.json_response(update)

    async def happen(self, request: web.Request) -> web.Response:
        """Any other update, for a chat: {"chatId", "update": {"message_reaction": …}}."""
        body = await request.json()
        update = {"update_id": self.chats.number()} | body["update"]
        self.delivery.put(int(body["chatId"]), update)
        return web.json_response(update)

    async def deliver(self, request: web.Request) -> web.Response:
        """Deliver an update to the webhook several times at once: {"update", "times"}."""
        body = await request.json()
        times = int(body.get("times", 1))
        statuses = await asyncio.gather(*(self.delivery.deliver(body["update"]) for _ in range(times)))
        return web.json_response(statuses)

    async def chat(self, request: web.Request) -> web.Response:
        return web.json_response(self.chats.shown(int(request.query["id"])))

    async def calls(self, request: web.Request) -> web.Response:
        pressed = self.chats.pressed
        return web.json_response({"calls": self.chats.calls, "attempts": self.delivery.attempts, "pressed": pressed})

    async def fault(self, request: web.Request) -> web.Response:
        body = await request.json()
        known = {f.name for f in dataclasses.fields(Fault)}
        if not body:  # ends them all
            self.chats.faults.clear()
            return web.json_response({})
        self.chats.faults.append(Fault(**{name: value for name, value in body.items() if name in known}))
        return web.json_response({})

    async def upload(self, request: web.Request) -> web.Response:
        """A file of a person's: {"content": base64} → its id."""
        import base64

        file_id = f"file-{self.chats.number()}"
        self.chats.files[file_id] = base64.b64decode((await request.json())["content"])
        return web.json_response({"fileId": file_id})

    async def file(self, request: web.Request) -> web.Response:
        """A file of a chat, as the person saves it."""
        content = self.chats.files.get(request.query["id"])
        return web.Response(status=404) if content is None else web.Response(body=content)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The chat page; a deep link opens `/<bot>?start=…`."""
        name = request.match_info["name"]
        return web.FileResponse(PAGE / (name if name in ("chat.js", "chat.css") else "index.html"))

    def application(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self.guard])
        app.router.add_route("*", "/bot{token:[^/]+}/{method}", self.api)
        app.router.add_get("/file/bot{token:[^/]+}/files/{file}", self.download)
        for name in ("say", "press", "happen", "deliver", "fault", "upload"):
            app.router.add_post(f"/_local/{name}", getattr(self, name))
        app.router.add_get("/_local/chat", self.chat)
        app.router.add_get("/_local/file", self.file)
        app.router.add_get("/_local/calls", self.calls)
        app.router.add_get("/{name:[A-Za-z0-9_.]*}", self.page)
        return app


async def _fields(request: web.Request) -> Json:
    """JSON, or a form with a file in it."""
    if request.content_type == "multipart/form-data":
        fields: Json = {}
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                fields[name] = (value.filename, value.file.read())
            else:
                fields[name] = _plain(str(value))
        return fields
    if request.content_type == "application/json" and request.can_read_body:
        body = await request.json()
        return body if isinstance(body, dict) else {}
    return {name: _plain(value) for name, value in request.query.items()}


def _plain(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def application() -> web.Application:
    """The token comes in the environment: an argument could be seen in the process list."""
    server = Server(Chats(os.environ["LOCAL_TELEGRAM_TOKEN"], "demo_bot"))
    app = server.application()

    async def close(_: web.Application) -> None:
        await server.delivery.close()

    app.on_shutdown.append(close)
    return app


if __name__ == "__main__":
    main(__doc__, application)

"""Two Bot APIs, ours and telegram-test-api, with a person and a webhook: the same for a test."""

import json
import queue
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import requests

Json = dict[str, Any]
BOT = "4242:very-secret-part"
CHAT = 7
PERSON = {"id": CHAT, "is_bot": False, "first_name": "Ann"}


class Api(Protocol):
    """A Bot API, and what its person does and sees in the chat."""

    url: str

    def says(self, text: str) -> None: ...
    def presses(self, message: Json, data: str) -> None: ...
    def shown(self) -> list[Json]: ...


class Ours:
    """`local/telegram_api.py`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def says(self, text: str) -> None:
        _post(f"{self.url}/_local/say", {"chatId": CHAT, "text": text})

    def presses(self, message: Json, data: str) -> None:
        _post(f"{self.url}/_local/press", {"chatId": CHAT, "messageId": message["message_id"], "data": data})

    def shown(self) -> list[Json]:
        found = requests.get(f"{self.url}/_local/chat?id={CHAT}", timeout=10).json()
        return [message for message in found if message["mine"] and not message["deleted"]]


class Theirs:
    """telegram-test-api. Its person's calls take what its own client sends."""

    def __init__(self, url: str) -> None:
        self.url = url

    def says(self, text: str) -> None:
        self._does("sendMessage", text=text, chat=self._chat(), date=int(time.time()))

    def presses(self, message: Json, data: str) -> None:
        whole = {"from": PERSON, "chat": self._chat(), "message_id": message["message_id"]}
        self._does("sendCallback", message=whole, data=data)

    def _does(self, what: str, **fields: Any) -> None:
        _post(f"{self.url}/{what}", {"botToken": BOT, "from": PERSON} | fields)

    @staticmethod
    def _chat() -> Json:
        return {"id": CHAT, "type": "private", "first_name": "Ann"}

    def shown(self) -> list[Json]:
        everything = _post(f"{self.url}/getUpdatesHistory", {"token": BOT})["result"]
        return [entry["message"] for entry in everything if "chat_id" in entry.get("message", {})]


def _post(url: str, body: Json) -> Any:
    answer = requests.post(url, json=body, timeout=10)
    answer.raise_for_status()
    return answer.json()


class Hook:
    """A webhook on this machine; `next` waits for an update that fits."""

    def __init__(self) -> None:
        self.got: queue.Queue[tuple[Json, str | None]] = queue.Queue()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.got.put((body, self.headers.get("X-Telegram-Bot-Api-Secret-Token")))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/telegram"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def next(self, fits: Callable[[Json], bool]) -> tuple[Json, str | None]:
        while True:
            update, secret = self.got.get(timeout=10)
            if fits(update):
                return update, secret

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

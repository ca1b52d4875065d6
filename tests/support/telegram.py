"""A person in the local Telegram: writes to the bot, reads what it shows."""

import base64
import itertools
from typing import Any

import requests

from local.stack import Stack
from tests.support.client import eventually

_people = itertools.count(5001)
Json = dict[str, Any]


class Person:
    """One Telegram account in one chat with the bot (its private one, unless a group is named)."""

    def __init__(self, stack: Stack, chat_id: int | None = None, user_id: int | None = None) -> None:
        self.stack = stack
        self.user_id = user_id or next(_people)
        self.chat_id = chat_id or self.user_id

    def post(self, name: str, **body: Any) -> Any:
        answer = requests.post(f"{self.stack.telegram_url}/_local/{name}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def say(self, text: str = "", **more: Any) -> Json:
        """Write a message; the update that it became."""
        update: Json = self.post("say", chatId=self.chat_id, userId=self.user_id, text=text, **more)
        return update

    def press(self, message: Json, label: str, user_id: int | None = None) -> str:
        """Press the button of a message; what the bot says to it (often nothing)."""
        rows = message["reply_markup"]["inline_keyboard"]
        data = next(button["callback_data"] for row in rows for button in row if label in button["text"])
        where = {"chatId": self.chat_id, "userId": user_id or self.user_id, "messageId": message["message_id"]}
        query = self.post("press", **where, data=data)["callback_query"]["id"]
        answers = f"{self.stack.telegram_url}/_local/calls"
        eventually(lambda: requests.get(answers, timeout=10).json()["pressed"][query] is not None, 15)
        return str(requests.get(answers, timeout=10).json()["pressed"][query])

    def upload(self, content: bytes) -> str:
        return str(self.post("upload", content=base64.b64encode(content).decode())["fileId"])

    def download(self, file_id: str) -> bytes:
        """What the bot has sent."""
        url = f"{self.stack.telegram_url}/_local/file?id={file_id}"
        return requests.get(url, timeout=30).content

    def fault(self, method: str, **more: Any) -> None:
        self.post("fault", method=method, **more)

    def everything(self) -> list[Json]:
        """All messages of the bot here, deleted ones too."""
        url = f"{self.stack.telegram_url}/_local/chat?id={self.chat_id}"
        return [message for message in requests.get(url, timeout=10).json() if message["mine"]]

    def messages(self) -> list[Json]:
        return [message for message in self.everything() if not message["deleted"]]

    def texts(self) -> list[str]:
        return [message.get("text", "") for message in self.messages()]

    def reply(self, part: str, seconds: float = 60) -> Json:
        """Wait for a message of the bot that holds a text."""

        def found() -> Json | None:
            return next((message for message in self.messages() if part in message.get("text", "")), None)

        try:
            result: Json = eventually(found, seconds)
        except AssertionError:
            raise AssertionError(f"no message with {part!r} in {seconds} s; there are {self.texts()}") from None
        return result

    def ask(self, text: str, part: str, seconds: float = 60) -> Json:
        self.say(text)
        return self.reply(part, seconds)

    def calls(self, method: str) -> list[tuple[float, str, Json]]:
        """Calls of a method for this chat: time, method, fields."""
        everything = requests.get(f"{self.stack.telegram_url}/_local/calls", timeout=10).json()["calls"]
        return [call for call in everything if call[1] == method and call[2].get("chat_id") == self.chat_id]

"""The Bot API and the row of an answer's progress, in memory."""

import time
from typing import Any

from chalicelib.telegram.api import Rejected, TelegramError
from chalicelib.telegram.progress import digest
from local.telegram_chats import Chats
from local.telegram_media import ApiError


class FakeApi:
    """The stand-in's rules without HTTP; `plan` holds errors for the next calls of a method."""

    def __init__(self) -> None:
        self.chats = Chats("99:x", "demo_bot")
        for chat_id in (7, -7):
            self.chats.person_says({"chat": {"id": chat_id}, "text": "?"})
        self.plan: list[tuple[str, TelegramError, bool]] = []
        self.times: list[tuple[float, str]] = []

    def call(self, method: str, files: Any = (), **fields: Any) -> Any:
        self.times.append((time.monotonic(), method))
        sent = {
            part: (name, body if isinstance(body, bytes) else body.read()) for part, (name, body) in dict(files).items()
        }
        fields = {name: value for name, value in (fields | sent).items() if value is not None}
        planned = next((entry for entry in self.plan if entry[0] == method), None)
        if planned is not None:
            self.plan.remove(planned)
            if planned[2]:
                self.chats.call(method, fields)  # the call takes effect, but its answer is lost
            raise planned[1]
        try:
            return self.chats.call(method, fields)[0]
        except ApiError as error:
            raise Rejected(error.status, str(error)) from None

    def fail(self, method: str, error: TelegramError, happened: bool = False) -> None:
        self.plan.append((method, error, happened))

    def shown(self, chat_id: int = 7) -> list[str]:
        return [m.get("text", "📎") for m in self.chats.shown(chat_id) if m["mine"] and not m["deleted"]]

    def calls(self, method: str) -> int:
        return sum(name == method for _, name in self.times)


class FakeProgress:
    """The row of Progress in memory; `row` is what a crash would leave."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.base, self.before, self.done = 0, "", False
        self.row: list[Any] = []
        self.expected = False
        self.parcels = 0
        self.line: int | None = None

    def expect(self) -> None:
        self.expected = True

    def load(self) -> None:
        return

    def sending(self, end: int, text: str) -> None:
        self.row = [end, digest(text)]

    def sent(self, message_id: int) -> None:
        self.ids = [*self.ids, message_id]
        self.row = []

    def not_sent(self) -> None:
        self.row = []

    def lost(self, end: int, text: str) -> None:
        self.ids, self.base, self.before, self.row = [], end, digest(text), []

    def restart(self) -> None:
        self.ids, self.base, self.before = [], 0, ""

    def removed(self, message_id: int) -> None:
        self.ids.remove(message_id)

    def lined(self, message_id: int | None) -> None:
        self.line = message_id

    def sending_parcel(self) -> None:
        self.row = ["files"]

    def sent_parcel(self) -> None:
        self.parcels += 1
        self.row = []

    def finish(self) -> None:
        self.done = True

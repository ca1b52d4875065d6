"""One person: some tabs, perhaps Telegram, a session of chatting now and then."""

import contextlib
import json
import random
import threading
import time
import uuid

import websocket

from bench.load.ledger import Ledger, Sent
from bench.stamps import ask
from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.telegram import Person as TelegramPerson

ACK_SECONDS = 30
# A killed container is noticed at once, its successor needs some seconds, more on a full machine.
ANSWER_SECONDS = 150
THINK_SECONDS = (2.0, 8.0)
# Half of the messages go into the first one.
CONVERSATIONS = ("main", *(f"c-{number}" for number in range(2, 9)))


class Tab:
    """One socket and the thread that reads it; opened again when it breaks."""

    def __init__(self, client: Client, ledger: Ledger, number: int) -> None:
        self._client = client
        self._ledger = ledger
        self._number = number
        self._closing = threading.Event()
        self._socket = client.open()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._closing.is_set():
            try:
                raw = self._socket.recv()
                if not raw:
                    raise websocket.WebSocketConnectionClosedException("closed")
                self._ledger.heard(self._number, json.loads(raw))
            except websocket.WebSocketTimeoutException:
                continue
            except (OSError, websocket.WebSocketException):
                if not self._closing.is_set():
                    self._ledger.lost_sockets += 1
                    self._socket = self._client.open()

    def say(self, frame: dict[str, str]) -> None:
        self._socket.send(json.dumps(frame))

    def close(self) -> None:
        self._closing.set()
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self._socket.send_close()
        self._thread.join(5)
        self._socket.shutdown()


class Chatter:
    """A simulated person with random behaviour from its own seed."""

    def __init__(self, stack: Stack, number: int, seed: int, telegram: bool) -> None:
        self._stack = stack
        self._random = random.Random(f"{seed}-{number}")  # noqa: S311  a game, not a secret
        self.ledger = Ledger()
        self._with_telegram = telegram
        self._telegram: TelegramPerson | None = None
        self.client: Client | None = None
        self.sessions = 0
        self._cold = True

    def session(self, seconds: float) -> None:
        """Open tabs, chat, wait for every answer, stop the container, close the tabs."""
        if self.client is None:
            self.client = Client(self._stack)
            self.client.close()  # its own socket has no reader
        client, self.sessions, self._cold = self.client, self.sessions + 1, True
        tabs = [Tab(client, self.ledger, 10 * self.sessions + n) for n in range(self._random.choice((1, 1, 2, 3)))]
        try:
            if self._with_telegram and self._telegram is None:
                self._pair(client)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                self._say_something(tabs)
                time.sleep(self._random.uniform(*THINK_SECONDS))
            eventually(lambda: not self._still_open(client), ANSWER_SECONDS, 1)
            client.rest("POST", "/stop-agent")
        finally:
            for tab in tabs:
                tab.close()

    def _pair(self, client: Client) -> None:
        code = client.rest("POST", "/link/generate-otp").json()["code"]
        self._telegram = TelegramPerson(self._stack)
        self._telegram.ask(f"/link {code}", "Paired.", 60)

    def _say_something(self, tabs: list[Tab]) -> None:
        """Send one to three messages, each after the previous one was accepted. Answers may still be running."""
        tab = self._random.choice(tabs)
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            if self._telegram is not None and self._random.random() < 0.4:
                self._say_in_telegram()
            elif not self._say_in_tab(tab):
                return

    def _text(self, token: str) -> str:
        words, pause = self._random.choice(((5, 0), (20, 10), (60, 10), (120, 20)))
        return ask(words, pause, token)

    def _say_in_tab(self, tab: Tab) -> bool:
        message, token = uuid.uuid4().hex, uuid.uuid4().hex[:12]
        others = len(CONVERSATIONS) - 1
        conversation = self._random.choices(CONVERSATIONS, [others, *[1] * others])[0]
        sent = self.ledger.add(Sent(message, token, "web", conversation, self._is_cold()))
        tab.say({"action": "sendMessage", "id": message, "text": self._text(token), "conversationId": conversation})
        deadline = time.monotonic() + ACK_SECONDS
        while not (sent.accepted or sent.refused) and time.monotonic() < deadline:
            time.sleep(0.01)
        return bool(sent.accepted)

    def _say_in_telegram(self) -> None:
        assert self._telegram is not None
        token, cold = uuid.uuid4().hex[:12], self._is_cold()
        update = self._telegram.say(self._text(token))
        sent = self.ledger.add(Sent(f"tg-{update['update_id']:012d}", token, "telegram", "main", cold))
        sent.accepted = sent.at  # Telegram repeats it until our webhook has taken it

    def _is_cold(self) -> bool:
        """Whether this is the session's first message: then it starts the container."""
        cold, self._cold = self._cold, False
        return cold

    def _still_open(self, client: Client) -> list[Sent]:
        """What no tab saw the end of, unless the conversation has the answer: a tab may miss a frame."""
        waiting = self.ledger.open()
        if waiting and not any(sent.at > time.monotonic() - 10 for sent in waiting):
            answered = {str(entry.get("replyTo")) for entry in self.history()}
            for sent in waiting:
                if sent.id in answered:
                    sent.ended = sent.ended or time.monotonic()
        return waiting

    def history(self) -> list[dict[str, object]]:
        """All conversations, oldest message first, page by page."""
        assert self.client is not None
        rows: list[dict[str, object]] = []
        for conversation in CONVERSATIONS:
            pages, before = [], ""
            while True:
                path = f"/conversations/{conversation}?limit=50" + (f"&before={before}" if before else "")
                page = self.client.rest("GET", path).json()
                pages.append([entry | {"conversationId": conversation} for entry in page["messages"]])
                before = page["before"]
                if not before:
                    break
            rows += [entry for page in reversed(pages) for entry in page]
        return rows

    def telegram_texts(self) -> list[str]:
        return [str(m.get("text", "")) for m in self._telegram.messages()] if self._telegram is not None else []

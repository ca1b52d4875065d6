"""The Bridge's side of Telegram: sends answers, fetches files, and updates the status message during a start.

Only this process has the bot token: OpenClaw does not know that there is a bot.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from bridge.telegram.blocked import Blocked
from bridge.telegram.files import Files, Stored
from bridge.telegram.places import Places
from chalicelib.agents.tasks import Status, Task
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Message
from chalicelib.messages.proactive import chat_text
from chalicelib.people.linking import Linking
from chalicelib.platform import log
from chalicelib.telegram.api import BotApi, Rejected, TelegramError
from chalicelib.telegram.moved import now_at
from chalicelib.telegram.rows import Statuses
from chalicelib.telegram.texts import PHASES

# An answer that Telegram delays longer than this does not hold up the user's next message.
FINISH_SECONDS = 5.0
Json = dict[str, Any]


def never() -> bool:
    return False


class Channel(Protocol):
    """How a turn sees the chat that also receives its answer."""

    def finish(self, text: str, seconds: float, files: Sequence[Json] = ()) -> bool: ...
    def abandon(self) -> None: ...


class Channels(Protocol):
    """What the turns need from Telegram. `told`: whether the turn was told to end; then the rest is left out."""

    def prepare(self, message: Message, told: Callable[[], bool] = never) -> Message: ...
    def begin(self, message: Message, run: Any) -> Channel: ...


class Nowhere:
    """The answer goes to the web tabs only."""

    def prepare(self, message: Message, told: Callable[[], bool] = never) -> Message:
        return message

    def begin(self, message: Message, run: Any) -> Channel:
        return self

    def finish(self, text: str, seconds: float, files: Sequence[Json] = ()) -> bool:
        return True

    def abandon(self) -> None:
        return


class Headed:
    """An answer that nobody waits for: sent when it is whole, below its cause. One without text is not sent."""

    def __init__(self, cause: str, begin: Callable[[str], Channel]) -> None:
        self._cause = cause
        self._begin = begin

    def finish(self, text: str, seconds: float, files: Sequence[Json] = ()) -> bool:
        if not text.strip() and not files:
            return True
        whole = chat_text({"cause": self._cause, "content": text})
        return self._begin(whole).finish(whole, seconds, files)

    def abandon(self) -> None:
        return


class Telegram:
    """All of a user's chats. Without a token it does nothing."""

    def __init__(self, user_id: str, token: str, url: str, bucket: str = "") -> None:
        self._user_id = user_id
        self._stored = Stored(user_id, bucket)
        self._api = BotApi(token, url) if token else None
        self._statuses = Statuses()
        self._shown: dict[int, str] = {}
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="telegram-status")
        self._last: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._places = Places(user_id)
        self.recovered = threading.Event()  # what an earlier container left is known: what is new is not among it
        self.on_answered: Callable[[], None] = lambda: None
        self._blocked = Blocked(user_id)
        self.on_blocked: Callable[[], None] = lambda: None

    @property
    def api(self) -> BotApi | None:
        return self._api

    def prepare(self, message: Message, told: Callable[[], bool] = never) -> Message:
        """The message with its files fetched from Telegram."""
        if self._api is None or not any("telegram" in entry for entry in message.attachments):
            return message
        return Files(self._api).fetched(message, told)

    def begin(self, message: Message, run: Any) -> Channel:
        """Start showing the answer to a message in the chat it came from; `run` has the text so far, and a card."""
        place = (message.route or {}).get("telegram")
        if self._api is not None and message.cause is not None:
            return self._by_itself(message)
        if self._api is None or place is None:
            return Nowhere()
        place = now_at(place)
        self._places.remember(message.conversation_id, place)
        return self._answer(message, place, lambda: str(run.text), lambda: str(run.card.line()))

    def _by_itself(self, message: Message) -> Channel:
        """The answer to what a program sent: to the conversation's chat, else to the person's own."""
        place = self._places.of(message.conversation_id) or self._places.of("main")
        if place is None:
            return Nowhere()
        return Headed(message.cause or "", lambda text: self._answer(message, place, lambda: text))

    def place_of(self, conversation_id: str) -> Json | None:
        """The chat that a conversation belongs to; None: it is on the web only."""
        return self._places.of(conversation_id) if self._api is not None else None

    def expect(self, message: Message, place: Json) -> None:
        """A proactive message is about to be saved: from then on it is known that the chat must get it."""
        from chalicelib.telegram.progress import Progress

        about = {"place": place, "conversationId": message.conversation_id, "queuedAt": message.queued_at}
        Progress(self._user_id, message.id, about).expect()

    def announce(self, message: Message, place: Json, text: str, files: Sequence[Json] = ()) -> None:
        """Send what was saved; `recover` finishes what this container does not."""
        self._answer(message, place, lambda: text).finish(text, 0, files)

    def _answer(self, message: Message, place: Json, text: Any, line: Callable[[], str] = lambda: "") -> Channel:
        api = self._api
        assert api is not None
        # Only the first answer imports the formatter, so a start does not wait for it.
        from bridge.telegram.answer import Answer
        from chalicelib.telegram.progress import Progress

        chat = str(place["chat"])
        about = {"place": place, "conversationId": message.conversation_id, "queuedAt": message.queued_at}
        progress = Progress(self._user_id, message.id, about)
        with self._lock:
            answer = Answer(
                api,
                place,
                progress,
                text,
                self._last.get(chat),
                lambda: self._answered(chat, place),
                lambda: self._still_linked(place),
                files_from=self._stored.open,
                refused=lambda: self._chat_refused(place),
                line=line,
            )
            self._last[chat] = answer
        answer.start()
        return answer

    def _still_linked(self, place: Json) -> bool:
        """Unlinking on the web also ends answers to earlier messages."""
        link = Linking("").of_user(self._user_id)
        return link is not None and link.telegram_id == place["userId"]

    def _chat_refused(self, place: Json) -> None:
        """Of a group only that group is lost; the private chat is the person's own."""
        if place["private"] and self._blocked.refused():
            log.event("telegram_blocked", user=self._user_id)
            self.on_blocked()

    def _answered(self, chat: str, place: Json) -> None:
        """The answer has begun, so the status message is no longer needed."""
        if place["private"]:
            self._pool.submit(self._blocked.sent)
        self._pool.submit(self._end_status, chat, int(place["chatId"]))
        self._pool.submit(self.on_answered)

    def _end_status(self, chat: str, chat_id: int) -> None:
        try:
            message_id = self._statuses.take(self._user_id, chat)
            if message_id is not None and self._api is not None:
                self._api.call("deleteMessage", chat_id=chat_id, message_id=message_id)
        except TelegramError as error:
            log.event("telegram_status_failed", reason=type(error).__name__)
        except Exception as error:  # noqa: BLE001  an old status message does no harm
            log.failure("telegram_status_failed", error)

    def show(self, task: Task) -> None:
        """Show a phase of the start in every chat that waits for it."""
        phase = "ready" if task.status is Status.RUNNING else str(task.phase)
        if self._api is not None and task.status in (Status.STARTING, Status.RUNNING) and phase in PHASES:
            self._pool.submit(self._edit_statuses, PHASES[phase])

    def _edit_statuses(self, text: str) -> None:
        assert self._api is not None
        try:
            for place in self._statuses.of_user(self._user_id):
                message_id = int(place["messageId"])
                if self._shown.get(message_id) != text:
                    self._edit(place, message_id, text)
        except Exception as error:  # noqa: BLE001  the start continues without its status message
            log.failure("telegram_status_failed", error)

    def _edit(self, place: Json, message_id: int, text: str) -> None:
        assert self._api is not None
        try:
            self._api.call("editMessageText", chat_id=place["chatId"], message_id=message_id, text=text)
            self._shown[message_id] = text
        except Rejected as error:
            if not error.unchanged:
                log.event("telegram_status_failed", reason="Rejected", status=error.status)
        except TelegramError as error:
            log.event("telegram_status_failed", reason=type(error).__name__)

    def say(self, text: str) -> None:
        """To the user's own chat, if they have paired one."""
        if self._api is not None:
            self._pool.submit(self._say, text)

    def _say(self, text: str) -> None:
        assert self._api is not None
        try:
            link = Linking("").of_user(self._user_id)
            if link is not None:
                self._api.call("sendMessage", chat_id=link.telegram_id, text=text)
        except TelegramError as error:
            log.event("telegram_say_failed", reason=type(error).__name__)
        except Exception as error:  # noqa: BLE001  the web shows it too
            log.failure("telegram_say_failed", error)

    def recover(self) -> None:
        """Send the rest of answers that were saved but not sent completely before the last container ended."""
        if self._api is None:
            self.recovered.set()
            return
        threading.Thread(target=self._recover, name="telegram-recover", daemon=True).start()

    def _recover(self) -> None:
        from chalicelib.telegram.progress import unfinished

        try:
            left = [(self._noted(message_id, noted), noted["place"]) for message_id, noted in unfinished(self._user_id)]
            saved = [(message, place, Conversations().find(message)) for message, place in left]
            self.recovered.set()
            for message, place, found in saved:
                if found is not None:  # otherwise its message still waits in the inbox and will be answered
                    text = chat_text(found)
                    answer = self._answer(message, place, lambda text=text: text)
                    answer.finish(text, FINISH_SECONDS, found.get("files", ()))
        except Exception as error:  # noqa: BLE001  the next start retries
            log.failure("telegram_recover_failed", error)
        finally:
            self.recovered.set()

    def _noted(self, message_id: str, noted: Json) -> Message:
        return Message(self._user_id, message_id, "", noted["conversationId"], noted["queuedAt"])

    def flush(self, seconds: float) -> None:
        """The container stops: wait a moment for answers that are being sent. `recover` sends the rest."""
        with self._lock:
            answers = list(self._last.values())
        for answer in answers:
            answer.ended.wait(seconds / max(len(answers), 1))
        self._pool.shutdown(wait=False)

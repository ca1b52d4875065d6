"""Telegram as the REST routes see it: the pairing panel, and the webhook put together."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.messages.inbox import Message
from chalicelib.people.linking import Linking, is_blocked
from chalicelib.people.rate import Rate
from chalicelib.platform import log
from chalicelib.platform.secrets import Secrets, named
from chalicelib.platform.settings import Settings
from chalicelib.telegram import texts
from chalicelib.telegram.api import DEFAULT_URL, BotApi, TelegramError
from chalicelib.telegram.rows import Statuses
from chalicelib.telegram.webhook import SECRET, TOKEN, USERNAME, Webhook

# A stranger gets this many answers a minute.
STRANGER_LIMIT = 5


@cache
def _secrets(path: str) -> Secrets:
    return Secrets(path, named(TOKEN, SECRET, USERNAME))  # no provider's key comes into a function


@dataclass(frozen=True)
class Links:
    """What the web page's Telegram panel asks for."""

    dispatch: Dispatch
    settings: Settings

    @property
    def secrets(self) -> Secrets:
        return _secrets(self.settings.need("PARAMETER_PATH"))

    @property
    def linking(self) -> Linking:
        return Linking(self.secrets.get(SECRET))

    def code(self, user_id: str) -> dict[str, Any]:
        """A fresh code, and its one-tap form when the bot's name is known."""
        code, bot = self.linking.issue(user_id), self.secrets.get(USERNAME)
        base = self.settings.optional("TELEGRAM_LINK_URL", "https://t.me").rstrip("/")
        link = f"{base}/{bot}?start={code.token}" if bot else None
        return {"code": code.code, "expiresAt": code.expires_at, "deepLink": link}

    @staticmethod
    def status(user_id: str) -> dict[str, Any]:
        link = Linking("").of_user(user_id)
        if link is None:
            return {"linked": False}
        blocked = {"blocked": True} if is_blocked(user_id) else {}
        return {"linked": True, "telegramName": link.name} | blocked

    def unlink(self, user_id: str) -> dict[str, Any]:
        """End the pairing, and tell both sides. From here on nothing goes to that chat."""
        link = Linking("").unlink(user_id)
        if link is not None:
            log.event("unlinked", user=user_id, telegram=link.telegram_id)
            self.dispatch.tell(user_id, {"type": "link", "status": "unlinked"})
            self.say(texts.UNLINKED, link.telegram_id)  # a private chat's id is its person's
        return {"linked": False}

    def say(self, text: str, chat_id: int, thread_id: int | None = None) -> None:
        """What the bot has to say by itself. What it is about has happened, whether it is heard or not."""
        self._call("sendMessage", chat_id=chat_id, text=text, message_thread_id=thread_id)

    def give_up(self, message: Message, text: str) -> None:
        """Tell the chat that a message came from why it is not answered; nothing starts there any more."""
        place = (message.route or {}).get("telegram")
        if place is None:
            return
        self.say(text, place["chatId"], place.get("threadId"))
        try:
            status = Statuses().take(message.user_id, str(place["chat"]))
        except (PynamoDBException, ClientError, BotoCoreError) as error:  # the sender knows; a line too many is no harm
            log.failure("telegram_status_failed", error)
            return
        if status is not None:
            self._call("deleteMessage", chat_id=place["chatId"], message_id=status)

    def _call(self, method: str, **fields: Any) -> None:
        token = self.secrets.get(TOKEN)
        if not token:
            return
        try:
            BotApi(token, self.settings.optional("TELEGRAM_API_URL", DEFAULT_URL)).call(method, **fields)
        except TelegramError as error:
            log.event("telegram_say_failed", method=method, reason=type(error).__name__)

    def webhook(self, intent: Callable[[str], None]) -> Webhook:
        return Webhook(
            self.dispatch,
            self.secrets.get,
            self.linking,
            self.settings.optional("TELEGRAM_API_URL", DEFAULT_URL),
            self.settings.items("TELEGRAM_ALLOWED_IDS"),
            Rate(STRANGER_LIMIT).exceeded,
            intent=intent,
        )

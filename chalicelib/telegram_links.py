"""Telegram as the REST routes see it: the pairing panel, and the webhook put together."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from chalicelib import log
from chalicelib import telegram_texts as texts
from chalicelib.dispatch import Dispatch
from chalicelib.linking import Linking
from chalicelib.rate import Rate
from chalicelib.secrets import Secrets
from chalicelib.settings import Settings
from chalicelib.telegram import SECRET, TOKEN, USERNAME, Webhook
from chalicelib.telegram_api import DEFAULT_URL, BotApi, TelegramError

# A stranger gets this many answers a minute.
STRANGER_LIMIT = 5


@cache
def _secrets(path: str) -> Secrets:
    return Secrets(path)


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
        return {"linked": True, "telegramName": link.name} if link else {"linked": False}

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
        token = self.secrets.get(TOKEN)
        if not token:
            return
        thread = {"message_thread_id": thread_id} if thread_id is not None else {}
        try:
            api = BotApi(token, self.settings.optional("TELEGRAM_API_URL", DEFAULT_URL))
            api.call("sendMessage", chat_id=chat_id, text=text, **thread)
        except TelegramError as error:
            log.event("telegram_say_failed", reason=type(error).__name__)

    def webhook(self) -> Webhook:
        return Webhook(
            self.dispatch,
            self.secrets.get,
            self.linking,
            self.settings.optional("TELEGRAM_API_URL", DEFAULT_URL),
            self.settings.items("TELEGRAM_ALLOWED_IDS"),
            Rate(STRANGER_LIMIT).exceeded,
        )

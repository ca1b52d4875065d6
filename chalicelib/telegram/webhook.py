"""The Telegram webhook: puts messages into the inbox, and answers the bot's own commands.

    message of a paired user:  link -> inbox.put (its id is the update's) -> 200
    anything else to answer:   begin(update) -> act -> done(update) -> 200, the reply in the body

A crash before the 200 is a 5xx or a timeout, so Telegram sends the update again and it is handled
again. Every step is idempotent: the inbox drops an id that it has, a finished update gets an empty
answer, and commands may be repeated.
"""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.agents.tasks import Status
from chalicelib.lifecycle.dispatch import Accepted, Dispatch, status_frame
from chalicelib.messages.conversations import echo_frame
from chalicelib.messages.edits import edit, sent_as
from chalicelib.messages.inbox import Message
from chalicelib.messages.questions import asks_in
from chalicelib.people.linking import Link, Linking
from chalicelib.platform import log
from chalicelib.platform.clock import Clock, now_ms
from chalicelib.telegram import texts
from chalicelib.telegram.api import BotApi, TelegramError
from chalicelib.telegram.buttons import Buttons
from chalicelib.telegram.commands import Commands, conversation_of, reply_to
from chalicelib.telegram.fields import as_dict
from chalicelib.telegram.moved import move_of, remember
from chalicelib.telegram.reactions import note, reaction_of
from chalicelib.telegram.rows import Chats, Statuses, Updates
from chalicelib.telegram.update import Bot, Incoming, parse
from chalicelib.wire.files import MAX_FILE
from chalicelib.wire.protocol import MAX_TEXT, ProtocolError, number_in

TOKEN, SECRET, USERNAME = "telegram-bot-token", "telegram-webhook-secret", "telegram-bot-username"
Json = dict[str, Any]
DEFAULT_START_SECONDS = 40
AGAIN = "again"


@dataclass(frozen=True)
class Webhook:
    """`allowed`: if not empty, only these Telegram ids may pair or talk."""

    dispatch: Dispatch
    secret: Callable[[str], str]
    linking: Linking
    api_url: str
    allowed: tuple[str, ...] = ()
    rate: Callable[[str], bool] = lambda _: False
    clock: Clock = now_ms
    intent: Callable[[str], None] = lambda _: None  # a paired person is here, and seems about to write

    def receive(self, header: str | None, raw: bytes) -> tuple[int, Json]:
        """HTTP status and body for one request. Raises only when Telegram must send the update again."""
        secret = self.secret(SECRET)
        if not secret or not hmac.compare_digest((header or "").encode(), secret.encode()):
            log.event("telegram_refused", configured=bool(secret))
            return 401, {"code": "UNAUTHORIZED", "message": "the webhook secret is missing or wrong"}
        try:
            update = json.loads(raw.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return 400, {"code": "BAD_JSON", "message": "the body is not JSON"}
        if isinstance(update, dict) and "callback_query" in update:
            return 200, self._buttons().receive(as_dict(update["callback_query"]))
        if isinstance(update, dict) and (happened := self._happened(update)):
            return happened
        incoming = parse(update, self._bot())
        if incoming is None or not incoming.addressed:
            return 200, {}
        return self._handle(incoming)

    def _happened(self, update: Json) -> tuple[int, Json] | None:
        """An update that is no message: a reaction, or a group that has another id now."""
        move, reaction = move_of(update), reaction_of(update)
        if move is not None:
            remember(move)
            log.event("telegram_group_moved")
        if reaction is not None and self._allows(reaction.sender):
            link = self.linking.of_telegram(reaction.sender)
            if link is not None:
                note(link.user_id, reaction)
                self.dispatch.forward(self.dispatch.tasks.get(link.user_id), {"type": "reaction"})
        return (200, {}) if move or "message_reaction" in update else None

    def _edited(self, incoming: Incoming, link: Link) -> tuple[int, Json]:
        """The text of a message that still waits. Later it is too late, and the person is told so."""
        known = sent_as(link.user_id, incoming.chat_id, incoming.message_id)
        text = self._text(incoming)
        if known is None or known.text == text or not text.strip():
            return 200, {}
        changed = edit(known, text)
        if changed is None:
            return self._once(incoming, lambda: texts.EDIT_TOO_LATE)
        self.dispatch.tell(link.user_id, echo_frame(changed))
        return 200, {}

    def _buttons(self) -> Buttons:
        return Buttons(self.dispatch, self.linking, self._api, lambda sender: self._allows(sender))

    def _api(self) -> BotApi:
        return BotApi(self.secret(TOKEN), self.api_url)

    def _bot(self) -> Bot:
        return Bot(number_in(self.secret(TOKEN).partition(":")[0]) or 0, self.secret(USERNAME))

    def _handle(self, incoming: Incoming) -> tuple[int, Json]:
        incoming, command = self._meaning(incoming)
        link = self.linking.of_telegram(incoming.sender) if self._listed(incoming) else None
        if incoming.edited:
            return self._edited(incoming, link) if link is not None and command is None else (200, {})
        if link is None or command is not None or incoming.empty:
            return self._once(incoming, lambda: self._speak(incoming, link, command))
        return self._message(incoming, link)

    def _meaning(self, incoming: Incoming) -> tuple[Incoming, tuple[str, str] | None]:
        """The message and its command, if it is one of ours. An edit that begins with /again is an ordinary message."""
        command = incoming.command(self._bot())
        if command is None or (command[0] not in texts.COMMANDS and command[0] not in ("unlink", AGAIN)):
            return incoming, None  # OpenClaw has commands of its own
        if command[0] != AGAIN or not command[1]:
            return incoming, command
        return replace(incoming, text=command[1], edited=False), None

    def _listed(self, incoming: Incoming) -> bool:
        return self._allows(incoming.sender)

    def _allows(self, sender: int) -> bool:
        return not self.allowed or str(sender) in self.allowed

    def _once(self, incoming: Incoming, act: Callable[[], str | None]) -> tuple[int, Json]:
        """Run `act` once per update, for updates that the agent does not answer. The reply is in the HTTP response."""
        updates = Updates(self.clock)
        state = updates.begin(incoming.update_id)
        if state == "running":
            return 503, {"code": "INTERNAL", "message": "this update is being handled"}
        text = act() if state == "new" else None
        if state == "new":
            updates.done(incoming.update_id)
        return 200, reply_to(incoming, text) if text else {}

    def _speak(self, incoming: Incoming, link: Link | None, command: tuple[str, str] | None) -> str | None:
        if link is None and self.rate(f"telegram#{incoming.sender}"):
            return None  # no answer to strangers who write too often
        if not self._listed(incoming):
            return texts.PRIVATE_BOT.format(id=incoming.sender) if incoming.private else None
        commands = Commands(self.dispatch, self.linking, Chats(), self.clock)
        if command is not None:
            if link is not None:
                self.intent(link.user_id)
            return commands.run(command[0], command[1], incoming, link)
        if link is None:
            return texts.PAIR if incoming.private else texts.PAIR_GROUP
        return texts.NOT_READABLE

    def _message(self, incoming: Incoming, link: Link) -> tuple[int, Json]:
        if any(file.size > MAX_FILE for file in incoming.files):
            return self._once(incoming, lambda: texts.TOO_LARGE)
        message = self._queued(incoming, link)
        try:
            done = self.dispatch.accept(message)
        except ProtocolError as error:
            log.event("telegram_limited", user=link.user_id, code=error.code)
            return 200, reply_to(incoming, texts.TOO_MANY)
        if done.duplicate:
            return 200, {}
        self._tell(message, done, incoming)
        waits = done.task.runs_in(message.conversation_id) and not asks_in(message.user_id, message.conversation_id)
        return 200, reply_to(incoming, texts.WAITS) if waits else {}

    def _queued(self, incoming: Incoming, link: Link) -> Message:
        files = [
            {"mimeType": f.mime_type, "fileName": f.name, "telegram": f.id} | ({"voice": True} if f.voice else {})
            for f in incoming.files
        ]
        return Message(
            link.user_id,
            f"tg-{incoming.update_id:012d}",
            self._text(incoming),
            conversation_of(Chats(), incoming, link),
            self.clock(),
            "telegram",
            files,
            {"telegram": place(incoming) | {"chat": incoming.chat, "userId": incoming.sender} | _series(incoming)},
        )

    @staticmethod
    def _text(incoming: Incoming) -> str:
        quote = "".join(f"> {line}\n" for line in incoming.quote.splitlines())
        return (f"{quote}\n{incoming.text}" if quote else incoming.text)[:MAX_TEXT]

    def _tell(self, message: Message, done: Accepted, incoming: Incoming) -> None:
        """Show the message in the web tabs and the start in the chat. The message itself is saved already."""
        try:
            self.dispatch.tell(message.user_id, echo_frame(message))
            if done.task.status is not Status.RUNNING:
                self.dispatch.tell(message.user_id, status_frame(done.task))
                if done.error is not None or done.task.status is not Status.IDLE:  # it may need no agent
                    self._show_start(message, done, incoming)
        except Exception as error:  # noqa: BLE001  a retry by Telegram would be a duplicate and show nothing either
            log.failure("telegram_tell_failed", error, message_id=message.id)

    def _show_start(self, message: Message, done: Accepted, incoming: Incoming) -> None:
        """Send the chat's one status message. The Bridge edits it later."""
        statuses, where = Statuses(self.clock), place(incoming)
        if not statuses.claim(message.user_id, incoming.chat, where | {"chat": incoming.chat}):
            return
        seconds = round(done.task.start_ms / 1000) or DEFAULT_START_SECONDS
        text = done.error.message if done.error is not None else texts.STARTING.format(seconds=seconds)
        api = self._api()
        try:
            sent = api.call("sendMessage", **_target(where), text=text, disable_notification=True)
        except TelegramError as error:
            log.event("telegram_status_failed", reason=type(error).__name__)
            statuses.drop(message.user_id, incoming.chat)
            return
        number = int(sent["message_id"])
        if not statuses.sent(message.user_id, incoming.chat, where | {"chat": incoming.chat}, number):
            api.call("deleteMessage", chat_id=incoming.chat_id, message_id=number)


def _series(incoming: Incoming) -> Json:
    """Marks messages that may belong together. They are answered in one turn (bridge/turns/thought.py)."""
    series = {"album": incoming.album, "forwarded": incoming.forwarded, "cut": incoming.cut}
    return {name: value for name, value in series.items() if value}


def place(incoming: Incoming) -> Json:
    """The chat and the message that an answer belongs to."""
    where: Json = {"chatId": incoming.chat_id, "messageId": incoming.message_id, "private": incoming.private}
    return where | ({"threadId": incoming.thread_id} if incoming.thread_id is not None else {})


def _target(where: Json) -> Json:
    return {"chat_id": where["chatId"], "message_thread_id": where.get("threadId")}

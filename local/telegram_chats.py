"""The Bot API's rules on this machine: which calls it accepts, and what a chat shows afterwards."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.telegram_media import ApiError, group_of, taken

Json = dict[str, Any]

LIMIT = 4096  # characters of a message after entity parsing; counted in UTF-16 units, the strictest reading
NESTING = "bold italic underline strikethrough spoiler blockquote expandable_blockquote text_link text_mention"
PLAIN = "code pre mention hashtag url email custom_emoji bot_command"
ENTITIES = frozenset(f"{NESTING} {PLAIN}".split(" "))
ACTIONS = frozenset({"typing", "upload_photo", "record_voice", "upload_voice", "upload_document", "find_location"})


@dataclass
class Fault:
    """What happens to the next `count` calls of a method: a status, or the answer lost (after the call took effect)."""

    method: str
    count: int = 1
    status: int = 429
    retry_after: int = 1
    description: str = "Too Many Requests: retry later"
    lose_answer: bool = False
    holding: str = ""  # only calls with this in their text

    def matches(self, method: str, fields: Json) -> bool:
        return self.method == method and self.count > 0 and self.holding in str(fields.get("text", ""))


@dataclass
class Said:
    """One message of a chat with all its earlier texts (`versions`, with the time of each)."""

    message: Json
    mine: bool
    versions: list[tuple[float, str]] = field(default_factory=list)
    deleted: bool = False


class Chats:
    """One bot's view. Methods are named as the Bot API's; each takes its fields and returns its result."""

    def __init__(self, token: str, username: str) -> None:
        self.token = token
        self.bot = {"id": int(token.partition(":")[0]), "is_bot": True, "first_name": "Demo", "username": username}
        # Ids keep growing after a restart, as Telegram's do: the stack remembers which updates it has handled.
        self._numbers = itertools.count(int(time.time()))
        self.said: dict[tuple[int, int], Said] = {}
        self.calls: list[tuple[float, str, Json]] = []
        self.faults: list[Fault] = []
        self.files: dict[str, bytes] = {}
        self.webhook: Json = {}
        self.commands: list[Json] = []
        self.pressed: dict[str, str | None] = {}  # callback queries and how they were answered; None: not yet
        self.listeners: list[Callable[[], None]] = []

    def number(self) -> int:
        return next(self._numbers)

    def call(self, method: str, fields: Json) -> tuple[Any, bool]:
        """The method's result, and whether its answer is to be lost. Raises ApiError."""
        handler = getattr(self, f"do_{method}", None)
        if handler is None:
            raise ApiError(404, "Not Found: method not found")
        told = {name: value for name, value in fields.items() if not isinstance(value, tuple)}  # without files
        self.calls.append((time.time(), method, told))
        fault = next((f for f in self.faults if f.matches(method, fields)), None)
        if fault is not None:
            fault.count -= 1
            if not fault.lose_answer:
                wait = {"retry_after": fault.retry_after} if fault.status == 429 else {}
                raise ApiError(fault.status, fault.description, **wait)
        result = handler(fields)
        for listener in self.listeners:
            listener()
        return result, fault is not None

    def do_getMe(self, fields: Json) -> Json:
        return self.bot

    def do_sendMessage(self, fields: Json) -> Json:
        entities = checked_text(fields)
        return self._add(fields, {"text": fields["text"], "entities": entities} | checked_buttons(fields))

    def do_sendDocument(self, fields: Json) -> Json:
        return self._add(fields, taken(self, "document", fields))

    def do_sendPhoto(self, fields: Json) -> Json:
        return self._add(fields, taken(self, "photo", fields))

    def do_sendVideo(self, fields: Json) -> Json:
        return self._add(fields, taken(self, "video", fields))

    def do_sendAudio(self, fields: Json) -> Json:
        return self._add(fields, taken(self, "audio", fields))

    def do_sendVoice(self, fields: Json) -> Json:
        return self._add(fields, taken(self, "voice", fields))

    def do_sendAnimation(self, fields: Json) -> Json:
        return self._add(fields, taken(self, "animation", fields))

    def do_sendMediaGroup(self, fields: Json) -> list[Json]:
        album = str(self.number())
        return [self._add(fields, content | {"media_group_id": album}) for content in group_of(self, fields)]

    def _add(self, fields: Json, content: Json) -> Json:
        chat_id = _whole(fields, "chat_id")
        if not any(chat == chat_id for chat, _ in self.said):
            raise ApiError(400, "Bad Request: chat not found")
        message_id = self.number()
        message: Json = {"message_id": message_id, "date": int(time.time()), "from": self.bot, **content}
        message["chat"] = {"id": chat_id, "type": "private" if chat_id > 0 else "supergroup"}
        if fields.get("message_thread_id") is not None:
            message["message_thread_id"] = fields["message_thread_id"]
        if fields.get("reply_parameters"):
            message["reply_to_message_id"] = fields["reply_parameters"]["message_id"]
        self.said[(chat_id, message_id)] = Said(message, True, [(time.time(), str(content.get("text", "")))])
        return message

    def do_editMessageText(self, fields: Json) -> Json:
        said = self._mine(fields, "edit")
        entities, buttons = checked_text(fields), checked_buttons(fields)
        before = {name: said.message.get(name) for name in ("text", "entities", "reply_markup")}
        if before == {"text": fields["text"], "entities": entities, "reply_markup": buttons.get("reply_markup")}:
            raise ApiError(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message",
            )
        said.message.pop("reply_markup", None)  # an edit without buttons takes them away
        said.message |= {"text": fields["text"], "entities": entities, "edit_date": int(time.time())} | buttons
        said.versions.append((time.time(), fields["text"]))
        return said.message

    def do_answerCallbackQuery(self, fields: Json) -> bool:
        """Takes the waiting mark off a button. The real one forgets a press after about 15 s."""
        query = str(fields.get("callback_query_id"))
        if query not in self.pressed:
            raise ApiError(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        if len(str(fields.get("text", ""))) > 200:
            raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
        self.pressed[query] = str(fields.get("text", ""))
        return True

    def person_presses(self, chat_id: int, message_id: int, data: str, sender: Json) -> Json:
        """A person presses a button: the callback query. Raises ApiError for one that is not there."""
        said = self.said.get((chat_id, message_id))
        rows = (said.message.get("reply_markup") or {}).get("inline_keyboard", []) if said else []
        if said is None or data not in [button["callback_data"] for row in rows for button in row]:
            raise ApiError(400, "Bad Request: there is no such button")
        query = str(self.number())
        self.pressed[query] = None
        message = {name: value for name, value in said.message.items() if name != "entities"}
        return {"id": query, "from": sender, "message": message, "chat_instance": "1", "data": data}

    def do_deleteMessage(self, fields: Json) -> bool:
        self._mine(fields, "delete").deleted = True
        return True

    def _mine(self, fields: Json, verb: str) -> Said:
        said = self.said.get((_whole(fields, "chat_id"), _whole(fields, "message_id")))
        if said is None or said.deleted:
            raise ApiError(400, f"Bad Request: message to {verb} not found")
        if not said.mine:
            raise ApiError(400, f"Bad Request: message can't be {verb}ed")
        return said

    def do_sendChatAction(self, fields: Json) -> bool:
        if fields.get("action") not in ACTIONS:
            raise ApiError(400, "Bad Request: wrong parameter action in request")
        _whole(fields, "chat_id")
        return True

    def do_setWebhook(self, fields: Json) -> bool:
        if not 1 <= len(str(fields.get("secret_token", "x"))) <= 256:
            raise ApiError(400, "Bad Request: secret token must have 1-256 characters")
        if not 1 <= int(fields.get("max_connections", 40)) <= 100:
            raise ApiError(400, "Bad Request: max_connections must be between 1 and 100")
        self.webhook = dict(fields) if fields.get("url") else {}
        return True

    def do_deleteWebhook(self, fields: Json) -> bool:
        self.webhook = {}
        return True

    def do_getWebhookInfo(self, fields: Json) -> Json:
        hidden = {name: value for name, value in self.webhook.items() if name != "secret_token"}
        return {"url": "", "has_custom_certificate": False, "pending_update_count": 0} | hidden

    def do_setMyCommands(self, fields: Json) -> bool:
        for command in fields.get("commands", []):
            name, text = str(command.get("command", "")), str(command.get("description", ""))
            if not 1 <= len(name) <= 32 or name != name.lower() or not 1 <= len(text) <= 256:
                raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
        self.commands = fields.get("commands", [])
        return True

    def do_getMyCommands(self, fields: Json) -> list[Json]:
        return self.commands

    def do_getFile(self, fields: Json) -> Json:
        file_id = str(fields.get("file_id"))
        if file_id not in self.files:
            raise ApiError(400, "Bad Request: invalid file_id")
        if len(self.files[file_id]) > 20_000_000:
            raise ApiError(400, "Bad Request: file is too big")
        return {"file_id": file_id, "file_size": len(self.files[file_id]), "file_path": f"files/{file_id}"}

    def person_says(self, message: Json) -> Json:
        """Add a person's message to the chat."""
        message = {"message_id": self.number(), "date": int(time.time()), **message}
        self.said[(message["chat"]["id"], message["message_id"])] = Said(message, False)
        return message

    def shown(self, chat_id: int) -> list[Json]:
        """What a person sees in a chat, oldest first, with every earlier version of a message."""
        return [
            said.message
            | {"mine": said.mine, "deleted": said.deleted, "versions": [text for _, text in said.versions]}
            | {"times": [at for at, _ in said.versions]}
            for (chat, _), said in self.said.items()
            if chat == chat_id
        ]


def checked_text(fields: Json) -> list[Json]:
    """The entities of a text that may be sent. Raises ApiError as the real API refuses."""
    text, entities = fields.get("text"), fields.get("entities") or []
    if not isinstance(text, str) or not text.strip():
        raise ApiError(400, "Bad Request: message text is empty")
    units = text.encode("utf-16-le")
    if len(units) // 2 > LIMIT:
        raise ApiError(400, "Bad Request: message is too long")
    for entity in entities:
        if entity.get("type") not in ENTITIES:
            raise ApiError(400, f"Bad Request: can't parse entities: unsupported type {entity.get('type')}")
        first, length = _whole(entity, "offset"), _whole(entity, "length")
        if first < 0 or length < 1 or 2 * (first + length) > len(units):
            raise ApiError(400, "Bad Request: can't parse entities: entity is out of the text")
        for edge in (first, first + length):
            if 0xDC00 <= int.from_bytes(units[2 * edge : 2 * edge + 2], "little") <= 0xDFFF:
                raise ApiError(400, "Bad Request: can't parse entities: entity ends in the middle of a character")
    _check_nesting(entities)
    return list(entities)


def checked_buttons(fields: Json) -> Json:
    """The inline keyboard of a message, if it has one. Raises ApiError as the real API refuses."""
    markup = fields.get("reply_markup")
    if markup is None:
        return {}
    rows = markup.get("inline_keyboard") if isinstance(markup, dict) else None
    if not isinstance(rows, list) or not rows:
        raise ApiError(400, "Bad Request: object expected as reply markup")
    for button in [button for row in rows for button in row]:
        if not str(button.get("text", "")).strip():
            raise ApiError(400, "Bad Request: Text buttons are unallowed in the inline keyboard")
        if not 1 <= len(str(button.get("callback_data", "")).encode()) <= 64:
            raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
    return {"reply_markup": markup}


def _check_nesting(entities: list[Json]) -> None:
    """Entities are nested or apart; nothing is inside code."""
    spans = [(e["offset"], e["offset"] + e["length"], e["type"]) for e in entities]
    for (a, b, outer), (c, d, inner) in itertools.permutations(spans, 2):
        if a < c < b < d:
            raise ApiError(400, "Bad Request: can't parse entities: entities overlap")
        if outer in ("pre", "code") and inner in ("pre", "code") and a <= c and d <= b and (a, b) != (c, d):
            raise ApiError(400, "Bad Request: can't parse entities: code can't contain other entities")


def _whole(fields: Json, name: str) -> int:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ApiError(400, f"Bad Request: {name} must be a number")
    return value

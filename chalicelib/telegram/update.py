"""What Telegram sends us, reduced to what we use. Anything else, however broken, is None."""

import re
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

QUOTE_LENGTH = 1000
MAX_FILE = 20_000_000  # what the Bot API lets a bot fetch
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Bot:
    """Ourselves, as mentions and replies name us."""

    id: int
    username: str


@dataclass(frozen=True)
class File:
    """A file that waits at Telegram."""

    id: str
    mime_type: str
    name: str
    size: int


@dataclass(frozen=True)
class Incoming:
    """A person's message. `addressed`: in a group, whether it is for us."""

    update_id: int
    chat_id: int
    message_id: int
    sender: int
    name: str
    private: bool
    thread_id: int | None = None
    text: str = ""
    quote: str = ""
    files: list[File] = field(default_factory=list)
    edited: bool = False
    addressed: bool = True
    empty: bool = False  # of a kind we cannot read (a sticker, a place …)

    def command(self, bot: Bot) -> tuple[str, str] | None:
        """The command and what follows it; None for plain text and for another bot's command."""
        match = _COMMAND.fullmatch(self.text)
        if match is None or (match[2] and match[2].lower() != bot.username.lower()):
            return None
        return match[1].lower(), (match[3] or "").strip()

    @property
    def chat(self) -> str:
        """The place of a conversation: a chat, or one topic of it."""
        kind = "p" if self.private else "g"
        topic = f"-{self.thread_id}" if self.thread_id is not None else ""
        return f"{kind}{abs(self.chat_id)}{topic}"


def parse(update: object, bot: Bot) -> Incoming | None:
    """A message or an edited message of a person; None for everything else."""
    body = _dict(update)
    update_id = _int(body.get("update_id"))
    edited = "edited_message" in body
    message = _dict(body.get("edited_message") or body.get("message"))
    chat, sender = _dict(message.get("chat")), _dict(message.get("from"))
    chat_id, message_id, sender_id = _int(chat.get("id")), _int(message.get("message_id")), _int(sender.get("id"))
    kind = chat.get("type")
    if update_id is None or chat_id is None or message_id is None or sender_id is None or sender.get("is_bot"):
        return None
    if kind not in ("private", "group", "supergroup") or update_id < 0:
        return None
    text, files = _str(message.get("text")) or _str(message.get("caption")), _files(message)
    if not text and not files and _is_service(message):
        return None
    private, quoted = kind == "private", _quoted(message)
    return Incoming(
        update_id,
        chat_id,
        message_id,
        sender_id,
        _name(sender),
        private,
        _int(message.get("message_thread_id")) if message.get("is_topic_message") is True else None,
        text if private else _without_mention(text, bot),
        _quote(message, quoted),
        files,
        edited,
        private or _addressed(message, text, quoted, bot),
        not text and not files,
    )


def _files(message: Json) -> list[File]:
    """Photo, voice or document; of a photo the largest size that can be fetched."""
    sizes = [_dict(size) for size in message.get("photo") or [] if _fetchable(_dict(size))] if _photo(message) else []
    if sizes:
        best = max(sizes, key=lambda size: (_int(size.get("width")) or 0) * (_int(size.get("height")) or 0))
        return [File(str(best["file_id"]), "image/jpeg", "photo.jpg", _int(best.get("file_size")) or 0)]
    kinds = {
        "voice": ("audio/ogg", "voice.ogg"),
        "audio": ("audio/mpeg", "audio.mp3"),
        "document": ("application/octet-stream", "document"),
    }
    for kind, (mime, name) in kinds.items():
        found = _dict(message.get(kind))
        if _str(found.get("file_id")):
            shown = _str(found.get("mime_type")) or mime, _str(found.get("file_name"))[:200] or name
            return [File(found["file_id"], *shown, _int(found.get("file_size")) or 0)]
    return []


def _photo(message: Json) -> bool:
    return isinstance(message.get("photo"), list)


def _fetchable(size: Json) -> bool:
    return bool(_str(size.get("file_id"))) and (_int(size.get("file_size")) or 0) <= MAX_FILE


def _is_service(message: Json) -> bool:
    """Joined, left, pinned, a topic was made …: nobody says anything to us."""
    content = ("sticker", "location", "contact", "video", "video_note", "animation", "poll", "dice", "venue", "story")
    return not any(name in message for name in content)


def _quoted(message: Json) -> Json:
    """The message replied to. In a topic every message "replies" to the topic's creation: not meant."""
    quoted = _dict(message.get("reply_to_message"))
    return {} if "forum_topic_created" in quoted else quoted


def _quote(message: Json, quoted: Json) -> str:
    part = _str(_dict(message.get("quote")).get("text"))
    return (part or _str(quoted.get("text")) or _str(quoted.get("caption")))[:QUOTE_LENGTH]


def _addressed(message: Json, text: str, quoted: Json, bot: Bot) -> bool:
    """In a group: a mention of us, a command for us, or a reply to us."""
    if _int(_dict(quoted.get("from")).get("id")) == bot.id:
        return True
    entities = message.get("entities") if "text" in message else message.get("caption_entities")
    for entry in entities if isinstance(entities, list) else []:
        entity = _dict(entry)
        if entity.get("type") == "text_mention" and _int(_dict(entity.get("user")).get("id")) == bot.id:
            return True
        if entity.get("type") in ("mention", "bot_command") and _names(_part(text, entity), bot):
            return True
    return False


def _names(part: str, bot: Bot) -> bool:
    return bool(bot.username) and part.lower().endswith(f"@{bot.username.lower()}")


def _part(text: str, entity: Json) -> str:
    """The entity's text; offsets count UTF-16 units."""
    offset, length = _int(entity.get("offset")), _int(entity.get("length"))
    if offset is None or length is None or offset < 0 or length < 0:
        return ""
    raw = text.encode("utf-16-le", "surrogatepass")[2 * offset : 2 * (offset + length)]
    return raw.decode("utf-16-le", "replace")


def _without_mention(text: str, bot: Bot) -> str:
    """The text as it is meant for us: without our name around it."""
    if not bot.username or text.startswith("/"):
        return text
    return re.sub(rf"^@{re.escape(bot.username)}\b[,:]?\s*|\s*@{re.escape(bot.username)}$", "", text, flags=re.I)


def _name(sender: Json) -> str:
    if _str(sender.get("username")):
        return f"@{sender['username']}"[:64]
    return " ".join(_str(sender.get(part)) for part in ("first_name", "last_name")).strip()[:64] or "Telegram"


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _str(value: object) -> str:
    """Text that can be stored: without NUL, and without halves of characters."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _int(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return value
    return None

"""Parses Telegram's updates into the fields that we use. Any other update, also a broken one, is None."""

import re
from dataclasses import dataclass, field
from typing import Any

from chalicelib.telegram.fields import as_dict, as_int, as_text
from chalicelib.telegram.words import forwarded, in_words, origin
from chalicelib.wire.files import MAX_FILE, file_name, mime_type

Json = dict[str, Any]

QUOTE_LENGTH = 1000
# Telegram splits long text at 4,096 UTF-16 units, or a little earlier at a space.
CUT_LENGTH = 4_000
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Bot:
    """The bot itself, as mentions and replies name it."""

    id: int
    username: str


@dataclass(frozen=True)
class File:
    """A file that can be downloaded from Telegram."""

    id: str
    mime_type: str
    name: str
    size: int
    voice: bool = False  # the person says it


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
    empty: bool = False  # a kind of message that cannot be put into words
    album: str = ""  # the pictures of one album share it
    forwarded: bool = False
    cut: bool = False  # the text has the maximum length, so the next message may hold the rest

    def command(self, bot: Bot) -> tuple[str, str] | None:
        """The command and what follows it; None for plain text and for another bot's command."""
        match = _COMMAND.fullmatch(self.text)
        if match is None or (match[2] and match[2].lower() != bot.username.lower()):
            return None
        return match[1].lower(), (match[3] or "").strip()

    @property
    def chat(self) -> str:
        """Identifies a chat, or one topic of it; each has its own conversation."""
        kind = "p" if self.private else "g"
        topic = f"-{self.thread_id}" if self.thread_id is not None else ""
        return f"{kind}{abs(self.chat_id)}{topic}"


def parse(update: object, bot: Bot) -> Incoming | None:
    """A message or an edited message of a person; None for everything else."""
    body = as_dict(update)
    update_id = as_int(body.get("update_id"))
    edited = "edited_message" in body
    message = as_dict(body.get("edited_message") or body.get("message"))
    chat, sender = as_dict(message.get("chat")), as_dict(message.get("from"))
    chat_id, message_id, sender_id = as_int(chat.get("id")), as_int(message.get("message_id")), as_int(sender.get("id"))
    kind = chat.get("type")
    if update_id is None or chat_id is None or message_id is None or sender_id is None or sender.get("is_bot"):
        return None
    if kind not in ("private", "group", "supergroup") or update_id < 0:
        return None
    written, files = as_text(message.get("text")) or as_text(message.get("caption")), _files(message)
    source, private, quoted = origin(message), kind == "private", _quoted(message)
    text = _said(message, written if private or source else _without_mention(written, bot), files, source)
    if not text and not files and _is_service(message):
        return None
    return Incoming(
        update_id,
        chat_id,
        message_id,
        sender_id,
        _name(sender),
        private,
        as_int(message.get("message_thread_id")) if message.get("is_topic_message") is True else None,
        text,
        _quote(message, quoted),
        files,
        edited,
        private or _addressed(message, written, quoted, bot),
        not text and not files,
        as_text(message.get("media_group_id")),
        bool(source),
        len(written) >= CUT_LENGTH,
    )


def _said(message: Json, written: str, files: list[File], source: str) -> str:
    """The person's words, or words for a message without text; a forwarded message also names its author."""
    text = "\n".join(part for part in ("" if files else in_words(message), written) if part)
    return forwarded(text, source) if source else text


def _files(message: Json) -> list[File]:
    """The photo, voice message, audio, video or document. For a photo, the largest size that a bot may download."""
    photo = message.get("photo")
    sizes = [as_dict(size) for size in photo if _fetchable(as_dict(size))] if isinstance(photo, list) else []
    if sizes:
        best = max(sizes, key=lambda size: (as_int(size.get("width")) or 0) * (as_int(size.get("height")) or 0))
        return [File(str(best["file_id"]), "image/jpeg", "photo.jpg", as_int(best.get("file_size")) or 0)]
    kinds = {
        "voice": ("audio/ogg", "voice.ogg"),
        "audio": ("audio/mpeg", "audio.mp3"),
        "video": ("video/mp4", "video.mp4"),
        "document": ("application/octet-stream", "document"),
    }
    for kind, (mime, name) in kinds.items():
        found = as_dict(message.get(kind))
        if as_text(found.get("file_id")):
            sort = mime_type(as_text(found.get("mime_type")) or mime)
            shown = file_name(as_text(found.get("file_name")), name)
            said = kind == "voice" and not origin(message)
            return [File(found["file_id"], sort, shown, as_int(found.get("file_size")) or 0, said)]
    return []


def _fetchable(size: Json) -> bool:
    return bool(as_text(size.get("file_id"))) and (as_int(size.get("file_size")) or 0) <= MAX_FILE


def _is_service(message: Json) -> bool:
    """Whether it only reports that somebody joined, left, pinned something … : there is nothing to answer."""
    content = ("game", "invoice", "checklist", "giveaway", "paid_media")  # no words for these (words.py)
    return not any(name in message for name in content)


def _quoted(message: Json) -> Json:
    """The message replied to. In a topic every message "replies" to the topic's creation; that is ignored."""
    quoted = as_dict(message.get("reply_to_message"))
    return {} if "forum_topic_created" in quoted else quoted


def _quote(message: Json, quoted: Json) -> str:
    part = as_text(as_dict(message.get("quote")).get("text"))
    return (part or as_text(quoted.get("text")) or as_text(quoted.get("caption")))[:QUOTE_LENGTH]


def _addressed(message: Json, text: str, quoted: Json, bot: Bot) -> bool:
    """In a group: whether it mentions the bot, is a command for it, or replies to it."""
    if as_int(as_dict(quoted.get("from")).get("id")) == bot.id:
        return True
    entities = message.get("entities") if "text" in message else message.get("caption_entities")
    for entry in entities if isinstance(entities, list) else []:
        entity = as_dict(entry)
        if entity.get("type") == "text_mention" and as_int(as_dict(entity.get("user")).get("id")) == bot.id:
            return True
        if entity.get("type") in ("mention", "bot_command") and _names(_part(text, entity), bot):
            return True
    return False


def _names(part: str, bot: Bot) -> bool:
    return bool(bot.username) and part.lower().endswith(f"@{bot.username.lower()}")


def _part(text: str, entity: Json) -> str:
    """The entity's text; offsets count UTF-16 units."""
    offset, length = as_int(entity.get("offset")), as_int(entity.get("length"))
    if offset is None or length is None or offset < 0 or length < 0:
        return ""
    raw = text.encode("utf-16-le", "surrogatepass")[2 * offset : 2 * (offset + length)]
    return raw.decode("utf-16-le", "replace")


def _without_mention(text: str, bot: Bot) -> str:
    """The text without the bot's name before or after it."""
    if not bot.username or text.startswith("/"):
        return text
    return re.sub(rf"^@{re.escape(bot.username)}\b[,:]?\s*|\s*@{re.escape(bot.username)}$", "", text, flags=re.I)


def _name(sender: Json) -> str:
    if as_text(sender.get("username")):
        return f"@{sender['username']}"[:64]
    return " ".join(as_text(sender.get(part)) for part in ("first_name", "last_name")).strip()[:64] or "Telegram"

"""The wire protocol (docs/protocol.md): limits, parsing and frames."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.wire.files import file_name, mime_type

Frame = dict[str, Any]

MAX_TEXT = 32_000  # characters; about 8,000 tokens, under every provider's context
MAX_ATTACHMENTS = 4
MAX_ATTACHMENT_BYTES = 3_500_000  # the sum of one message, decoded; a REST body may have 6 MB
MAX_PAGE = 50
MAX_ANSWER = 2_000  # characters of one answer to a question of the agent
MAX_PARTS, MAX_CHOICES = 3, 5  # OpenClaw asks at most 3 questions at once, with 4 options and a free text
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
DEFAULT_CONVERSATION = "main"

_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
_QUESTION_ID = re.compile(r"q[0-9a-f]{20}")
_CONVERSATION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ProtocolError(Exception):
    """Invalid input; the client gets an `error` frame or an HTTP 4xx."""

    def __init__(self, code: str, message: str, message_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.message_id = message_id

    def frame(self) -> Frame:
        return error_frame(self.code, self.message, self.message_id)


@dataclass(frozen=True)
class SendMessage:
    """A user's message as accepted from any channel."""

    id: str
    text: str
    conversation_id: str = DEFAULT_CONVERSATION
    attachments: list[dict[str, Any]] = field(default_factory=list)


def error_frame(code: str, message: str, message_id: str | None = None) -> Frame:
    frame: Frame = {"type": "error", "code": code, "message": message}
    if message_id is not None:
        frame["id"] = message_id
    return frame


def encode(frame: Frame) -> bytes:
    """A frame as JSON text."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def run_unknown(run_id: str | None, conversation: str | None) -> Frame:
    """The response to a resume or stop when no such run exists."""
    frame = error_frame("RUN_UNKNOWN", "no answer is being written; the conversation holds what was said")
    named = {"runId": run_id, "conversationId": conversation}
    return frame | {name: value for name, value in named.items() if value is not None}


def answer_id(message_id: str) -> str:
    """The id of a message's answer; it is deterministic, so an answer is saved only once."""
    return f"{message_id}.answer"


def parse_body(body: str | None) -> dict[str, Any]:
    """A JSON object from a frame or a request body. Raises ProtocolError BAD_JSON."""
    try:
        value = json.loads(body or "")
    except (ValueError, RecursionError):  # RecursionError: deeply nested JSON
        raise ProtocolError("BAD_JSON", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise ProtocolError("BAD_JSON", "the body is not a JSON object")
    return value


def text_field(body: Mapping[str, Any], name: str, pattern: re.Pattern[str], default: str | None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ProtocolError("BAD_FIELD", f"{name} must be a string like {pattern.pattern}")
    return value


def conversation_id(body: Mapping[str, Any]) -> str:
    return text_field(body, "conversationId", _CONVERSATION_ID, DEFAULT_CONVERSATION)


def upload_id(body: Mapping[str, Any]) -> str:
    return text_field(body, "id", _UPLOAD_ID, None)


def message_id(body: Mapping[str, Any]) -> str:
    return text_field(body, "id", _MESSAGE_ID, None)


def whole_number(body: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ProtocolError("BAD_FIELD", f"{name} must be a whole number from {low} to {high}")
    return value


def number_in(text: str) -> int | None:
    """A whole number of at most 15 ASCII digits, else None; isdigit() and int() accept more forms."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None


def storable(text: str) -> str:
    """The text without lone surrogates: JSON may contain them, but DynamoDB rejects them."""
    return text.encode(errors="replace").decode()


def parse_message(body: Mapping[str, Any]) -> SendMessage:
    """The fields of sendMessage and POST /messages. Raises ProtocolError with the message's id."""
    sent_id = message_id(body)
    try:
        text = body.get("text", "")
        if not isinstance(text, str) or "\0" in text:
            raise ProtocolError("BAD_FIELD", "text must be a string without NUL characters")
        attachments = _attachments(body.get("attachments"))
        text = storable(text).strip()
        if not text and not attachments:
            raise ProtocolError("EMPTY_MESSAGE", "there is nothing to send")
        if len(text) > MAX_TEXT:
            raise ProtocolError("TEXT_TOO_LONG", f"a message has at most {MAX_TEXT} characters, this one {len(text)}")
        return SendMessage(sent_id, text, conversation_id(body), attachments)
    except ProtocolError as error:
        error.message_id = sent_id
        raise


def question_id(body: Mapping[str, Any]) -> str:
    return text_field(body, "questionId", _QUESTION_ID, None)


def parse_answers(body: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """`answers` of a question, by the id of its part; None for `cancel: true`. Raises ProtocolError."""
    if body.get("cancel") is True:
        return None
    value = body.get("answers")
    if not isinstance(value, dict) or not 1 <= len(value) <= MAX_PARTS:
        raise ProtocolError("BAD_FIELD", f"answers must be an object with 1 to {MAX_PARTS} lists, or cancel true")
    return {storable(name)[:100]: _choices(name, values) for name, values in value.items()}


def _choices(name: str, values: object) -> list[str]:
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_CHOICES:
        raise ProtocolError("BAD_FIELD", f"answers: {name[:40]} must be a list of 1 to {MAX_CHOICES} texts")
    if any(not isinstance(one, str) or "\0" in one or not one.strip() for one in values):
        raise ProtocolError("BAD_FIELD", f"answers: {name[:40]} must hold texts that are not empty")
    if any(len(one) > MAX_ANSWER for one in values):
        raise ProtocolError("TEXT_TOO_LONG", f"an answer has at most {MAX_ANSWER} characters")
    return [storable(one).strip() for one in values]


def _attachments(value: object) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAX_ATTACHMENTS:
        raise ProtocolError("BAD_FIELD", f"attachments must be a list of at most {MAX_ATTACHMENTS}")
    result = [_attachment(entry) for entry in value]
    if sum(len(entry.get("content", "")) for entry in result) * 3 // 4 > MAX_ATTACHMENT_BYTES:
        raise ProtocolError("ATTACHMENT_TOO_LARGE", f"attachments may have {MAX_ATTACHMENT_BYTES} bytes together")
    return result


def _attachment(entry: object) -> dict[str, Any]:
    if isinstance(entry, dict) and "uploadId" in entry:  # POST /attachments
        upload = text_field(entry, "uploadId", _UPLOAD_ID, None)
        kind = mime_type(entry.get("mimeType"))
        voice = {"voice": True} if entry.get("voice") is True else {}
        return {"mimeType": kind, "fileName": file_name(entry.get("fileName")), "uploadId": upload, **voice}
    if not isinstance(entry, dict) or entry.get("mimeType") not in IMAGE_TYPES:
        raise ProtocolError("BAD_FIELD", "an attachment must be a PNG, JPEG, GIF or WebP image, or have an uploadId")
    name, content = file_name(entry.get("fileName"), "image"), entry.get("content")
    if not isinstance(content, str) or not content:
        raise ProtocolError("BAD_FIELD", "an attachment needs its content in base64")
    try:
        base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise ProtocolError("BAD_FIELD", "the attachment's content is not base64") from None
    return {"mimeType": entry["mimeType"], "fileName": name, "content": content}

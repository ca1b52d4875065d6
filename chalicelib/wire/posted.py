"""What a program posts to a hook, as text. Everything here comes from strangers."""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl

from chalicelib.wire.protocol import ProtocolError

MAX_BYTES = 64 * 1024
MAX_FORM_FIELDS = 1_000
MAX_KEY = 200
# A sender that repeats a post names it with one of these.
REPEATS = ("idempotency-key", "x-github-delivery")
# What happened, where the body does not say it.
EVENT = "x-github-event"
FORM = "application/x-www-form-urlencoded"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_VISIBLE = re.compile(r"[\x20-\x7e]+")


def posted_text(headers: Mapping[str, str], body: bytes) -> str:
    """The body as text. Raises ProtocolError: UNSUPPORTED_TYPE, TOO_LARGE, BAD_ENCODING, BAD_JSON, EMPTY_MESSAGE."""
    kind = _kind(headers.get("content-type") or "text/plain")
    if len(body) > MAX_BYTES:
        raise ProtocolError("TOO_LARGE", f"a post has at most {MAX_BYTES} bytes, this one {len(body)}")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ProtocolError("BAD_ENCODING", "the body is not UTF-8 text") from None
    if kind == "application/json" or kind.endswith("+json"):
        _check_json(text)
    if kind == FORM:
        text = _form(text)
    text = _CONTROL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not text:
        raise ProtocolError("EMPTY_MESSAGE", "the body is empty")
    event = headers.get(EVENT, "")[:MAX_KEY]
    return f"X-GitHub-Event: {event}\n\n{text}" if _VISIBLE.fullmatch(event) else text


def post_id(hook_id: str, headers: Mapping[str, str]) -> str:
    """The message's id: the same for a post that is sent again under the same key. Raises ProtocolError BAD_FIELD."""
    key = next((headers[name] for name in REPEATS if headers.get(name)), None)
    if key is None:
        return f"hook-{secrets.token_hex(16)}"
    if len(key) > MAX_KEY or not _VISIBLE.fullmatch(key):
        raise ProtocolError("BAD_FIELD", f"an Idempotency-Key has at most {MAX_KEY} visible characters")
    return f"hook-{hashlib.sha256(f'{hook_id}/{key}'.encode()).hexdigest()[:32]}"


def _kind(content_type: str) -> str:
    kind, *parameters = (part.strip() for part in content_type.lower().split(";"))
    if not kind.startswith(("text/", "application/")):
        raise ProtocolError("UNSUPPORTED_TYPE", "post text, JSON or a form (text/*, application/*)")
    for name, _, value in (parameter.partition("=") for parameter in parameters):
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise ProtocolError("UNSUPPORTED_TYPE", "the only charset is UTF-8")
    return kind


def _check_json(text: str) -> None:
    try:
        json.loads(text or "null")
    except (ValueError, RecursionError):  # RecursionError: deeply nested JSON
        raise ProtocolError("BAD_JSON", "the body is not JSON") from None


def _form(text: str) -> str:
    """A form's fields as lines; its one field alone. A body without fields was not meant as a form (curl -d)."""
    if "=" not in text:
        return text
    try:
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        raise ProtocolError("BAD_FIELD", f"a form has at most {MAX_FORM_FIELDS} fields") from None
    if len(fields) == 1 and fields[0][0] == "payload":  # GitHub's default
        return fields[0][1]
    return "\n".join(f"{name}: {value}" for name, value in fields)

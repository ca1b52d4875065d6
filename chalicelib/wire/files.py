"""Names and types of files that a person sends."""

import re
import unicodedata

MAX_FILE = 20_000_000  # bytes; also what Telegram lets a bot fetch
MAX_NAME = 255
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")
BINARY = "application/octet-stream"
# They turn the direction of a name, so that it seems to end otherwise than it does.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def file_name(value: object, default: str = "file") -> str:
    """A name that shows as it is: one line, no control characters, no marks of direction, its ending kept."""
    text = _BIDI.sub("", value.encode(errors="replace").decode()) if isinstance(value, str) else ""
    text = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text).strip()
    if len(text) > MAX_NAME:
        stem, dot, ending = text.rpartition(".")
        kept = f"{dot}{ending}"[:20] if stem else ""
        text = text[: MAX_NAME - len(kept)] + kept
    return text or default


def mime_type(value: object) -> str:
    """A MIME type without parameters; the general one for what is none."""
    text = value.partition(";")[0].strip().lower() if isinstance(value, str) else ""
    return text if _TYPE.fullmatch(text) else BINARY

"""Folders of conversations. A folder is only a name on its conversations: it exists while one of them has it."""

import unicodedata

from chalicelib.wire.protocol import ProtocolError, storable

MAX_FOLDER = 40
# Also the marks that turn the direction of a name, so that it seems to be another one.
_HIDDEN = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def folder_name(value: object) -> str:
    """The name in its composed form, so that a name typed on two systems is one folder; "" for null: no folder.

    Raises ProtocolError BAD_FIELD.
    """
    if value is None:
        return ""
    name = unicodedata.normalize("NFC", storable(value)).strip() if isinstance(value, str) else ""
    if not 1 <= len(name) <= MAX_FOLDER:
        raise ProtocolError("BAD_FIELD", f"folder must have 1 to {MAX_FOLDER} characters, or be null")
    if any(letter in _HIDDEN or unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in name):
        raise ProtocolError("BAD_FIELD", "folder must not have control characters")
    return name

"""Cuts a text into pieces that fit a frame."""

CHUNK_BYTES = 24_000  # of content; with the envelope and JSON escapes a frame stays under 32 KB


def split(text: str, limit: int = CHUNK_BYTES) -> list[str]:
    """Pieces of at most limit bytes as JSON, never inside a character."""
    pieces: list[str] = []
    start = size = 0
    for index, character in enumerate(text):
        width = _width(character)
        if size + width > limit:
            pieces.append(text[start:index])
            start, size = index, 0
        size += width
    if start < len(text):
        pieces.append(text[start:])
    return pieces


def _width(character: str) -> int:
    """Bytes of a character in a JSON frame: control characters and quotes are escaped."""
    code = ord(character)
    if code < 32:
        return 6
    if code < 127:
        return 2 if character in '"\\' else 1
    return 2 if code < 0x800 else 3 if code < 0x10000 else 4

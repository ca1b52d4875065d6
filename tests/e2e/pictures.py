"""Pictures for the tests, made here: PNG is a header, zlib and checksums."""

import os
import struct
import zlib


def png(width: int, height: int, noise: bool = False) -> bytes:
    """One colour, or what no codec can make small."""
    row = 3 * width
    pixels = os.urandom(row * height) if noise else b"\x0a\x60\x69" * (width * height)
    lines = b"".join(b"\0" + pixels[y * row : (y + 1) * row] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(lines, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

"""What a save makes of a manifest (chalicelib/agents/manifest.py says what is in it). Pure: no disk, no AWS."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import zstandard

from chalicelib.agents.manifest import Delta, Entries, Entry, Unusable, applied, check

__all__ = ["Delta", "Entries", "Entry", "Unusable", "applied", "check"]

# The limit on a manifest's JSON: about a million files.
MAX_BYTES = 256 * 1024 * 1024
# A new base is written when the differences from the old one exceed this part of it, or this many bytes.
BASE_PART, BASE_BYTES = 8, 16 * 1024
# Packs smaller than this are small; so many of them are merged.
SMALL_PACK, MANY_SMALL = 2 * 1024 * 1024, 32


def difference(base: Entries, now: Entries) -> Delta:
    changed = {name: entry for name, entry in now.items() if base.get(name) != entry}
    return Delta(changed, [name for name in base if name not in now])


def encode(document: Mapping[str, Any]) -> bytes:
    return zstandard.ZstdCompressor(level=6).compress(json.dumps(document, separators=(",", ":")).encode())


def decode(packed: bytes) -> dict[str, Any]:
    """Raises Unusable."""
    try:
        with zstandard.ZstdDecompressor().stream_reader(packed) as stream:
            text = stream.read(MAX_BYTES + 1)
        document = json.loads(text) if len(text) <= MAX_BYTES else None
    except (zstandard.ZstdError, ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Unusable("manifest")
    return document


def chunks(entries: Entries) -> Iterable[list[Any]]:
    for entry in entries.values():
        if entry[0] == "f":
            yield from entry[4]


def live_bytes(entries: Entries) -> dict[str, int]:
    """Stored bytes in use, by pack. A chunk that several files share counts once."""
    seen: set[tuple[str, int]] = set()
    live: dict[str, int] = {}
    for _, pack, offset, stored in chunks(entries):
        if (pack, offset) not in seen:
            seen.add((pack, offset))
            live[pack] = live.get(pack, 0) + stored
    return live


def to_retire(live: Mapping[str, int], sizes: Mapping[str, int]) -> list[str]:
    """Packs to rewrite: all that are more than half dead when dead bytes exceed live ones, and too many small ones."""
    retired = set()
    known = {pack: sizes.get(pack, used) for pack, used in live.items()}
    if sum(known.values()) > 2 * sum(live.values()):
        retired |= {pack for pack, used in live.items() if used * 2 < known[pack]}
    small = {pack for pack in live if known[pack] < SMALL_PACK}
    if len(small) > MANY_SMALL:
        retired |= small
    return sorted(retired)


def moved(entries: Entries, places: Mapping[tuple[str, int], tuple[str, int]]) -> Entries:
    """The same files with chunks in other packs."""

    def place(chunk: list[Any]) -> list[Any]:
        pack, offset = places.get((chunk[1], chunk[2]), (chunk[1], chunk[2]))
        return [chunk[0], pack, offset, chunk[3]]

    def entry_of(entry: Entry) -> Entry:
        return [*entry[:4], [place(chunk) for chunk in entry[4]]] if entry[0] == "f" else entry

    return {name: entry_of(entry) for name, entry in entries.items()}

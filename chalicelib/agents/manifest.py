"""The files of a snapshot, as its manifest lists them. Shared by the Bridge, which writes it, and the gateway. Pure.

An entry is a list, as it is in JSON:

    ["d", mode, mtime_ns]                                   a folder
    ["l", target]                                           a symbolic link
    ["f", mode, mtime_ns, size, [[id, pack, offset, stored], ...]]

A file's content is its chunks in order. `id` is the chunk's BLAKE2b-128, `pack` the object with it, `stored` the
length of its zstd frame there. Names may hold surrogates: they need not be UTF-8.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

Entry = list[Any]
Entries = dict[str, Entry]


class Unusable(Exception):
    """A manifest that no save of ours writes."""


@dataclass(frozen=True)
class Delta:
    """The differences from one manifest to the next."""

    changed: Entries
    removed: list[str]


def applied(base: Entries, delta: Delta) -> Entries:
    gone = set(delta.removed)
    return {name: entry for name, entry in base.items() if name not in gone} | delta.changed


def check(entries: Entries) -> None:
    """Refuse what would leave the folder or is not of our form. Raises Unusable."""
    try:
        for name, entry in entries.items():
            path = PurePosixPath(name)
            if not name or path.is_absolute() or ".." in path.parts or "\0" in name:
                raise Unusable("an entry that no snapshot of ours has")
            _check_entry(entry)
            if any(entries.get(str(parent), ["d"])[0] != "d" for parent in path.parents if str(parent) != "."):
                raise Unusable("a file below something that is no folder")
    except (TypeError, ValueError, IndexError, KeyError, AttributeError):
        raise Unusable("manifest") from None


def _check_entry(entry: Entry) -> None:
    if entry[0] == "f":
        _, mode, mtime, size, pieces = entry
        numbers = [mode, mtime, size, *(number for piece in pieces for number in piece[2:4])]
        if any(len(piece) != 4 for piece in pieces) or not all(isinstance(number, int) for number in numbers):
            raise Unusable("manifest")
    elif entry[0] == "d":
        int(entry[1]), int(entry[2])
    elif entry[0] != "l" or not isinstance(entry[1], str):
        raise Unusable("manifest")

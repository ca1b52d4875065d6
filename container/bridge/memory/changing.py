"""What the agent changed in its memory files, as diffs: from the two snapshots before and after it.

A save knows which files differ from the last one. Only if memory files do, their two texts are read back from the
bucket. So a turn that changes none costs nothing. What the person edited is not the agent's change.
"""

import difflib
from collections.abc import Callable
from typing import Any

import zstandard

from bridge.memory.manifest import Entries, Entry
from bridge.memory.objects import Objects
from bridge.shared.aws_errors import AWS_ERRORS
from chalicelib.agents.notes import MAX_BYTES, Change, Changes, is_note
from chalicelib.platform import aws, log
from chalicelib.platform.clock import now_ms
from chalicelib.wire.protocol import storable

# All diffs together, and files that are named, with or without a diff.
DIFF_BYTES, MOST = 16_000, 30
CONTEXT = 2
WORKSPACE = "workspace/"


class Changing:
    """`edited`: the texts that the person put in since the last save."""

    def __init__(self, user_id: str, generation: int, objects: Objects, edited: Callable[[], dict[str, str]]) -> None:
        self._user_id = user_id
        self._generation = generation
        self._objects = objects
        self._edited = edited

    def saved(self, before: Entries, after: Entries) -> None:
        """Keep what changed between two saves. It informs only: what fails is logged."""
        names = changed_notes(before, after)
        if not names:
            return
        try:
            change = self._change(names, before, after)
            if change is not None:
                Changes().keep(self._user_id, self._generation, change)
        except (*AWS_ERRORS, zstandard.ZstdError) as error:
            log.failure("change_not_kept", error)

    def _change(self, names: list[str], before: Entries, after: Entries) -> Change | None:
        edited = self._edited()
        found: list[tuple[str, str, str]] = []
        for name in names[:MOST]:
            old = edited[name] if name in edited else self._text(before.get(WORKSPACE + name))
            new = self._text(after.get(WORKSPACE + name))
            if old != new:
                found.append((name, old, new))
        files, cut = diffs(found)
        return Change(now_ms(), files, cut or len(names) > MOST) if files else None

    def _text(self, entry: Entry | None) -> str:
        """Empty for a file that is not there; without its end if it is large."""
        if entry is None or entry[0] != "f":
            return ""
        content = b""
        for _, pack, offset, stored in entry[4]:
            where = {"Bucket": self._objects.bucket, "Key": self._objects.pack(pack)}
            got = aws.client("s3").get_object(**where, Range=f"bytes={offset}-{offset + stored - 1}")
            content += zstandard.ZstdDecompressor().decompress(got["Body"].read())
            if len(content) > MAX_BYTES:
                break
        return storable(content[:MAX_BYTES].decode(errors="replace"))


def changed_notes(before: Entries, after: Entries) -> list[str]:
    """Memory files with another content than before."""
    names = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    notes = {name.removeprefix(WORKSPACE): name for name in names if name.startswith(WORKSPACE)}
    differ = {note for note, name in notes.items() if _chunks(before, name) != _chunks(after, name)}
    return sorted(filter(is_note, differ))


def _chunks(entries: Entries, name: str) -> Any:
    entry = entries.get(name)
    return [chunk[0] for chunk in entry[4]] if entry is not None and entry[0] == "f" else None


def diffs(found: list[tuple[str, str, str]]) -> tuple[list[dict[str, Any]], bool]:
    """Of (name, old, new): the unified diff of each without its head, and whether some of it was left out."""
    left, cut, files = DIFF_BYTES, False, []
    for name, old, new in found:
        lines: list[str] = []
        for line in list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=CONTEXT, lineterm=""))[2:]:
            left -= len(line.encode()) + 1
            if left < 0:
                cut = True
                break
            lines.append(line)
        files.append({"name": name, "diff": "\n".join(lines)})
    return files, cut

"""`python -m bridge.attachments.reading FILE SECONDS`: runs as the agent's user, with the file's content as its stdin.

Writes the file, reads its text and prints one JSON object. A text that is too long for a prompt is written beside the
file, for the agent's tools. Whatever is in the file, this ends within its limits of time and memory.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from bridge.attachments.documents import BINARY, PDF, Unreadable, kind_of, pages_of, text_of

# As much as OpenClaw itself takes of a text file; about 15,000 tokens.
INLINE = 60_000
# Characters of the text beside the file.
KEPT = 4_000_000
MEMORY = 600_000_000
NO_MEMORY = "it needs too much memory to be read"
Json = dict[str, Any]


def main(place: Path, seconds: float) -> Json:
    os.umask(0o077)
    place.parent.mkdir(parents=True, exist_ok=True)
    size = _save(place)
    _limit(seconds)
    if size == 0:
        return {"kind": BINARY, "problem": "it is empty"}
    kind = kind_of(place)
    if kind == BINARY:
        return {"kind": kind}
    try:
        return {"kind": kind} | _read(place, kind, time.monotonic() + seconds * 0.7)
    except Unreadable as problem:
        return {"kind": kind, "problem": str(problem)}
    except (MemoryError, RecursionError):
        return {"kind": kind, "problem": NO_MEMORY}


def _save(place: Path) -> int:
    """A later try writes the same file again."""
    part = place.with_name(f".{place.name[:80]}.part")
    size = 0
    with part.open("wb") as file:
        while block := sys.stdin.buffer.read(1 << 20):
            size += file.write(block)
    part.replace(place)
    return size


def _limit(seconds: float) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    whole = max(1, round(seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))


def _read(place: Path, kind: str, deadline: float) -> Json:
    """`whole`: whether the text was read to its end. `length`: the characters that were read."""
    pieces: list[str] = []
    length, whole, problem = 0, True, ""
    try:
        for piece in text_of(place, kind):
            pieces.append(piece)
            length += len(piece)
            if length > KEPT or time.monotonic() > deadline:
                whole = False
                break
    except Unreadable as error:
        if length == 0:
            raise
        whole, problem = False, str(error)  # what came before it is better than nothing
    except (MemoryError, RecursionError):
        if length == 0:
            raise
        whole, problem = False, NO_MEMORY
    text = "".join(pieces)[:KEPT].strip()
    found: Json = {"text": text[:INLINE], "length": len(text), "whole": whole, "broke": problem}
    if len(text) > INLINE:
        beside = place.with_name(f"{place.name}.txt")
        beside.write_text(text, errors="replace")
        found["beside"] = beside.name
    if kind == PDF and (not whole or not text):
        found["pages"] = pages_of(place)
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), float(sys.argv[2]))))

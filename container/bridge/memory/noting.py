"""Writes a person's edits into the workspace: runs as the agent's user, `python -m bridge.memory.noting WORKSPACE`.

stdin is JSON, a list of {"name", "text", "bases"}; stdout the verdict on each. A file is replaced as a whole, and only
if it is one of the `bases` (a SHA-256 of its content; "" for no file).
"""

import errno
import hashlib
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

# FAILED: a disk that is full, for example. It is tried again.
WRITTEN, SAME, CHANGED, FAILED = "written", "same", "changed", "failed"
# No edit was made from a file larger than that.
MAX_BYTES = 1_000_000
# A link, a folder, a socket, no right, a name that no file can have: the agent has made something else of it.
ELSE = {errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.ENXIO, errno.ENAMETOOLONG}


class NoNote(Exception):
    """No regular file, or one that is too large."""


def content_of(path: Path) -> tuple[bytes | None, int]:
    """What is there, and its mode; None for no file. Raises NoNote and OSError."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None, 0o600
    with open(file, "rb") as opened:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode):
            raise NoNote("not a regular file")
        if about.st_size > MAX_BYTES:
            raise NoNote("too large")
        return opened.read(), stat.S_IMODE(about.st_mode)


def put(workspace: Path, edit: dict[str, Any]) -> str:
    path, text = workspace / edit["name"], edit["text"].encode()
    try:
        before, mode = content_of(path)
        if before == text:
            return SAME
        if (hashlib.sha256(before).hexdigest() if before is not None else "") not in edit["bases"]:
            return CHANGED
        path.parent.mkdir(exist_ok=True)
        if path.parent.is_symlink():
            return CHANGED
        return _replace(path, text, mode)
    except NoNote:
        return CHANGED
    except OSError as error:
        return CHANGED if error.errno in ELSE else FAILED


def _replace(path: Path, text: bytes, mode: int) -> str:
    """The old file or the new one is there at any time. A killed try leaves a file that the next one replaces."""
    staging = path.with_name(f".{path.name}.edit")
    staging.unlink(missing_ok=True)
    file = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(file, "wb") as into:
        into.write(text)
        os.fchmod(file, mode)
    os.replace(staging, path)
    return WRITTEN


def main(workspace: Path) -> None:
    print(json.dumps([put(workspace, edit) for edit in json.load(sys.stdin)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

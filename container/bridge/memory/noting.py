"""Writes a person's edits into the workspace: runs as the agent's user, `python -m bridge.memory.noting WORKSPACE`.

stdin is JSON, a list of {"name", "text", "bases"}; stdout the verdict on each. A file is replaced as a whole, and only
if it is one of the `bases` (a SHA-256 of its content; "" for no file).
"""

import hashlib
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

WRITTEN, SAME, CHANGED = "written", "same", "changed"


def content_of(path: Path) -> tuple[bytes | None, int]:
    """What is there, and its mode; None for no file. Raises OSError for anything but a regular file."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None, 0o600
    with open(file, "rb") as opened:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode):
            raise OSError("not a regular file")
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
    except OSError:
        return CHANGED  # a link, a folder, no right: the agent has made something else of it


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

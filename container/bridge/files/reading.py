"""Reads one file of the agent's, as the agent's user: `python -m bridge.files.reading WORKSPACE PATH LIMIT`.

Writes its bytes to stdout. Links are followed: they give no access beyond the agent's own. Exit codes: MISSING,
UNREADABLE, TOO_LARGE.
"""

import os
import stat
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

MISSING, UNREADABLE, TOO_LARGE = 3, 4, 5
BLOCK = 1 << 20


class Refused(Exception):
    """`code`: the exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


def located(workspace: Path, named: str) -> Path:
    """The real path of a file that the agent named. Raises Refused or OSError."""
    name = unquote(urlsplit(named).path) if named.startswith("file:") else named
    if "\0" in name:
        raise Refused(MISSING)
    return Path(os.path.realpath(workspace / Path(name).expanduser(), strict=True))


def copy(path: Path, limit: int, target: int) -> None:
    """Write a regular file's bytes to a descriptor. Raises Refused or OSError."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)  # a pipe must not block
    try:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode):
            raise Refused(UNREADABLE)
        if about.st_size > limit:
            raise Refused(TOO_LARGE)
        left = limit
        while content := os.read(file, BLOCK):
            left -= len(content)
            if left < 0:  # it grows while it is read
                raise Refused(TOO_LARGE)
            while content:
                content = content[os.write(target, content) :]
    finally:
        os.close(file)


def main(workspace: Path, named: str, limit: int) -> int:
    try:
        copy(located(workspace, named), limit, sys.stdout.fileno())
    except Refused as error:
        return error.code
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
    except (OSError, RuntimeError, ValueError):  # RuntimeError: "~somebody", a circle of links
        return UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))

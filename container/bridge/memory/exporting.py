"""Packs a state directory into a zip file, below `.openclaw/`: runs as the agent's user, the file is its stdout."""

import os
import sqlite3
import sys
import tempfile
import time
import zipfile
from pathlib import Path, PurePosixPath
from stat import S_IFLNK, S_ISREG
from typing import IO

from bridge.memory.contents import MAX_FILE_BYTES, WORKSPACE, entries, is_database
from bridge.memory.databases import copy_database
from bridge.memory.links import Links

FOLDER = ".openclaw"
# What zip's dates can hold.
EARLIEST = (1980, 1, 1, 0, 0, 0)


def export(root: Path, target: IO[bytes]) -> int:
    """Returns the number of files. Raises OSError, and sqlite3.Error for OpenClaw's own databases."""
    count, links = 0, Links(root)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=5, strict_timestamps=False) as archive:
        for name, path in entries(root):
            try:
                count += _add(archive, name, path, links)
            except (FileNotFoundError, PermissionError, NotADirectoryError):
                continue  # gone meanwhile, or closed to its own user
    return count


def _add(archive: zipfile.ZipFile, name: str, path: Path, links: Links) -> bool:
    shown = f"{FOLDER}/{name}".encode("utf-8", "replace").decode()
    stat = path.lstat()
    date = max(time.gmtime(stat.st_mtime)[:6], EARLIEST)
    info = zipfile.ZipInfo(shown, date)
    info.external_attr = stat.st_mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    if path.is_symlink():
        info.external_attr = (S_IFLNK | 0o777) << 16
        archive.writestr(info, os.readlink(path))
        return True
    if not S_ISREG(stat.st_mode):
        return False  # folders follow from their files
    if is_database(path):
        return _add_database(archive, info, path, links, PurePosixPath(name).parts[0] == WORKSPACE)
    if stat.st_size > MAX_FILE_BYTES:
        return False
    archive.writestr(info, path.read_bytes())
    return True


def _add_database(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, links: Links, theirs: bool) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.sqlite"
        try:
            copy_database(links.logged(path, theirs), copy)
        except sqlite3.OperationalError:
            if theirs:
                return False
            raise
        except sqlite3.DatabaseError:
            copy = path
        with copy.open("rb") as file, archive.open(info, "w", force_zip64=True) as into:
            while block := file.read(1 << 20):
                into.write(block)
    return True


if __name__ == "__main__":
    print(export(Path(sys.argv[1]), sys.stdout.buffer), file=sys.stderr)

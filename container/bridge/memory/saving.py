"""Saves what changed in a state directory: runs as the agent's user, for one save.

    stdin    what is known, as JSON in one line; later a line that says that the agent is at rest
    stdout   the packs, one after the other
    stderr   "ready" after a first look, then the result as JSON

The first look reads what has changed while the agent may still work; the second one, at rest, reads only what
changed since. So the agent is kept still for the time of a walk and of its databases' copies.
"""

import json
import os
import sys
import time
from pathlib import Path, PurePosixPath
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import IO, Any

from bridge.memory.chunks import BLOCK, DATABASE_BLOCK, Packs
from bridge.memory.contents import MAX_FILE_BYTES, WORKSPACE, entries, is_database
from bridge.memory.databases import copied
from bridge.memory.links import Links, SeveralLogs
from bridge.memory.manifest import Entries, Entry, chunks

# A file that was written so shortly before it was read may be written again with the same time.
RACY_NS = 50_000_000
Signature = list[int] | None
TIMES = slice(0, 3)
UNLIMITED = 1 << 62


class Saver:
    """`known` and `signatures` are of the last save, and are brought up to date by `look`."""

    def __init__(self, root: Path, known: Entries, signatures: dict[str, Signature], packs: Packs) -> None:
        self._root = root
        self._before = known
        self._packs = packs
        self.entries: Entries = dict(known)
        self.signatures = dict(signatures)
        self.skipped = self.databases = 0
        self._links = Links(root)

    def look(self) -> None:
        """Bring everything up to date. Raises OSError, and sqlite3.Error for OpenClaw's own databases."""
        begun = time.time_ns()
        found: Entries = {}
        signatures: dict[str, Signature] = {}
        self.skipped = self.databases = 0
        self._links = Links(self._root)
        for name, path in entries(self._root):
            try:
                entry, signature = self._entry(name, path, begun)
            except (FileNotFoundError, PermissionError, NotADirectoryError):
                entry, signature = None, None  # gone meanwhile, or closed to its own user
            if entry is None:
                self.skipped += 1
                continue
            found[name] = entry
            if signature is not None:
                signatures[name] = signature
        self.entries, self.signatures = found, signatures

    def _entry(self, name: str, path: Path, begun: int) -> tuple[Entry | None, Signature]:
        stat = path.lstat()
        mode, before = stat.st_mode & 0o7777, self.entries.get(name)
        if S_ISDIR(stat.st_mode):
            same = before is not None and before[0] == "d" and before[1] == mode
            return before if same else ["d", mode, stat.st_mtime_ns], None
        if S_ISLNK(stat.st_mode):
            return ["l", os.readlink(path)], None
        if not S_ISREG(stat.st_mode):
            return None, None  # a socket, a pipe, a device
        return self._file(name, path, begun, stat)

    def _file(self, name: str, path: Path, begun: int, stat: os.stat_result) -> tuple[Entry | None, Signature]:
        before, theirs = self.entries.get(name), PurePosixPath(name).parts[0] == WORKSPACE
        self.databases += not theirs and is_database(path)
        if stat.st_nlink > 1 and is_database(path):
            try:
                path = self._links.logged(path, theirs)
            except SeveralLogs:
                return self._as_before(before)
        signature = signature_of(path)
        if before is not None and before[0] == "f" and signature == self.signatures.get(name):
            return before, signature
        database = is_database(path)
        read = self._database(path, theirs) if database else self._packs.file(path, BLOCK, MAX_FILE_BYTES)
        locked = database and stat.st_size <= MAX_FILE_BYTES
        if read is None:
            return self._as_before(before) if locked else (None, None)
        pieces, size = read
        entry: Entry = ["f", stat.st_mode & 0o7777, stat.st_mtime_ns, size, pieces]
        if database and before is not None and before[:2] == entry[:2] and before[3:] == entry[3:]:
            entry = before  # its users write to it without changing it
        settled = signature == signature_of(path) and max(signature[TIMES]) < begun - RACY_NS
        return entry, signature if settled else None

    def _as_before(self, before: Entry | None) -> tuple[Entry | None, Signature]:
        """The version that is saved already is better than none."""
        if before is None or before[0] != "f":
            return None, None
        self.skipped += 1
        return before, None

    def _database(self, path: Path, theirs: bool) -> tuple[list[list[Any]], int] | None:
        if theirs and path.stat().st_size > MAX_FILE_BYTES:
            return None
        with copied(path, theirs) as copy:
            return self._packs.file(copy, DATABASE_BLOCK, UNLIMITED) if copy is not None else None

    def result(self) -> dict[str, Any]:
        changed = {name: entry for name, entry in self.entries.items() if self._before.get(name) != entry}
        return {
            "changed": changed,
            "removed": [name for name in self._before if name not in self.entries],
            "signatures": self.signatures,
            "packs": self._packs.lengths,
            "files": len(self.entries),
            "skipped": self.skipped,
            "databases": self.databases,
        }


def signature_of(path: Path) -> list[int]:
    """Changes whenever the file does, or the log of a database. Raises OSError."""
    stat = path.lstat()
    try:
        wal = path.with_name(path.name + "-wal").lstat()
        log = [wal.st_mtime_ns, wal.st_size]
    except OSError:
        log = [0, 0]
    return [stat.st_mtime_ns, stat.st_ctime_ns, *log, stat.st_ino, stat.st_size]


def save(root: Path, entered: IO[bytes], target: IO[bytes], errors: IO[str]) -> None:
    """One save, as at the top of this file."""
    asked = json.loads(entered.readline())
    known: Entries = asked["entries"]
    packs = Packs(target, asked["name"], {one[0]: one for one in chunks(known)})
    saver = Saver(root, known, asked["signatures"], packs)
    saver.look()
    print("ready", file=errors, flush=True)
    if not entered.readline():
        return  # not wanted any more
    saver.look()
    target.flush()
    print(json.dumps(saver.result(), separators=(",", ":")), file=errors)


if __name__ == "__main__":
    save(Path(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer, sys.stderr)

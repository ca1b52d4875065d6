"""Copies SQLite databases that are in use.

SQLite's backup API copies them, never a copy byte by byte: the latest turns are in the `-wal` file while the
gateway runs.
"""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# How long a database may be locked by its user.
BUSY_SECONDS = 10.0
# Ends a rollback journal that names the journal of a transaction over several databases; each journal begins with it.
JOURNAL_MAGIC = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a database in use. Raises sqlite3.Error, after BUSY_SECONDS when it is locked.

    The source and the files beside it stay as they are.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return _back_up(source, target, "ro", deadline)
        except sqlite3.OperationalError as error:
            hot = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY
            if not hot or time.monotonic() > deadline or _needs_another(_journal(source)):
                raise
        # A killed writer has left a journal that undoes its half transaction. It is undone in a copy.
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            private = Path(folder) / "undone.sqlite"
            if _copied_together(source, private):
                return _back_up(private, target, "rw", deadline)


def _back_up(source: Path, target: Path, mode: str, deadline: float) -> None:
    def give_up(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline:
            raise sqlite3.OperationalError("database is locked")  # the API itself would try for ever

    uri = f"{source.absolute().as_uri()}?mode={mode}"
    reading, writing = sqlite3.connect(uri, uri=True), sqlite3.connect(target)
    try:
        reading.execute("pragma busy_timeout = 1000")
        reading.backup(writing, progress=give_up)
    finally:
        reading.close()
        writing.close()


def _journal(database: Path) -> Path:
    return database.with_name(database.name + "-journal")


def _needs_another(journal: Path) -> bool:
    """Whether it belongs to a transaction over several databases: undoing one alone would tear them apart."""
    try:
        with journal.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - len(JOURNAL_MAGIC), 0))
            return file.read() == JOURNAL_MAGIC
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unreadable(error) from error


def _copied_together(source: Path, target: Path) -> bool:
    """Copy a database and its journal. False: somebody has changed them meanwhile. Raises sqlite3.OperationalError."""
    pairs = ((source, target), (_journal(source), _journal(target)))
    try:
        before = [_state(path) for path, _ in pairs]
        for path, copy in pairs:
            shutil.copyfile(path, copy)
        return before == [_state(path) for path, _ in pairs]
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> sqlite3.OperationalError:
    """As for a locked one: a database of the agent's programs does not end every save."""
    return sqlite3.OperationalError(f"the database cannot be read: {type(error).__name__}")


def _state(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


@contextmanager
def copied(source: Path, theirs: bool) -> Iterator[Path | None]:
    """A copy for the time of the block. None: a program of the agent's (`theirs`) has locked it for good.

    Raises sqlite3.OperationalError for OpenClaw's own: they must be in every snapshot.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy: Path | None = Path(folder) / "copy.sqlite"
        try:
            copy_database(source, Path(folder) / "copy.sqlite")
        except sqlite3.OperationalError:
            if not theirs:
                raise
            copy = None
        except sqlite3.DatabaseError:
            copy = source  # damaged, or none in spite of its first bytes: keep what there is
        yield copy

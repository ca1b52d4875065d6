"""Copies SQLite databases that are in use.

SQLite's backup API copies them, never a copy byte by byte: the latest turns are in the `-wal` file while the
gateway runs.
"""

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# How long a database may be locked by its user.
BUSY_SECONDS = 10.0


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a database in use. Raises sqlite3.Error, after BUSY_SECONDS when it is locked."""
    deadline = time.monotonic() + BUSY_SECONDS

    def give_up(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline:
            raise sqlite3.OperationalError("database is locked")  # the API itself would try for ever

    reading, writing = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True), sqlite3.connect(target)
    try:
        reading.execute("pragma busy_timeout = 1000")
        reading.backup(writing, progress=give_up)
    finally:
        reading.close()
        writing.close()


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

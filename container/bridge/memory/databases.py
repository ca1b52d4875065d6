"""Copies SQLite databases that are in use.

SQLite's backup API copies them, never a copy byte by byte: the latest turns are in the `-wal` file while the
gateway runs.
"""

import sqlite3
import time
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

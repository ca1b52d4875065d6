"""A database with several names (hard links): its log lies beside the name by which it was opened."""

import os
import sqlite3
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

LOGS = ("-wal", "-journal")


class SeveralLogs(sqlite3.OperationalError):
    """The database was opened by two of its names, each with a log that does not know the other."""


class Links:
    """Of one look at a folder. The names are read once, and only if a database has several."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def logged(self, database: Path, theirs: bool) -> Path:
        """The name to read it by, with its log. Names outside of the folder are not known.

        Raises SeveralLogs for a database of the agent's programs (`theirs`) of which no name has all. OpenClaw's own
        must be in every snapshot: it is read by its own name then.
        """
        stat = database.lstat()
        if stat.st_nlink < 2:
            return database
        names = self._shared.get((stat.st_dev, stat.st_ino), [database])
        logged = [name for name in names if _has_log(name)]
        if len(logged) > 1 and theirs:
            raise SeveralLogs(f"a database has {len(logged)} names with a log each")
        return logged[0] if len(logged) == 1 else database

    @cached_property
    def _shared(self) -> dict[tuple[int, int], list[Path]]:
        """The names of each file that has several, wherever they are: also where nothing is saved from."""
        found: dict[tuple[int, int], list[Path]] = {}
        for path, stat in _files(self._root):
            if stat.st_nlink > 1:
                found.setdefault((stat.st_dev, stat.st_ino), []).append(path)
        return found


def _files(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            try:
                yield path, path.lstat()
            except OSError:
                continue  # gone meanwhile, or in a folder that is closed


def _has_log(database: Path) -> bool:
    return any(database.with_name(database.name + ending).exists() for ending in LOGS)

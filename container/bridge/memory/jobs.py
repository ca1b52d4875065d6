"""Keeps automations when a memory is restored under another path.

OpenClaw (2026.9.1) keeps them in its database under the full path of a file that does not exist any more,
`<state directory>/cron/jobs.json`. Under another path it would find none, and say nothing.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

DATABASE = "state/openclaw.sqlite"
STORE = "cron/jobs.json"
TABLES = ("cron_jobs", "cron_run_receipts", "cron_job_scratch")
BUSY_SECONDS = 2.0


def move(root: Path, home: Path | None = None) -> int:
    """Give them the path they will have (`home`; else where they are); how many rows. Raises sqlite3.Error, OSError."""
    path = root / DATABASE
    if not path.is_file() or path.is_symlink():
        return 0
    key = str((home or root).absolute() / STORE)
    moved = 0
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as database, database:
        known = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
        for table in TABLES:
            if table in known:
                moved += database.execute(
                    f"update {table} set store_key = ? where store_key <> ?",  # noqa: S608  our own names
                    (key, key),
                ).rowcount
    return moved

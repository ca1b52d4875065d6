"""Forgets what OpenClaw has noted of refused keys: the cause may be gone when a container starts.

OpenClaw keeps it in each agent's database (2026.9.1: table `auth_profile_state`, one JSON text, below
`usageStats`) and asks no provider before the time in it is over. Ours it does not mark (openclaw/config.py);
a state that an older version has saved may hold marks, and so may a provider that the agent has added.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

DATABASES = "agents/*/agent/openclaw-agent.sqlite"
BUSY_SECONDS = 2.0


def forget(root: Path) -> int:
    """Clear them in a state directory that nobody uses; how many databases had some. Raises sqlite3.Error, OSError."""
    return sum(_forget(path) for path in sorted(root.glob(DATABASES)) if path.is_file() and not path.is_symlink())


def _forget(path: Path) -> bool:
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as database, database:
        table = "select 1 from sqlite_master where type = 'table' and name = 'auth_profile_state'"
        if database.execute(table).fetchone() is None:
            return False
        cleared = False
        for key, text in database.execute("select state_key, state_json from auth_profile_state").fetchall():
            without = _without(text)
            if without is not None:
                database.execute("update auth_profile_state set state_json = ? where state_key = ?", (without, key))
                cleared = True
        return cleared


def _without(text: str) -> str | None:
    """The state without its marks; None when there is none to clear."""
    try:
        state = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(state, dict) or not state.get("usageStats"):
        return None
    del state["usageStats"]
    return json.dumps(state, separators=(",", ":"))

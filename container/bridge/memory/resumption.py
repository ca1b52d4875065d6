"""Stops OpenClaw from resuming turns that are over for the person.

At its start, OpenClaw resumes every session that its database marks as "running" (2026.9.1: table `session_nodes`).
The mark can be wrong in two cases: a snapshot was taken inside a turn that was answered later, or a crash came right
after an answer. Such a turn must not run twice. `list` prints the marked turns, `clear` removes the marks.
"""

import json
import sqlite3
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATABASES = "agents/*/agent/openclaw-agent.sqlite"
BUSY_SECONDS = 5.0
# The `provenance.sourceTool` of the prompt by which OpenClaw resumes a turn.
RESUMED_BY = "main_session_restart_recovery"
# The stop reasons of an entry behind which the next message has a turn of its own.
ENDS = ("stop", "end_turn", "length", "error", "aborted")
# The fields of a session entry that describe an interrupted turn.
MARKS = ("restartRecovery", "mainRestartRecovery", "pendingFinalDelivery")


@dataclass(frozen=True)
class State:
    """`running`: of each running turn, the ids of its messages. `at`: when it last changed (ms), 0 without a state."""

    running: tuple[tuple[str, ...], ...]
    at: int


def state(root: Path) -> State:
    """Read a state directory while OpenClaw is stopped. Raises sqlite3.Error, OSError."""
    running: set[tuple[str, ...]] = set()
    at = 0
    for path in _databases(root):
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as database:
            if _known(database):
                running |= {messages for _, messages in _running(database)}
                at = max(at, database.execute("select max(updated_at) from session_nodes").fetchone()[0] or 0)
    return State(tuple(sorted(running)), at)


def clear(root: Path, messages: Iterable[str]) -> int:
    """Mark turns of nothing but these messages as ended; returns their number. Raises sqlite3.Error, OSError."""
    over, cleared = set(messages), 0
    for path in _databases(root):
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as database, database:
            for session, asked in _running(database) if _known(database) else []:
                if over.issuperset(asked):
                    _end(database, session)
                    cleared += 1
    return cleared


def _databases(root: Path) -> list[Path]:
    return [path for path in sorted(root.glob(DATABASES)) if path.is_file() and not path.is_symlink()]


def _known(database: sqlite3.Connection) -> bool:
    """Whether the database has the tables that this code knows."""
    names = "select count(*) from sqlite_master where name in ('session_nodes', 'session_windows', 'transcript_events')"
    return bool(database.execute(names).fetchone()[0] == 3)


def _running(database: sqlite3.Connection) -> list[tuple[str, tuple[str, ...]]]:
    """The sessions marked as running, each with the ids of the messages that its turn answers."""
    rows = database.execute("select session_key, current_session_id from session_nodes where status = 'running'")
    found = [(str(key), _asked(database, str(session))) for key, session in rows.fetchall()]
    return [(key, messages) for key, messages in found if messages]


def _asked(database: sqlite3.Connection, session: str) -> tuple[str, ...]:
    """The last message, and those before it that have no end yet: the run took it in.

    Empty if the last prompt was no message, but an automation or a report.
    """
    rows = database.execute(
        "select event_json from transcript_events where session_id = ? order by seq desc", [session]
    )
    found: list[str] = []
    for (text,) in rows:
        message = _message(text)
        if message.get("role") == "assistant" and found and message.get("stopReason", "stop") in ENDS:
            break
        if message.get("role") != "user":
            continue
        provenance = message.get("provenance")
        if isinstance(provenance, dict) and provenance.get("sourceTool") == RESUMED_BY:
            continue
        key = str(message.get("idempotencyKey") or "")
        if isinstance(provenance, dict) or not key.endswith(":user"):
            break
        found.append(key.removesuffix(":user").split(".")[0])
    return tuple(dict.fromkeys(reversed(found)))


def _message(text: str) -> dict[str, Any]:
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    message = entry.get("message") if isinstance(entry, dict) else None
    return message if isinstance(message, dict) else {}


def _end(database: sqlite3.Connection, session: str) -> None:
    row = database.execute("select entry_json from session_nodes where session_key = ?", [session]).fetchone()
    entry = {name: value for name, value in json.loads(row[0]).items() if not name.startswith(MARKS)}
    entry |= {"status": "done", "abortedLastRun": False, "endedAt": int(time.time() * 1000)}
    change = "update session_nodes set entry_json = ?, status = 'done' where session_key = ?"
    database.execute(change, [json.dumps(entry, separators=(",", ":"), ensure_ascii=False), session])
    # The update fires a trigger that marks the row as unchecked. OpenClaw would refuse such a row.
    database.execute("update session_nodes set entry_valid = 1 where session_key = ?", [session])
    database.execute(
        "update session_windows set status = 'done' where session_key = ? and status = 'running'", [session]
    )


if __name__ == "__main__":
    if sys.argv[1] == "list":
        found = state(Path(sys.argv[2]))
        print(json.dumps({"running": found.running, "at": found.at}))
    else:
        print(json.dumps({"cleared": clear(Path(sys.argv[2]), sys.argv[3:])}))

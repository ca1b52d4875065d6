"""Turns that are over for the person are ended in a state that nobody uses; others go on."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.memory import resumption
from bridge.memory.resumption import State
from bridge.shared.user import AgentUser
from bridge.turns.closed import Closed
from chalicelib.messages.inbox import Message

SCHEMA = """
create table session_nodes (session_key text primary key, current_session_id text, entry_json text,
  entry_valid integer default 1, updated_at integer, status text);
create table session_windows (session_id text primary key, session_key text, status text);
create table transcript_events (session_id text, seq integer, event_json text);
create trigger checked after update of entry_json on session_nodes
  begin update session_nodes set entry_valid = 0 where session_key = new.session_key; end;
"""


def user(key: str, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": "hello", "idempotencyKey": key, **more}


RESUMED = user("r1:user", provenance={"kind": "internal_system", "sourceTool": resumption.RESUMED_BY})
REPORT = user("r2:user", provenance={"kind": "inter_session", "sourceTool": "subagent_announce"})
ANSWER = {"role": "assistant", "content": "hi"}
TOOL = {"role": "assistant", "content": [], "stopReason": "toolUse"}


def state_of(root: Path, **sessions: tuple[str, list[dict[str, Any]]]) -> Path:
    """A database with sessions: status, and the messages of the transcript."""
    path = root / "agents" / "main" / "agent" / "openclaw-agent.sqlite"
    path.parent.mkdir(parents=True)
    database = sqlite3.connect(path)
    database.executescript(SCHEMA)
    for name, (status, messages) in sessions.items():
        entry = {"status": status, "restartRecoveryRuns": [1], "mainRestartRecovery": {}, "model": "m"}
        row = [name, f"s-{name}", json.dumps(entry), 1, 1000, status]
        database.execute("insert into session_nodes values (?, ?, ?, ?, ?, ?)", row)
        database.execute("insert into session_windows values (?, ?, ?)", [f"s-{name}", name, status])
        events: list[dict[str, Any]] = [{"type": "session"}, *({"type": "message", "message": m} for m in messages)]
        for number, event in enumerate(events):
            database.execute("insert into transcript_events values (?, ?, ?)", [f"s-{name}", number, json.dumps(event)])
    database.commit()
    database.close()
    return path


def entry(path: Path, name: str) -> tuple[dict[str, Any], int, str, str]:
    database = sqlite3.connect(path)
    query = """select entry_json, entry_valid, n.status, w.status from session_nodes n join session_windows w
      using (session_key) where session_key = ?"""
    row = database.execute(query, [name]).fetchone()
    database.close()
    return json.loads(row[0]), row[1], row[2], row[3]


def test_the_messages_of_running_turns_are_listed(tmp_path: Path) -> None:
    state_of(
        tmp_path,
        plain=("running", [user("a:user")]),
        again=("running", [user("b:user"), ANSWER, user("c.2.0:user")]),
        resumed=("running", [user("d:user"), RESUMED, ANSWER]),
        folded=("running", [user("g:user"), ANSWER, user("h:user"), user("h.2.0:user"), TOOL, user("i:user")]),
        cut=(
            "running",
            [user("j:user"), TOOL, user("k:user"), {"role": "assistant", "stopReason": "aborted"}, RESUMED],
        ),
        report=("running", [user("e:user"), ANSWER, REPORT]),
        automation=("running", [{"role": "user", "content": "remind"}]),
        empty=("running", []),
        rest=("done", [user("f:user"), ANSWER]),
    )
    assert resumption.state(tmp_path) == State((("a",), ("c",), ("d",), ("h", "i"), ("j", "k")), 1000)


def test_a_closed_turn_is_ended_and_the_others_stay(tmp_path: Path) -> None:
    path = state_of(tmp_path, one=("running", [user("a:user")]), two=("running", [user("b:user")]))
    assert resumption.clear(tmp_path, ["a", "x"]) == 1
    document, valid, node, window = entry(path, "one")
    assert (document["status"], valid, node, window) == ("done", 1, "done", "done")
    assert not any("estartRecovery" in name for name in document)
    assert document["model"] == "m"
    assert entry(path, "two")[2] == "running"


def test_a_state_of_another_version_or_none_is_left_alone(tmp_path: Path) -> None:
    assert resumption.state(tmp_path) == State((), 0)
    path = tmp_path / "agents" / "main" / "agent" / "openclaw-agent.sqlite"
    path.parent.mkdir(parents=True)
    sqlite3.connect(path).execute("create table session_nodes (x)")
    assert resumption.state(tmp_path) == State((), 0)
    assert resumption.clear(tmp_path, ["a"]) == 0


class FakeInbox:
    def __init__(self, **statuses: str) -> None:
        self._statuses = statuses

    def get(self, user_id: str, message_id: str) -> Message | None:
        status = self._statuses.get(message_id)
        return Message(user_id, message_id, "", "main", 0, status=status) if status else None


def closed(
    root: Path, heard: Callable[[int], None], over: Callable[[str, str], bool] = lambda user, name: False, **known: str
) -> Closed:
    """`known`: what the inbox says of messages; `over`: what the console does."""
    return Closed(AgentUser(), root, FakeInbox(**known), "ann", heard, over)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "left"),
    [("done", "done"), ("dead", "done"), ("claimed", "running"), ("queued", "running"), ("", "running")],
)
def test_only_a_message_that_is_closed_ends_its_turn(tmp_path: Path, status: str, left: str) -> None:
    """Through a process of the agent's user, as before OpenClaw starts."""
    path, heard = state_of(tmp_path, one=("running", [user("a:user")])), list[int]()
    closed(tmp_path, heard.append, a=status).settle()
    assert (entry(path, "one")[2], heard) == (left, [1000])


@pytest.mark.parametrize(
    ("status", "over", "left"), [("done", True, "done"), ("done", False, "running"), ("claimed", True, "running")]
)
def test_a_turn_that_took_in_the_consoles_message_ends_with_both(
    tmp_path: Path, status: str, over: bool, left: str
) -> None:
    path = state_of(tmp_path, one=("running", [user("a:user"), TOOL, user("b:user")]))
    closed(tmp_path, lambda _: None, lambda user, name: over and name == "b", a=status).settle()
    assert entry(path, "one")[2] == left


def test_a_damaged_database_is_logged_and_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = state_of(tmp_path)
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    closed(tmp_path, lambda _: None).settle()
    assert "resumption_unsettled" in capsys.readouterr().err

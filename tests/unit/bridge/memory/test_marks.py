"""What OpenClaw noted of refused keys is gone from a state that is restored; nothing else is."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.memory import archive, marks

USAGE = {"inline-api-key:custom": {"disabledUntil": 1795951856078, "disabledReason": "billing", "errorCount": 1}}


def database(root: Path, text: str | None, agent: str = "main") -> Path:
    """As OpenClaw 2026.9.1 makes it."""
    path = root / "agents" / agent / "agent" / "openclaw-agent.sqlite"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("create table kept (word text)")
        made.execute("insert into kept values ('memory')")
        if text is not None:
            form = "state_key text primary key, state_json text not null, updated_at integer not null"
            made.execute(f"create table auth_profile_state ({form})")
            made.execute("insert into auth_profile_state values ('primary', ?, 1)", (text,))
    return path


def state(path: Path) -> str:
    with closing(sqlite3.connect(path)) as read:
        assert read.execute("select word from kept").fetchall() == [("memory",)]
        return str(read.execute("select state_json from auth_profile_state").fetchone()[0])


def test_marks_are_forgotten_in_every_agents_database_and_the_rest_stays(tmp_path: Path) -> None:
    text = json.dumps({"version": 1, "order": {"custom": ["a"]}, "usageStats": USAGE})
    paths = [database(tmp_path, text, agent) for agent in ("main", "helper")]
    assert marks.forget(tmp_path) == 2
    for path in paths:
        assert json.loads(state(path)) == {"version": 1, "order": {"custom": ["a"]}}
    assert marks.forget(tmp_path) == 0


@pytest.mark.parametrize("text", ["{", "[]", '{"version":1}', '{"version":1,"usageStats":{}}', "[" * 20_000])
def test_a_state_without_marks_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = database(tmp_path, text)
    assert marks.forget(tmp_path) == 0
    assert state(path) == text


def test_another_versions_database_and_none_at_all_are_no_error(tmp_path: Path) -> None:
    assert marks.forget(tmp_path) == 0
    database(tmp_path, None)
    assert marks.forget(tmp_path) == 0


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = database(tmp_path / "outside", json.dumps({"usageStats": USAGE}))
    link = tmp_path / "root" / "agents" / "main" / "agent" / "openclaw-agent.sqlite"
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    assert marks.forget(tmp_path / "root") == 0


def test_a_database_that_is_none_does_not_hinder_a_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "root" / "agents" / "main" / "agent" / "openclaw-agent.sqlite"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"no database at all" * 100)
    monkeypatch.setattr(archive, "unpack", lambda *_: 1)
    assert archive.main([str(tmp_path / "root"), "sha"]) == 0
    assert capsys.readouterr().err.strip() == "DatabaseError"

"""Skills are put into the agent's files as a whole, again without effect, and never through a link."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bridge.memory.skilling import BAD, EXISTS, FAILED, SAME, WRITTEN, carry_out
from tests.support.skilled import encoded, manual, zipped


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "workspace").mkdir()
    return tmp_path


def put(name: str = "tea-maker", replace: bool = False, **files: bytes) -> dict[str, Any]:
    body = zipped({"SKILL.md": manual(name)} | files)
    return {"name": name, "action": "put", "replace": replace, "zip": encoded(body)}


def test_it_is_there_as_a_whole_and_goes_as_a_whole(state: Path) -> None:
    skills = state / "workspace" / "skills"
    (skills / ".tea-maker.upload").mkdir(parents=True)
    (skills / ".tea-maker.upload" / "of a try that was killed").touch()
    wish = put(brew=b"echo tea")
    assert [carry_out(state, wish) for _ in range(2)] == [WRITTEN, SAME]
    assert sorted(os.listdir(skills / "tea-maker")) == ["SKILL.md", "brew"]
    assert os.access(skills / "tea-maker" / "brew", os.X_OK)
    assert os.listdir(skills) == ["tea-maker"]
    (skills / "tea-maker" / "own").mkdir(mode=0o500)
    gone = {"name": "tea-maker", "action": "delete", "replace": False}
    assert [carry_out(state, gone) for _ in range(2)] == [WRITTEN, SAME]
    assert os.listdir(skills) == []


def test_what_the_agent_has_of_that_name_stays_unless_it_may_be_replaced(state: Path) -> None:
    own = state / "workspace" / "skills" / "tea-maker"
    own.mkdir(parents=True)
    (own / "SKILL.md").write_text("the agent's")
    assert carry_out(state, put()) == EXISTS
    assert (own / "SKILL.md").read_text() == "the agent's"
    assert carry_out(state, put(replace=True)) == WRITTEN
    assert (own / "SKILL.md").read_bytes() == manual()


def test_a_link_leads_nowhere(state: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "kept").write_text("kept")
    skills = state / "workspace" / "skills"
    skills.symlink_to(outside)
    gone = {"name": "tea-maker", "action": "delete", "replace": False}
    assert carry_out(state, gone) == SAME
    assert carry_out(state, put()) == WRITTEN
    assert not skills.is_symlink()
    (skills / "other").symlink_to(outside)
    assert carry_out(state, put("other")) == EXISTS
    assert carry_out(state, put("other", replace=True)) == WRITTEN
    (state / "openclaw.json").symlink_to(outside / "kept")
    assert carry_out(state, {"name": "a", "action": "off"}) == BAD
    assert (os.listdir(outside), (outside / "kept").read_text()) == (["kept"], "kept")


def test_what_is_no_skill_is_refused_here_too(state: Path) -> None:
    for body in (zipped({"SKILL.md": b"none"}), zipped({"SKILL.md": manual(), "../evil": b"x"}), b"no zip"):
        assert carry_out(state, put() | {"zip": encoded(body)}) == BAD
    assert carry_out(state, put() | {"name": "other"}) == BAD
    assert carry_out(state, {"name": "../..", "action": "delete"}) == BAD
    assert os.listdir(state / "workspace") == []


def test_a_switch_before_openclaw_starts(state: Path) -> None:
    file = state / "openclaw.json"
    off, on = ({"name": "tea-maker", "action": action} for action in ("off", "on"))
    assert carry_out(state, on) == SAME
    assert not file.exists()
    assert [carry_out(state, off), carry_out(state, off)] == [WRITTEN, SAME]
    assert json.loads(file.read_text()) == {"skills": {"entries": {"tea-maker": {"enabled": False}}}}
    file.write_text('{"skills": {"entries": {"tea-maker": {"enabled": false, "env": {"A": "b"}}}}, "ui": 1}')
    assert carry_out(state, on) == WRITTEN
    kept = {"skills": {"entries": {"tea-maker": {"enabled": True, "env": {"A": "b"}}}}, "ui": 1}
    assert json.loads(file.read_text()) == kept
    for odd in ("no json", "[]", '{"skills": 1}', '{"skills": {"entries": []}}', "[" * 9000):
        file.write_text(odd)
        assert (carry_out(state, off), file.read_text()) == (BAD, odd)


def test_a_disk_that_is_full_is_tried_again(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(os, "rename", full)
    assert carry_out(state, put()) == FAILED

"""A skill that OpenClaw is about to install passes the check of an upload, or nothing is installed."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bridge.openclaw.vetting import policy, verdict
from chalicelib.agents.skill_files import MAX_BYTES, MAX_FILES
from tests.support.skilled import manual


def staged(folder: Path, **files: bytes) -> dict[str, Any]:
    """A request of OpenClaw's for these files, `/` for `__`."""
    for name, content in ({"SKILL.md": manual()} | files).items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return {"targetName": "tea-maker", "sourcePath": str(folder), "skill": {"installId": "clawhub"}}


def test_it_runs_as_openclaw_runs_it(tmp_path: Path) -> None:
    """Without our environment, in another folder, with the request on stdin."""
    command = policy()["installPolicy"]["exec"]
    asked = json.dumps(staged(tmp_path, steps__brew=b"Boil."))
    program = [command["command"], *command["args"]]
    done = subprocess.run(program, input=asked, env=command["env"], cwd="/", capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"protocolVersion": 1, "decision": "allow"}
    assert not Path(command["command"]).is_symlink(), "OpenClaw refuses links"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"SKILL.md": b"no head"}, "SKILL_BAD_MANUAL"),
        ({"SKILL.md": manual("weather")}, "SKILL_RESERVED"),
        ({"SKILL.md": manual("another")}, "SKILL_BAD_NAME"),
        ({"big": b"x" * MAX_BYTES}, "TOO_LARGE"),
        ({f"f{number}": b"" for number in range(MAX_FILES)}, "SKILL_TOO_MANY_FILES"),
        ({".git__config": b""}, "SKILL_RESERVED"),
    ],
)
def test_what_no_upload_may_hold_is_blocked(tmp_path: Path, files: dict[str, bytes], code: str) -> None:
    said = verdict(staged(tmp_path, **files))
    assert said["decision"] == "block"
    assert said["reason"].startswith(f"{code}: ")


def test_a_link_and_a_folder_that_is_gone_are_blocked(tmp_path: Path) -> None:
    request = staged(tmp_path)
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert verdict(request)["reason"].startswith("SKILL_LINK: ")
    assert verdict(request | {"sourcePath": str(tmp_path / "gone")})["decision"] == "block"


def test_a_program_that_a_skill_asks_for_is_no_skill(tmp_path: Path) -> None:
    request = {"targetName": "tea-maker", "sourcePath": str(tmp_path), "skill": {"installSpec": {"kind": "node"}}}
    assert verdict(request)["decision"] == "allow"

"""GitHub's workflows: pinned by digest, no stored AWS keys, no more rights than needed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

FOLDER = Path(__file__).resolve().parent.parent.parent / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_there_are_the_three() -> None:
    assert [path.stem for path in FILES] == ["deploy", "image", "test"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_digest(path: Path) -> None:
    """A tag can be moved to other code; the comment says which release the digest is."""
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())
    assert used
    for name, comment in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", name), name
        assert re.match(r" # v\d+\.\d+\.\d+$", comment), name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rights_are_read_only_unless_a_job_takes_a_role(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        takes_role = any("configure-aws-credentials" in step.get("uses", "") for step in job["steps"])
        assert ("id-token" in job.get("permissions", {})) == takes_role
        assert not takes_role or "environment" in job, "the role trusts an environment, not every branch"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_stored_aws_key_and_nothing_from_outside_in_a_command(path: Path) -> None:
    text = path.read_text()
    assert "aws-access-key-id" not in text
    assert "pull_request_target" not in text
    for job in load(path)["jobs"].values():
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "an input in a command line is a command"


def test_the_image_is_built_on_arm64() -> None:
    assert {job["runs-on"] for job in load(FOLDER / "image.yml")["jobs"].values()} == {"ubuntu-24.04-arm"}

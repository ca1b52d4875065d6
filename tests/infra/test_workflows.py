"""GitHub's workflows: pinned by digest, no stored AWS keys, no more rights than needed."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from ops.deployment.settings import KNOWN
from ops.secrets import PROVIDERS, SETTINGS

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


def test_an_image_is_pushed_only_when_somebody_asks_for_it() -> None:
    """Pushes that no deployment follows would fill the repository of a stage."""
    jobs = load(FOLDER / "image.yml")["jobs"]
    assert jobs["build"]["if"] == "github.event_name != 'workflow_dispatch'"
    assert jobs["push"]["if"] == "github.event_name == 'workflow_dispatch'"
    pushing = [name for name, job in jobs.items() if any("ops.image" in step.get("run", "") for step in job["steps"])]
    assert pushing == ["push"]


def deploy_step() -> Any:
    (step,) = [s for s in load(FOLDER / "deploy.yml")["jobs"]["deploy"]["steps"] if "make deploy" in s.get("run", "")]
    return step


def test_every_setting_and_every_key_can_come_from_github() -> None:
    given = deploy_step()["env"]
    keys = {name.upper().replace("-", "_") for name in PROVIDERS} | {"TELEGRAM_BOT_TOKEN"}
    plain = set(KNOWN) | {name.upper().replace("-", "_") for name in SETTINGS}
    assert {name: given[name] for name in keys} == {name: f"${{{{ secrets.{name} }}}}" for name in keys}
    assert {name: given[name] for name in plain} == {name: f"${{{{ vars.{name} }}}}" for name in plain}


def test_a_setting_that_is_not_set_at_github_is_not_cleared(tmp_path: Path) -> None:
    """GitHub hands over an empty variable; the step as written, with a `make` that only shows its settings."""
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "$@"\nenv\n')
    make.chmod(0o755)
    env = dict.fromkeys(KNOWN, "") | {
        "STAGE": "dev",
        "EMAIL": "a@example.com",
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }
    arguments = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", deploy_step()["run"]]
    done = subprocess.run(arguments, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first == "deploy STAGE=dev"
    assert {line.partition("=")[0] for line in rest} & set(KNOWN) == {"EMAIL"}

"""The Dockerfile: clean for its linter, and what the build context and the task definition expect of it."""

import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

from local.stack import ROOT
from ops.image import SKIPPED

DOCKERFILE = ROOT / "container" / "Dockerfile"


def instructions(name: str) -> list[str]:
    """The values of one instruction, of all stages in order."""
    parsed = DockerfileParser(fileobj=io.StringIO(DOCKERFILE.read_text())).structure
    return [step["value"] for step in parsed if step["instruction"] == name]


@pytest.mark.parametrize("folder", ["container", "container/microvm"])
def test_the_linter_has_nothing_to_say(folder: str) -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    command = [str(hadolint), "--no-color", "--failure-threshold=style", str(ROOT / folder / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_is_what_a_task_needs_it_to_be() -> None:
    """Not root, PID 1 of its own, two writable places: what cdk/stacks gives it room for."""
    assert {base.split()[0] for base in instructions("FROM")} == {"${PYTHON_IMAGE}"}
    assert instructions("USER") == ["10001:10001"]
    assert [json.loads(value) for value in instructions("VOLUME")] == [["/home/agent", "/tmp"]]
    assert [json.loads(value) for value in instructions("ENTRYPOINT")] == [
        ["dumb-init", "--", "python3", "-m", "bridge"]
    ]
    assert "AGENT_UID=10002" in shlex.split(" ".join(instructions("ENV")))
    assert len(instructions("HEALTHCHECK")) == 1


def test_every_file_that_is_copied_is_there_and_let_through() -> None:
    """BuildKit takes Dockerfile.dockerignore: what it does not name is not sent to the build."""
    lines = (ROOT / "container" / "Dockerfile.dockerignore").read_text().splitlines()
    let_through = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = [name for value in instructions("COPY") if "--from" not in value for name in shlex.split(value)[:-1]]
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert name.split("/")[0] in let_through, name
    assert {f"**/{name}" for name in SKIPPED} <= set(lines)

"""The Dockerfile: clean for its linter, understood by `ops.dockerfile`, which executes it without docker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.stack import ROOT
from ops.dockerfile import NotUnderstood, Settings, Stage, Step, parse
from ops.image import SKIPPED
from ops.rootfs import Build

DOCKERFILE = ROOT / "container" / "Dockerfile"


def test_the_linter_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    command = [str(hadolint), "--no-color", "--failure-threshold=style", str(DOCKERFILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def settings_of(stage: Stage) -> Settings:
    settings = Settings()
    for step in stage.steps:
        settings.take(step)
    return settings


def test_the_image_is_what_a_task_needs_it_to_be() -> None:
    """Not root, PID 1 of its own, two writable places: what cdk/stacks gives it room for."""
    stages = parse(DOCKERFILE.read_text())
    last = settings_of(stages[-1])
    assert len({stage.base for stage in stages}) == 1
    assert last.user == "10001:10001"
    assert last.volumes == ["/home/agent", "/tmp"]
    assert last.entrypoint == ["dumb-init", "--", "python3", "-m", "bridge"]
    assert last.environment["AGENT_UID"] == "10002"
    assert last.health[:2] == ["python3", "-c"]


def test_every_file_that_is_copied_is_there_and_let_through() -> None:
    """BuildKit takes Dockerfile.dockerignore: what it does not name is not sent to the build."""
    lines = (ROOT / "container" / "Dockerfile.dockerignore").read_text().splitlines()
    let_through = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = [
        name
        for stage in parse(DOCKERFILE.read_text())
        for step in stage.steps
        if step.name == "COPY" and "--from" not in step.value
        for name in step.words()[:-1]
    ]
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert name.split("/")[0] in let_through, name
    assert {f"**/{name}" for name in SKIPPED} <= set(lines)


def test_stages_arguments_and_continued_lines() -> None:
    text = """
ARG BASE=debian
FROM ${BASE} AS first
ARG VERSION=1.2
# a comment
RUN one \\
 && two

FROM first
ENV A="b c" B=${NOTHING}x
USER 10:20
"""
    first, second = parse(text)
    assert (first.base, first.name, second.base, second.name) == ("debian", "first", "first", "final")
    assert first.steps[-1] == Step("RUN", "one  && two", 6)
    assert settings_of(first).arguments == {"VERSION": "1.2"}
    assert settings_of(second).environment == {"A": "b c", "B": "x"}
    assert settings_of(second).user == "10:20"
    assert parse("ARG BASE=debian\nFROM $BASE", {"BASE": "other"})[0].base == "other"


@pytest.mark.parametrize("text", ["FROM a\nADD x y", 'FROM a\nSHELL ["bash"]', "FROM a\nRUN <<EOF\nls\nEOF"])
def test_what_it_cannot_execute_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(text)


@pytest.mark.skipif(os.geteuid() != 0, reason="what is copied becomes root's")
def test_copy_puts_files_and_the_content_of_folders(tmp_path: Path) -> None:
    for name in ("context/a.txt", "context/tree/b.txt", "context/tree/__pycache__/c.pyc", "before/opt/d.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    build = Build(tmp_path, tmp_path / "base", tmp_path / "context")
    root, settings = tmp_path / "root", Settings(folder="/work")
    for value in ("a.txt ./", "a.txt /other/name.txt", "tree /opt/tree", "--from=before /opt /opt"):
        build.copy(root, Step("COPY", value, 1), settings)
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert found == {"work/a.txt", "other/name.txt", "opt/tree/b.txt", "opt/d.txt"}
    with pytest.raises(NotUnderstood):
        build.copy(root, Step("COPY", "--chown=1 a.txt /", 1), settings)

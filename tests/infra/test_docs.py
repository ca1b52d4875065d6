"""Every command in the documents is run here, or named with the test that runs it."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ops.steps import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"(?:^ {4}|`|^)((?:[A-Z][A-Za-z_]*=\S+ )*(?:make [a-z]|(?:\S*python) -m )[^`\n]*)", re.MULTILINE)
# What takes minutes or a person is run elsewhere, by the test or the job named.
ELSEWHERE = {
    "make run": "tests/e2e/test_make_run.py",
    "make test": ".ci/run",
    "make check": "ops/hooks/pre-commit",
    "make hooks": "tests/unit/test_hooks.py",
    "make templates": "tests/infra/test_one_source.py",
    "make sbom": "tests/infra/test_licences.py",
    "make deploy": "tests/infra/test_deploy.py",
    "make destroy": "tests/infra/test_destroy.py",
    "make bench": "bench",
    "make load": "bench",
    "make clocks": "bench",
    "make image-check": "tests/integration/image/test_container.py",
    "make arm-check": "tests/unit/test_arm.py",
    "make shuffle": "tests/integration",
    "make judges": "tests/integration/platform/test_table_servers.py",
    "make image": "tests/integration/image/test_built.py",
    "python -m bench": "tests/bench",
    "python -m ops.building": "tests/integration/image/test_built.py",
    "python -m ops.container": "tests/integration/image/test_container.py",
    "python -m pytest": None,
    "python -m tests.infra.policies": "tests/infra/test_permissions.py",
    "python -m ops.prices": "tests/unit/bridge/provider/test_prices.py",
    "python -m local": "tests/e2e/test_make_run.py",
}
PATH = re.compile(r"`((?:chalicelib|container|local|cdk|ops|tests|frontend|bench)/[\w./-]+)`")
WITHOUT_CLOUD = re.compile(r"No AWS (region|credentials)|Nothing was changed|not installed|is missing")


def commands() -> list[str]:
    found: dict[str, None] = {}
    for page in PAGES:
        for line in COMMAND.findall(page.read_text()):
            found[re.split(r" {2,}| #|; ", line)[0].strip().rstrip(".,")] = None
    return list(found)


def elsewhere(command: str) -> str | None:
    bare = re.sub(r"^(\S+=\S+ )+", "", command).replace(".venv/bin/", "")
    return next((name for name in ELSEWHERE if bare == name or bare.startswith(name + " ")), None)


def test_the_documents_hold_commands() -> None:
    assert len(commands()) > 12, commands()


@pytest.mark.parametrize("command", [command for command in commands() if not elsewhere(command)])
def test_a_command_runs_as_written(command: str, tmp_path: Path) -> None:
    """Without an account it stops at one clear sentence; a wrong option or target would end it otherwise."""
    env = {name: os.environ[name] for name in ("PATH",)} | {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    line = command.replace(".venv/bin/python", sys.executable).replace("python -m", f"{sys.executable} -m", 1)
    if line.startswith("make "):
        line = "make --no-print-directory -o .venv/.stamp " + line.removeprefix("make ")
    arguments = shlex.split(re.sub(r"[][]", "", line.replace("<stage>", "dev")))
    done = subprocess.run(
        arguments, cwd=ROOT, env=env, input="x\n", capture_output=True, text=True, timeout=60, check=False
    )
    said = done.stdout + done.stderr
    assert "usage:" not in said, said
    assert "No rule to make target" not in said, said
    assert "Traceback" not in said, said
    assert done.returncode == 0 or WITHOUT_CLOUD.search(said), (done.returncode, said)


@pytest.mark.parametrize("command", [command for command in commands() if elsewhere(command)])
def test_a_command_that_is_run_elsewhere_exists(command: str) -> None:
    name = elsewhere(command)
    assert name is not None
    place = ELSEWHERE[name]
    assert place is None or (ROOT / place).exists(), f"{command}: {place} is gone"
    if name.startswith("make "):
        target = name.removeprefix("make ")
        makefiles = [ROOT / "Makefile", *ROOT.glob("ops/*.mk")]
        assert any(re.search(rf"^{target}:", file.read_text(), re.MULTILINE) for file in makefiles), target


def test_a_linked_page_exists() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_a_named_file_exists() -> None:
    """A path in backquotes is one of ours."""
    for page in PAGES:
        for name in re.findall(
            r"`((?:chalicelib|container|local|cdk|ops|tests|frontend|bench)/[\w./-]+)`", page.read_text()
        ):
            assert (ROOT / name).exists(), f"{page.name} names {name}"


def test_each_alarm_is_explained() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    alarms = re.findall(r'self\._on\("(\w+)"', (ROOT / "cdk" / "stacks" / "monitoring.py").read_text())
    assert len(alarms) >= 4
    for name in alarms:
        assert f"`{name}`" in text


def test_each_named_log_event_is_one_of_ours() -> None:
    code = "".join(
        file.read_text() for folder in ("chalicelib", "container/bridge") for file in (ROOT / folder).rglob("*.py")
    )
    known = set(re.findall(r'log\.(?:event|failure)\(\s*"(\w+)"', code))
    text = (ROOT / "docs" / "operations.md").read_text()
    named = {name for name in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", text) if not name.startswith(("message_id",))}
    assert named <= known, named - known

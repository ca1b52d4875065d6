"""The git hooks, in a repository of their own: documents only are let through, code is checked."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there are no hooks without git")
# Where `make hooks` finds what it needs; the rest of the repository is the tests' own.
COPIED = ("Makefile", "ops/deploy.mk", "ops/bench.mk", "ops/hooks/pre-commit", "ops/hooks/pre-push")


class Repository:
    """With the hooks switched on by `make hooks`; `make` and `.venv/bin/python` then only write down their calls."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls_file = folder / "work", folder / "calls"
        # Nothing of the git that may be running these tests, as a hook, in the repository they belong to.
        self.env = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder)}
        self.env |= {"GIT_CONFIG_NOSYSTEM": "1", "CALLS": str(self.calls_file), "LANG": "C.UTF-8"}
        for name in COPIED:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.folder / name)
        self.write("requirements-cdk.txt", f"# pinned\npytest=={version('pytest')}\n")
        self.write(".gitignore", ".venv\n")
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Ann")
        self.git("config", "user.email", "ann@example.com")
        self.git("init", "--quiet", "--bare", str(folder / "remote"))
        self.git("remote", "add", "origin", str(folder / "remote"))
        self.run("make", "hooks")
        self.program(folder / "bin" / "make", 'echo "make $*" >> "$CALLS"')
        imports = f'[ "$1" = -c ] && exec {sys.executable} "$@"'
        self.program(self.folder / ".venv/bin/python", f'{imports}\necho "python $*" >> "$CALLS"')

    def run(self, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments).stdout.strip()

    def program(self, path: Path, script: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def commit(self, *names: str) -> list[str]:
        """A change of those files; what the hook called."""
        for name in names:
            self.write(name, f"{len(self.git('log', '--oneline', '--all'))}\n")
        self.git("add", "--all")
        return self.calling("git", "commit", "--quiet", "-m", "change")

    def push(self, *arguments: str) -> list[str]:
        return self.calling("git", "push", "--quiet", "origin", *arguments)

    def calling(self, *command: str) -> list[str]:
        self.calls_file.write_text("")
        self.run(*command)
        return self.calls_file.read_text().splitlines()


CHECK, INFRA = ["make check"], ["python -m pytest tests/infra"]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Everything so far is committed and pushed."""
    repository = Repository(tmp_path)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--no-verify", "-m", "start")
    repository.git("push", "--quiet", "--no-verify", "origin", "main")
    return repository


def test_make_hooks_switches_them_on(repository: Repository) -> None:
    assert repository.git("config", "core.hooksPath") == "ops/hooks"


@pytest.mark.parametrize("names", [["docs/guide.md"], ["README.md", "docs/images/page.png"]])
def test_a_change_of_documents_is_let_through(repository: Repository, names: list[str]) -> None:
    assert repository.commit(*names) == []
    assert repository.push("main") == []


@pytest.mark.parametrize(
    "names", [["app.py"], ["docs/guide.md", "app.py"], ["requirements.txt"], ["frontend/README.md"]]
)
def test_a_change_of_code_is_checked(repository: Repository, names: list[str]) -> None:
    assert repository.commit(*names) == CHECK
    assert repository.push("main") == INFRA


def test_code_that_leaves_is_a_change_of_code(repository: Repository) -> None:
    """Git shows a file that was moved under its new name only."""
    repository.commit("old.py", "other.py")
    repository.push("main")
    (repository.folder / "docs").mkdir()
    repository.git("mv", "old.py", "docs/old.py")
    assert repository.commit() == CHECK
    assert repository.push("main") == INFRA
    repository.git("rm", "--quiet", "other.py")
    assert repository.commit() == CHECK
    assert repository.push("main") == INFRA


def test_a_check_that_fails_stops_the_commit_and_the_push(repository: Repository) -> None:
    head = repository.git("rev-parse", "HEAD")
    repository.program(Path(repository.env["HOME"]) / "bin" / "make", "exit 2")
    repository.write("app.py", "1")
    repository.git("add", "--all")
    assert repository.run("git", "commit", "-m", "change", check=False).returncode != 0
    assert repository.git("rev-parse", "HEAD") == head
    repository.git("commit", "--quiet", "--no-verify", "-m", "change")
    repository.program(repository.folder / ".venv/bin/python", '[ "$1" = -c ]')
    assert repository.run("git", "push", "origin", "main", check=False).returncode != 0
    assert repository.git("ls-remote", "origin", "main").split()[0] == head


def test_a_first_push_is_checked(tmp_path: Path) -> None:
    """Of a repository with one commit: there is nothing to compare it with."""
    repository = Repository(tmp_path)
    assert repository.commit("app.py") == CHECK
    assert repository.push("main") == INFRA


def test_what_is_pushed_counts_and_not_what_is_checked_out(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "code")
    repository.commit("app.py")
    repository.git("checkout", "--quiet", "-b", "words", "main")
    repository.commit("docs/guide.md")
    assert repository.push("code") == INFRA
    assert repository.push("words") == [], "a new branch of documents"
    assert repository.push("--delete", "code") == []


@pytest.mark.parametrize(
    ("side", "merge", "called"),
    [("docs/guide.md", "docs/guide.md", []), ("app.py", "docs/guide.md", INFRA), ("docs/guide.md", "app.py", INFRA)],
)
def test_a_merge_counts_with_all_that_it_brings(
    repository: Repository, side: str, merge: str, called: list[str]
) -> None:
    """What its branch changed, and what was changed in the merge itself."""
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit(side)
    repository.git("checkout", "--quiet", "main")
    repository.commit("docs/other.md")
    repository.git("merge", "--quiet", "--no-commit", "side")
    repository.commit(merge)
    assert repository.push("main") == called


def test_code_below_a_change_of_documents_is_checked(repository: Repository) -> None:
    repository.commit("app.py")
    repository.commit("docs/guide.md")
    assert repository.push("main") == INFRA


@pytest.mark.parametrize("missing", ["packages", "version", "environment"])
def test_without_the_infrastructure_packages_it_says_what_to_install(repository: Repository, missing: str) -> None:
    """`make check` does not install them: 500 MB that only a change of the infrastructure needs."""
    wanted = {"packages": "no-such-package==1.0", "version": "pytest==0.1"}
    repository.commit("app.py")
    if missing == "environment":
        shutil.rmtree(repository.folder / ".venv")
    else:
        repository.write("requirements-cdk.txt", f"{wanted[missing]}\n")
    done = repository.run("git", "push", "--quiet", "origin", "main", check=False)
    first = done.stderr.splitlines()[0]
    assert done.returncode != 0
    assert ".venv/bin/python -m pip install -r requirements-cdk.txt" in first
    assert not repository.calls_file.read_text().count("pytest")
    assert "Traceback" not in done.stderr

"""Runs named steps one after another (or at once), says how long each took, stops at a failure."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATHS = ["app.py", "chalicelib", "container/bridge", "local", "cdk", "ops", "bench", "tests"]


@dataclass(frozen=True)
class Step:
    """A command. Its output is shown at once. With `quiet`, all of it is shown only on failure, else the last line."""

    name: str
    command: list[str]
    quiet: bool = True
    folder: Path = ROOT
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> bool:
        begun = time.monotonic()
        env = os.environ | {"MYPYPATH": "container", "PYTHONPATH": f"{ROOT}:{ROOT / 'container'}"} | dict(self.env)
        if self.quiet:
            done = subprocess.run(
                self.command, cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
            )
            said = done.stdout.decode(errors="replace").strip()
            if said:
                print(said if done.returncode != 0 else said.splitlines()[-1], flush=True)
        else:
            done = subprocess.run(self.command, cwd=self.folder, env=env, check=False)
        word = "ok" if done.returncode == 0 else f"FAILED ({done.returncode})"
        print(f"[{time.monotonic() - begun:6.1f} s] {self.name}: {word}", flush=True)
        return done.returncode == 0


def python(name: str, *arguments: str, quiet: bool = True) -> Step:
    return Step(name, [sys.executable, "-m", *arguments], quiet)


def static() -> list[Step]:
    """Lint and types of everything in Python."""
    paths = [
        path for path in PATHS if ((ROOT / path).exists() and any((ROOT / path).rglob("*.py"))) or path == "app.py"
    ]
    return [
        python("ruff check", "ruff", "check", "."),
        python("ruff format", "ruff", "format", "--check", "."),
        python("mypy --strict", "mypy", *paths),
    ]


def in_order(steps: list[Step]) -> bool:
    return all(step.run() for step in steps)


def at_once(steps: list[Step], workers: int = 2) -> bool:
    with ThreadPoolExecutor(workers) as pool:
        return all(list(pool.map(Step.run, steps)))

"""`make judges`: the code that talks to AWS and to Telegram, on stand-ins that others wrote."""

import os
import subprocess
import sys
from pathlib import Path

from local.tools import ROOT, ToolError, find, npm_ci
from ops.steps import python

FOLDER = ROOT / "tests" / "judges"
VENV = ROOT / ".local" / "judges"


def _say(text: str) -> None:
    print(f"  … {text}", flush=True)


def packages() -> None:
    """The npm packages. Raises ToolError."""
    npm_ci(find(), FOLDER, "what the tests are held against", _say)


def cognito_local() -> Path:
    """Its program. Raises ToolError."""
    folder = FOLDER / "cognito"
    npm_ci(find(), folder, "cognito-local", _say)
    return folder / "node_modules" / "cognito-local" / "lib" / "bin" / "start.js"


def ministack() -> Path:
    """Its Python. It has a venv of its own, because it asks for another botocore than ours. Raises ToolError."""
    wanted, stamp, made = FOLDER / "requirements.txt", VENV / ".stamp", VENV / "bin" / "python"
    if stamp.exists() and stamp.read_text() == wanted.read_text():
        return made
    _say("installing ministack")
    pip = [str(made), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(wanted)]
    for command in ([sys.executable, "-m", "venv", "--clear", str(VENV)], pip):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolError(f"ministack cannot be installed:\n{done.stderr[-2000:]}")
    stamp.write_text(wanted.read_text())
    return made


def main() -> int:
    try:
        packages()
        ministack()
        cognito_local()
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    os.environ["JUDGES"] = "dynalite ministack cognito-local"
    tests = python("judges", "pytest", "tests/integration", "-m", "judged", "--durations=5", quiet=False)
    return 0 if tests.run() else 1


if __name__ == "__main__":
    sys.exit(main())

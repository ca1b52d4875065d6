"""`make check`: types, lint and unit tests in under a minute; the pre-commit hook runs it."""

import sys
import time

from local.tools import find
from ops.steps import ROOT, Step, at_once, python, static


def frontend() -> list[Step]:
    """The web app's types and unit tests, where its packages are installed."""
    tools = find()
    folder = ROOT / "frontend"
    if not (folder / "node_modules" / ".stamp").exists():
        print("The web app's packages are not installed: its check is left to `make test`.")
        return []
    env = {"PATH": f"{tools.node.parent}:/usr/local/bin:/usr/bin:/bin", "CI": "true"}
    npm = [str(tools.node), str(tools.npm), "run", "--silent"]
    return [Step(f"web {name}", [*npm, name], folder=folder, env=env) for name in ("typecheck", "test")]


def main() -> int:
    begun = time.monotonic()
    # Many unit tests wait for a time to be over: two workers share their files.
    unit = python("unit tests", "pytest", "tests/unit", "-n", "2", "--dist", "loadfile", quiet=False)
    passed = at_once([*static(), unit, *frontend()])
    print(f"check: {'passed' if passed else 'FAILED'} in {time.monotonic() - begun:.0f} s")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

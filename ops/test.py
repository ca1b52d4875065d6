"""`make test`: everything, on a machine that has only Python, make and the package registries."""

import os
import shutil
import subprocess
import sys
import time

from local.tools import ToolError, install
from ops import judges
from ops.check import frontend
from ops.steps import ROOT, Step, at_once, in_order, python, static


def chromium() -> str | None:
    """Install Debian's Chromium if it is missing and may be installed. Otherwise say what to do."""
    if any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return None
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return "Chromium is missing: install it (Debian: apt-get install chromium) and run `make test` again."
    print("  … installing Chromium (a Debian package)", flush=True)
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(["apt-get", *arguments], env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return f"apt-get {arguments[0]} failed: {done.stderr.strip().splitlines()[-1:]}"
    return None


def main() -> int:
    begun = time.monotonic()
    problem = chromium()
    if problem is not None:
        print(problem, file=sys.stderr)
        return 1
    try:
        install(lambda text: print(f"  … {text}", flush=True))
        judges.packages()
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    infra = ROOT / "requirements-cdk.txt"
    if infra.exists():
        print("  … installing the infrastructure packages", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(infra)]
        if subprocess.run(pip, check=False).returncode != 0:
            return 1
    print(f"  … ready to test after {time.monotonic() - begun:.0f} s", flush=True)
    passed = (
        at_once([*static(), *frontend()])
        # The integration tests are by far the longest: two workers share their files.
        and at_once(
            [suite("integration", "not stack", workers=2), *(suite(folder) for folder in ("infra", "bench", "unit"))]
        )
        # These look at times: nothing else runs beside them. They mostly wait, for OpenClaw to start or for a time
        # to be over, so several workers, each with a stack (and a browser) of its own, share their files. A third
        # browser was tried: it gains nothing.
        and in_order([suite("integration", "stack", quiet=False, workers=3), suite("e2e", quiet=False, workers=2)])
    )
    print(f"test: {'passed' if passed else 'FAILED'} in {time.monotonic() - begun:.0f} s")
    return 0 if passed else 1


def suite(folder: str, marked: str = "", quiet: bool = True, workers: int = 0) -> Step:
    """The tests of a folder, or those of them with that mark; a file's tests stay in order in one worker."""
    name = f"{folder} tests" + (f" ({marked})" if marked else "")
    arguments = [f"tests/{folder}", "--durations=5", *(["-m", marked] if marked else [])]
    if workers:
        # In their order: else the files with the fewest tests, which are the longest ones, come last.
        arguments += ["-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder"]
    return python(name, "pytest", *arguments, quiet=quiet)


if __name__ == "__main__":
    sys.exit(main())

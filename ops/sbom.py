"""`make sbom`: what ships, as CycloneDX files and as a list of licences; with --audit, known vulnerabilities.

Python packages are installed into an environment for each place and read there; npm's are read from the lock
files. The result is in build/sbom/. The base image's own packages are not in it: a registry scans the image.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import version
from pathlib import Path

from local.tools import find
from ops import licences
from ops.licences import ADDED, AGENT, FUNCTIONS, LOCKS, OPENCLAW, PAGE, REQUIREMENTS
from ops.steps import ROOT

FOLDER = ROOT / "build" / "sbom"
NAMES = {AGENT: "bridge", FUNCTIONS: "functions", OPENCLAW: "openclaw", PAGE: "page"}
QUIET = ("-q", "--disable-pip-version-check")
CLEAN = "nothing known"


class SbomFailed(Exception):
    """A program ended otherwise than with status 0. The message holds its last words."""


def run(command: list[str], folder: Path = ROOT) -> str:
    """Its output. Raises SbomFailed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SbomFailed(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout


def tools() -> Path:
    """The Python of an environment with the programs of requirements-sbom.txt; made once."""
    folder = FOLDER / "tools"
    python = folder / "bin" / "python"
    if not (folder / "bin" / "cyclonedx-py").exists():
        venv.create(folder, with_pip=True)
        run([str(python), "-m", "pip", "install", *QUIET, "-r", str(ROOT / "requirements-sbom.txt")])
    return python


def of_python(place: str, python: Path) -> str:
    """The bill of a requirements file, with what its packages need unless the file names everything."""
    more = ["--no-deps", *(f"{name}=={version(name)}" for name in ADDED[place])] if place == FUNCTIONS else []
    with tempfile.TemporaryDirectory() as name:
        venv.create(name, with_pip=False)
        inside = f"{name}/bin/python"
        run([sys.executable, "-m", "pip", "--python", inside, "install", *QUIET, *more, "-r", str(REQUIREMENTS[place])])
        return run([str(python.parent / "cyclonedx-py"), "environment", "--output-reproducible", inside])


def of_npm(place: str) -> str:
    """The bill of a lock file, without what is for development only."""
    found = find()
    with tempfile.TemporaryDirectory() as name:
        for file in ("package.json", "package-lock.json"):
            document = json.loads((LOCKS[place] / file).read_text())
            # npm makes no bill for a package without a version.
            for entry in (document, document.get("packages", {}).get("", document)):
                entry.setdefault("version", "0.0.0")
            (Path(name) / file).write_text(json.dumps(document))
        options = ["--sbom-format=cyclonedx", "--package-lock-only", "--omit=dev", "--loglevel=error"]
        return run([str(found.node), str(found.npm), "sbom", *options], Path(name))


def write() -> list[str]:
    """Write all files; what was written."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    python, said = tools(), []
    for place, name in NAMES.items():
        text = of_python(place, python) if place in REQUIREMENTS else of_npm(place)
        (FOLDER / f"{name}.cdx.json").write_text(text)
        said.append(f"{name}.cdx.json: {len(json.loads(text)['components'])} packages ({place})")
    (FOLDER / "licences.txt").write_text(licences.table())
    refused = [one for one in licences.components() if not licences.allowed(one.licence)]
    said.append("licences.txt: every licence is allowed" if not refused else f"NOT ALLOWED: {refused}")
    return said


def audit() -> list[str]:
    """What the registries know of vulnerabilities. A registry without this service is said to be one."""
    found, said = find(), []
    for place, folder in LOCKS.items():
        command = [str(found.node), str(found.npm), "audit", "--package-lock-only", "--omit=dev"]
        said.append(_audited(place, [*command, "--loglevel=error"], folder))
    for place, path in REQUIREMENTS.items():
        command = [str(tools().parent / "pip-audit"), "--progress-spinner=off", "--strict", "-r", str(path)]
        said.append(_audited(place, [*command, "--disable-pip", "--no-deps"], ROOT))
    return said


def _audited(place: str, command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    words = (done.stdout + done.stderr).strip()
    return f"audit of {place}: {CLEAN if done.returncode == 0 else words[-1500:]}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Write build/sbom/: CycloneDX files and the list of licences.")
    parser.add_argument("--audit", action="store_true", help="ask the registries for known vulnerabilities as well")
    options = parser.parse_args()
    try:
        written, audited = write(), audit() if options.audit else []
    except SbomFailed as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join([*written, *audited]))
    return 0 if all(line.endswith(CLEAN) for line in audited) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Prepares build/<stage>: the application as Chalice packages it, but smaller and compiled.

Chalice alone ships 22 MB (with botocore, which the Lambda runtime has) and no bytecode, so every cold start
compiles the code again. Here the libraries are fetched for arm64 without botocore. They are compiled to
hash-based bytecode, which stays valid although a zip has no file times.
"""

import compileall
import hashlib
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import chalice

from ops.deployment import engine
from ops.steps import ROOT

BUILD = ROOT / "build"
LIBRARIES = Path(__file__).with_name("lambda.txt")
# In the packages, and never imported here: cryptography needs only cffi's compiled backend (a test checks both).
UNUSED = ("cffi", "pycparser", "backports/zstd/tarfile.py", "backports/zstd/zipfile")
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH
# Where the code lies in Lambda: tracebacks name it, and the bytecode is the same on every machine.
TASK_ROOT = "/var/task"
# Chalice reads these at import of the app; the libraries for arm64 stand first on its path.
PRELOAD = "import jwt, requests, pynamodb.models, cryptography.hazmat.bindings._rust"
RUN = f"{PRELOAD}; import sys; from chalice.cli import main; sys.exit(main())"


class BuildError(Exception):
    """The application could not be packaged; the message says what to do."""


def config(stage: str, told: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The committed configuration, cut to one stage, with the variables `told` in it. Raises BuildError."""
    document: dict[str, Any] = json.loads((ROOT / ".chalice" / "config.json").read_text())
    if stage not in document["stages"]:
        known = ", ".join(sorted(document["stages"]))
        raise BuildError(f"The stage {stage} is not in .chalice/config.json (there: {known}); add it there.")
    settings = document["stages"][stage]
    variables = settings["environment_variables"]
    variables |= {name: value for name, value in (told or {}).items() if name in variables}
    if engine.asked(told):
        variables |= engine.variables(stage)
        settings["lambda_functions"]["websocket_disconnect"]["lambda_timeout"] = engine.ENDING_SECONDS
    # app.py makes one function for each cron; they differ in their names only.
    for name in prewarms(variables["PREWARM_CRONS"]):
        policy = {"iam_policy_file": f"policy-{name}.json"}
        settings["lambda_functions"][name] = settings["lambda_functions"]["prewarm"] | policy
    return document | {"stages": {stage: settings}}


def prewarms(crons: str) -> list[str]:
    """The names app.py gives to the functions of the second cron and those after it."""
    count = sum(1 for cron in crons.split(";") if cron.strip())
    return [f"prewarm_{number}" for number in range(2, count + 1)]


def lay_out(
    stage: str,
    folder: Path | None = None,
    values: Mapping[str, str] | None = None,
    told: Mapping[str, str] | None = None,
) -> Path:
    """Rebuild build/<stage>; its functions get the variables `told`. Raises BuildError.

    CloudFormation fills in ${AWS::Region} and {{resolve:ssm:…}}. `chalice deploy` does not: for it
    `values` names what to put there, by "AWS::Region" or by the parameter's full name.
    """

    def filled(text: str) -> str:
        if values is None:
            return text
        text = re.sub(r"\$\{([^}]+)\}", lambda m: values[m.group(1)], text)
        return re.sub(r"\{\{resolve:ssm:([^}]+)\}\}", lambda m: values[m.group(1)], text)

    settings = config(stage, told)
    target = folder or BUILD / stage
    shutil.rmtree(target, ignore_errors=True)
    (target / ".chalice").mkdir(parents=True)
    shutil.copy(ROOT / "app.py", target)
    shutil.copytree(ROOT / "chalicelib", target / "chalicelib", ignore=shutil.ignore_patterns("__pycache__"))
    (target / ".chalice" / "config.json").write_text(filled(json.dumps(settings, indent=1)))
    for name in settings["stages"][stage]["lambda_functions"]:
        function = "prewarm" if name.startswith("prewarm") else name
        text = (ROOT / ".chalice" / f"policy-{function}.json").read_text()
        text = engine.policy(function, text) if engine.asked(told) else text
        text = text.replace("${Stage}", stage).replace("-prewarm:", f"-{name}:")
        (target / ".chalice" / f"policy-{name}.json").write_text(filled(text))
    (target / "requirements.txt").write_text("# Everything is in vendor/.\n")
    shutil.copytree(libraries(), target / "vendor")
    if engine.asked(told):
        engine.add_model(target / "vendor")
    _compile(target)
    return target


def libraries() -> Path:
    """The libraries for Lambda, compiled; kept for the next build with the same list. Raises BuildError."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    mark = hashlib.sha256(LIBRARIES.read_bytes() + f"{sys.version} {UNUSED}".encode()).hexdigest()[:12]
    folder = BUILD / f"vendor-{mark}"
    if folder.exists():
        return folder
    BUILD.mkdir(exist_ok=True)
    fresh = BUILD / f".vendor-{os.getpid()}"
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-compile"]
    command += ["--no-deps", "--only-binary=:all:", "--implementation=cp", f"--python-version={version}"]
    command += ["--platform=manylinux2014_aarch64", "--platform=manylinux_2_26_aarch64"]
    command += [f"--target={fresh}", f"--requirement={LIBRARIES}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        reason = next((line for line in done.stderr.splitlines() if "ERROR" in line), "pip failed")
        raise BuildError(f"The libraries for Lambda could not be fetched: {reason}")
    shutil.rmtree(fresh / "bin", ignore_errors=True)
    for name in UNUSED:
        shutil.rmtree(fresh / name) if (fresh / name).is_dir() else (fresh / name).unlink()
    compileall.compile_dir(
        fresh, quiet=2, stripdir=str(fresh), prependdir=TASK_ROOT, invalidation_mode=UNCHECKED, workers=2
    )
    try:
        fresh.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        shutil.rmtree(fresh)  # another process has made the same meanwhile
    return folder


def _compile(target: Path) -> None:
    """Bytecode of our own files and of Chalice's runtime, which Chalice adds as source."""
    compileall.compile_dir(
        target / "chalicelib", quiet=2, stripdir=str(target), prependdir=TASK_ROOT, invalidation_mode=UNCHECKED
    )
    tag = sys.implementation.cache_tag
    runtime = Path(chalice.__file__).parent
    for source, place in (
        (target / "app.py", ""),
        (runtime / "app.py", "chalice/"),
        (runtime / "__init__.py", "chalice/"),
    ):
        compiled = target / "vendor" / place / "__pycache__" / f"{source.stem}.{tag}.pyc"
        compiled.parent.mkdir(parents=True, exist_ok=True)
        where = f"{TASK_ROOT}/{place}{source.name}"
        py_compile.compile(str(source), str(compiled), where, doraise=True, invalidation_mode=UNCHECKED)


def run_chalice(project: Path, *arguments: str, region: str, env: dict[str, str] | None = None) -> str:
    """Run Chalice on a prepared project and return its output. Raises BuildError."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=project,
        env=os.environ | {"AWS_DEFAULT_REGION": region, "PYTHONDONTWRITEBYTECODE": "1"} | (env or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    # If a library is missing, Chalice only warns and ends with status 0.
    if done.returncode != 0 or "Could not install dependencies" in said:
        raise BuildError(f"chalice {arguments[0]} failed:\n{said[-2000:]}")
    return said

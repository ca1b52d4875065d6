"""The deployed zip: its size, and the time of each function's cold start.

The zip is extracted as Lambda does it. Each run is a new interpreter without site-packages. A separate folder
contains what Lambda's runtime provides. The zip's binaries are arm64; on another machine, its own builds of
those three packages replace them.
"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import botocore

from bench import cloud as clouds
from bench.bars import ROOT
from bench.cases import CASES, Case
from bench.cloud import Cloud
from bench.events import Json
from bench.registry import Options
from bench.rows import Row, row
from ops.deployment import build

SECTION = "package"
SITE = Path(str(botocore.__file__)).parent.parent
RUNTIME = ("botocore", "urllib3", "jmespath", "dateutil", "six.py")
NATIVE = ("cryptography", "cffi", "charset_normalizer")
FIRST_CALL = ROOT / "bench" / "first_call.py"


def run(options: Options) -> list[Row]:
    archive = _package(options.folder)
    size = archive.stat().st_size / 1e6
    path = _extracted(archive, options.folder)
    rows = [row(SECTION, "deployment.zip", "MB", [size], "package")]
    imports = [_fresh(path, None, None) for _ in range(options.runs(20))]
    note = "import of app.py, which is what Lambda's init does for every function"
    rows.append(row(SECTION, "cold import", "ms", _ms(imports, "import"), "cold-import", note))
    rows.append(row(SECTION, "cold import: processor", "ms", _ms(imports, "import_cpu")))
    with clouds.running(options.folder) as cloud:
        for case in CASES:
            rows += _first(case, cloud, path, options)
    return rows


def _package(folder: Path) -> Path:
    """deployment.zip as `make deploy` makes it, in a folder of our own."""
    project = build.lay_out("dev", folder / "project")
    build.run_chalice(project, "package", "--stage", "dev", str(folder / "out"), region="us-east-1")
    return folder / "out" / "deployment.zip"


def _extracted(archive: Path, folder: Path) -> list[str]:
    """The path of the fresh interpreter: native builds of this machine, the zip, Lambda's runtime."""
    task, native, runtime = folder / "task", folder / "native", folder / "runtime"
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(task)  # our own zip, a moment old
    for target, names in ((native, NATIVE), (runtime, RUNTIME)):
        target.mkdir()
        for name in names:
            (target / name).symlink_to(SITE / name)
    for library in SITE.glob("_cffi_backend*.so"):
        (native / library.name).symlink_to(library)
    return [str(native), str(task), str(runtime)]


def _fresh(path: list[str], function: str | None, event: Json | None) -> dict[str, float]:
    spec = json.dumps({"path": path, "function": function, "event": event})
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-S", str(FIRST_CALL), spec],
        env=env | {"PYTHONDONTWRITEBYTECODE": "1"},
        cwd=path[1],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"a cold start failed: {done.stderr.strip()[-500:]}")
    times: dict[str, float] = json.loads(done.stdout)
    return times


def _ms(times: list[dict[str, float]], name: str) -> list[float]:
    return [entry[name] * 1000 for entry in times]


def _first(case: Case, cloud: Cloud, path: list[str], options: Options) -> list[Row]:
    event = case.prepare(cloud)
    times = [_fresh(path, case.function, event()) for _ in range(options.runs(10))]
    whole = [entry["import"] + entry["first"] for entry in times]
    return [
        row(SECTION, f"{case.name}: first invocation", "ms", _ms(times, "first")),
        row(SECTION, f"{case.name}: import and first invocation", "ms", [value * 1000 for value in whole]),
    ]

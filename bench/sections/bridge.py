"""Our own part of the container: how long it takes to start, how much memory it holds."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import botocore

from bench import stack as stacks
from bench.bars import ROOT
from bench.processes import memory
from bench.registry import Options
from bench.rows import Row, row
from bench.sections.coldstart import phases
from bench.stack import Tab, TaskStart, end_tasks
from bench.stamps import ask
from local.stack import Stack

SECTION = "bridge"
IMPORT = "import time; t = time.perf_counter(); import bridge.task; print(time.perf_counter() - t)"
TURNS = 20


def run(options: Options) -> list[Row]:
    return [*_start(options), *_memory(options)]


def _start(options: Options) -> list[Row]:
    imports = [_import() for _ in range(options.runs(10))]
    rows = [row(SECTION, "import of everything the Bridge needs", "ms", imports)]
    starts: dict[str, list[float]] = {}
    with stacks.running(options.folder / "scripted", scripted=True) as (stack, _):
        for _ in range(options.runs(8)):
            for name, seconds in phases(stack, Tab(stack)).items():
                starts.setdefault(name, []).append(seconds * 1000)
            end_tasks(stack)
    note = "a gateway that starts in 0.1 s in OpenClaw's place"
    names = {"booting": "process start to the restored memory", "ready": "process start to ready"}
    names |= {"answered": "process start to the first whole answer"}
    return rows + [row(SECTION, shown, "ms", starts[name], note=note) for name, shown in names.items()]


def _import() -> float:
    done = subprocess.run([sys.executable, "-c", IMPORT], env=os.environ, capture_output=True, text=True, check=True)
    return float(done.stdout) * 1000


def _memory(options: Options) -> list[Row]:
    """Memory of the Bridge's process next to the real OpenClaw, idle, early and later."""
    seen: dict[str, list[float]] = {}
    libraries = _libraries(options.folder / "libraries")
    with stacks.running(options.folder / "real", LOCAL_TASK_LIBRARIES=str(libraries)) as (stack, _):
        for _ in range(options.runs(2, 1)):
            _one_life(stack, seen, options.runs(TURNS))
            end_tasks(stack)
    rows = []
    for when in ("ready", f"{TURNS} turns"):
        for kind, shown in (("rss", "RSS"), ("pss", "PSS"), ("uss", "USS"), ("peak", "highest RSS so far")):
            bar = "memory" if (when, kind) == (f"{TURNS} turns", "rss") else ""
            note = "RSS is held against the bar: it counts shared pages in full" if bar else ""
            rows.append(row(SECTION, f"after {when}: {shown}", "MB", seen[f"{when} {kind}"], bar, note))
    return rows


def _libraries(folder: Path) -> Path:
    """botocore as it is in the image: without the descriptions that the Bridge has no use for."""
    whole = Path(str(botocore.__file__)).parent
    shutil.copytree(whole, folder / "botocore", ignore=shutil.ignore_patterns("__pycache__"))
    prune = [sys.executable, str(ROOT / "container" / "image" / "prune_botocore.py"), str(folder / "botocore" / "data")]
    subprocess.run(prune, check=True, stdout=subprocess.DEVNULL)
    return folder


def _one_life(stack: Stack, seen: dict[str, list[float]], turns: int) -> None:
    tab, start = Tab(stack), TaskStart(stack)
    tab.turn("hello")
    start.at()
    for when, count in (("ready", 0), (f"{TURNS} turns", turns)):
        for _ in range(count):
            tab.turn(ask(100, 2))
        time.sleep(2)  # the turn's snapshot and writes end
        for kind, value in memory(start.pid).items():
            seen.setdefault(f"{when} {kind}", []).append(value)
    tab.close()

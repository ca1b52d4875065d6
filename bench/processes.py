"""Child processes of a section: started, known by the port they print, ended for sure."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.bars import ROOT

TICK = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def served(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """The port of a module that prints {"port": …} when it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=os.environ | dict(env or {}),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{module} did not start")
        yield int(json.loads(line)["port"])
    finally:
        end(process)


def end(process: "subprocess.Popen[str]", seconds: float = 20) -> None:
    """SIGTERM, then SIGKILL."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def started_at(pid: int) -> float:
    """When a process was started, on the clock of time.monotonic (to 10 ms)."""
    fields = (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[19]) / TICK


def memory(pid: int) -> dict[str, float]:
    """MB: rss (all pages it touches), pss (shared ones by share), uss (its own), peak (rss ever)."""
    folder = Path("/proc") / str(pid)
    sizes = {}
    for file in ("smaps_rollup", "status"):
        for line in (folder / file).read_text().splitlines():
            name, _, value = line.partition(":")
            if value.strip().endswith(" kB"):
                sizes[name] = int(value.split()[0]) * 1024 / 1e6
    uss = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return {"rss": sizes["VmRSS"], "pss": sizes["Pss"], "uss": uss, "peak": sizes["VmHWM"]}

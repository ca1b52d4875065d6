"""Where and with what a run was made."""

import json
import os
import platform
import subprocess
import time
from pathlib import Path

from local import tools

Json = dict[str, str]


def describe() -> Json:
    """Cores, memory, versions, and how busy the machine was at the start."""
    return {
        "date": now(),
        "cores": str(os.cpu_count()),
        "processor": _cpu(),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "node": _node(),
        "openclaw": _openclaw(),
        "load at the start": load(),
    }


def now() -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())


def load() -> str:
    """The load averages of 1, 5 and 15 minutes."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _node() -> str:
    try:
        done = subprocess.run([str(tools.find().node), "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return "not installed"
    return done.stdout.strip().lstrip("v")


def _openclaw() -> str:
    package = tools.find().openclaw.with_name("package.json")
    return str(json.loads(package.read_text())["version"]) if package.exists() else "not installed"

"""Lists the sections. Each runs in its own process, so that it cannot warm up or break another."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.rows import Row


@dataclass
class Options:
    """`quick`: few runs, to see that it works. `folder`: a section's scratch place."""

    quick: bool
    folder: Path
    say: Callable[[str], None] = field(default=print)

    def runs(self, full: int, quick: int = 2) -> int:
        return quick if self.quick else full


Section = Callable[[Options], list[Row]]

# name: (module of bench.sections, title, seconds a full run may take)
SECTIONS = {
    "handlers": ("handlers", "Lambda handlers, warm", 300),
    "package": ("package", "Deployment package and cold start of a function", 600),
    "answers": ("answers", "The Bridge on a scripted gateway", 600),
    "throughput": ("throughput", "Throughput", 600),
    "snapshots": ("snapshots", "Snapshot and restore", 1500),
    "watchdog": ("watchdog", "Watchdog", 900),
    "bridge": ("bridge", "Bridge: start and memory", 600),
    "coldstart": ("coldstart", "Cold start with the real OpenClaw", 1200),
    "loaded": ("loaded", "OpenClaw loaded before its start", 1800),
    "processor": ("processor", "Half a vCPU", 3600),
    "firstwords": ("firstwords", "First words while the agent wakes up", 900),
    "console": ("console", "OpenClaw's own console in the page", 600),
    "pause": ("pause", "After a pause, on both engines", 1500),
    "endtoend": ("endtoend", "End to end over the local stack", 900),
}


def find(name: str) -> Section:
    section: Section = importlib.import_module(f"bench.sections.{SECTIONS[name][0]}").run
    return section

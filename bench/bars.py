"""The performance bars of requirements.md; `held` says which figure of a row must keep to the limit."""

import json
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Bar:
    text: str
    limit: float
    unit: str
    held: str  # a field of Row: median, p95 or worst


def _watchdog_seconds() -> float:
    """What the function is given before Lambda ends it."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    return float(config["stages"]["prod"]["lambda_functions"]["watchdog"]["lambda_timeout"])


BARS = {
    "round-trips": Bar("Warm web message: sequential AWS round trips until it is on its way", 2, "calls", "worst"),
    "first-character": Bar("Model's first token to the browser's first character, p50", 50, "ms", "median"),
    "whole-answer": Bar("Whole-answer lag of a 1,000-token answer", 150, "ms", "median"),
    "cold-import": Bar("Lambda cold import of the web message path", 250, "ms", "median"),
    "package": Bar("Deployment package", 8, "MB", "worst"),
    "first-answer": Bar(
        "Cold container's first character, as a multiple of the bare gateway's first token", 1.1, "×", "median"
    ),
    "first-words": Bar("Cold message to its first words, with a model of 300 ms", 3, "s", "p95"),
    "claimed": Bar("Message of a returning user to its first character, prewarmed container", 3.5, "s", "median"),
    "resumed": Bar("Suspended MicroVM: message to its first character", 1, "s", "median"),
    "first-of-the-day": Bar("New MicroVM with a memory: message to its first character", 4, "s", "median"),
    "console": Bar("Click to the first view of OpenClaw's own console, agent awake", 3, "s", "p95"),
    "memory": Bar("Our part of the container's memory (Bridge)", 80, "MB", "worst"),
    "restore": Bar("3,670 files / 164 MiB restored", 3, "s", "worst"),
    "save": Bar("Save after a turn at 3,670 files / 164 MiB, three files changed", 1, "s", "worst"),
    "save-bytes": Bar("Bytes of that save, as a multiple of the changed ones", 2, "×", "worst"),
    "watchdog": Bar("Watchdog: 10,000 task rows in one tick, within its timeout", _watchdog_seconds(), "s", "worst"),
    "watchdog-linear": Bar(
        "Watchdog: cost of a running task at 10,000 rows, as a multiple of that at 1,000", 1.5, "×", "median"
    ),
}

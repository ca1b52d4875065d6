"""A message after a pause, and the first one of the day, on both engines in turn: from sent to the first character."""

import time
from pathlib import Path
from typing import Any

import requests

from bench import stack as stacks
from bench.registry import Options
from bench.rows import Row, row
from bench.stack import Tab, first_chunk
from chalicelib.agents.runtime import MICROVM
from local.stack import Stack
from tests.support.client import eventually
from tests.support.tables import task_row

SECTION = "pause"
QUIET_SECONDS = 2  # what is suspended or has ended leaves the processors alone by then
PLAIN: dict[str, Any] = {"PREWARM_BUDGET_USD": "0"}
SHOWN = {
    "day": ("MicroVM, first of the day: message to the first character", "first-of-the-day"),
    "resumed": ("MicroVM, after a pause (suspended): message to the first character", "resumed"),
    "warm": ("MicroVM, awake: message to the first character", ""),
    "fargate": ("Fargate, after a pause (its container has ended): message to the first character", ""),
    "fargate-warm": ("Fargate, awake: message to the first character", ""),
}


def run(options: Options) -> list[Row]:
    seen: dict[str, list[float]] = {}
    folder = options.folder
    with (
        stacks.running(folder / "microvm", RUNTIME=MICROVM, SUSPEND_SECONDS="1.5", **PLAIN) as (machines, _),
        stacks.running(folder / "fargate", **PLAIN) as (tasks, _),
    ):
        mine, theirs = Tab(machines), Tab(tasks)
        for tab in (mine, theirs):  # a memory to restore
            tab.turn("hello")
            asleep(tab)
        for number in range(options.runs(12, 1)):
            for name, seconds in (once_microvm(mine) | once_fargate(theirs)).items():
                seen.setdefault(name, []).append(seconds)
            options.say(f"run {number + 1}: " + ", ".join(f"{name} {values[-1]:.2f}" for name, values in seen.items()))
        mine.close()
        theirs.close()
    return [row(SECTION, shown, "s", seen[name], bar) for name, (shown, bar) in SHOWN.items()]


def once_microvm(tab: Tab) -> dict[str, float]:
    """A machine's start, its pause, and a turn without either. Then it is put to sleep."""
    requests.post(f"{tab.stack.cloud_url}/_local/snapshots", timeout=60).raise_for_status()
    time.sleep(QUIET_SECONDS)
    found = {"day": timed(tab)}
    eventually(lambda: frozen(tab.stack, tab.user_id), 60)
    time.sleep(QUIET_SECONDS)
    found |= {"resumed": timed(tab), "warm": timed(tab)}
    asleep(tab)
    return found


def once_fargate(tab: Tab) -> dict[str, float]:
    time.sleep(QUIET_SECONDS)
    found = {"fargate": timed(tab), "fargate-warm": timed(tab)}
    asleep(tab)
    return found


def timed(tab: Tab) -> float:
    sent, frames = tab.turn("hello")
    return first_chunk(frames) - sent


def asleep(tab: Tab) -> None:
    """As after the idle timeout: it has saved and is gone."""
    tab.rest("POST", "/stop-agent")
    eventually(lambda: not tab.stack.pids(), 60)
    eventually(lambda: task_row(tab.stack, tab.user_id).get("status") == "Idle", 20)


def frozen(stack: Stack, user_id: str) -> bool:
    pids = list(stack.pids().values())
    if task_row(stack, user_id).get("status") != "Suspended" or len(pids) != 1:
        return False
    return Path(f"/proc/{pids[0]}/stat").read_text().rpartition(")")[2].split()[0] == "T"

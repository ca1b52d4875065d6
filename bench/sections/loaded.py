"""OpenClaw loaded before it starts, and started in the ordinary way: in turn, on the local stack, with the real one.

Cold: from the start of the container's process to the first character in the tab. Claimed: from the message to
the first character, with a prewarmed container that waits; for a new user, and for one with a memory to restore.
Usual hour: the same with the user's own container, which was started before they came.
"""

import time
from collections.abc import Iterator
from typing import Any

import requests

from bench import stack as stacks
from bench.processes import memory
from bench.registry import Options
from bench.rows import Row, row
from bench.stack import Tab, TaskStart, end_tasks, first_chunk
from local.stack import Stack
from tests.support.client import eventually
from tests.support.habits import tick, usually_here
from tests.support.processes import children, only_task, openclaw_of
from tests.support.tables import dynamodb, table, task_row

SECTION = "loaded"
QUIET_SECONDS = 6  # a container that has just become ready still loads
# The ticks are given by hand.
EARLY: dict[str, Any] = {"PREWARM_CRONS": "0 0 1 1 ? 2099", "PREWARM_BUDGET_USD": "1000"}
SHOWN = {
    "cold": ("cold: process start to the first character in the tab", "s"),
    "usual": ("usual hour: message to the first character", "s"),
    "new": ("claimed by a new user: message to the first character", "s"),
    "returning": ("claimed by a returning user: message to the first character", "s"),
    "rest": ("memory (RSS) of Bridge and OpenClaw in a prewarmed container at rest", "MB"),
    "turn": ("memory of OpenClaw (RSS) at the end of its first turn", "MB"),
    "peak": ("memory of OpenClaw (RSS), highest so far", "MB"),
}
WAYS = ("ordinary", "loaded")
BARS = {("loaded", "returning"): "claimed"}


def run(options: Options) -> list[Row]:
    seen: dict[tuple[str, str], list[float]] = {}
    folder = options.folder
    with (
        stacks.running(folder / "ordinary", LOCAL_ORDINARY_START="1", **EARLY) as (old, _),
        stacks.running(folder / "loaded", **EARLY) as (new, _),
    ):
        for number in range(options.runs(10, 1)):
            for way, stack in (("ordinary", old), ("loaded", new)):
                for name, value in once(stack):
                    seen.setdefault((name, way), []).append(value)
            options.say(f"run {number + 1}: " + ", ".join(f"{w} {n} {v[-1]:.1f}" for (n, w), v in seen.items()))
    return list(_rows(seen))


def _rows(seen: dict[tuple[str, str], list[float]]) -> Iterator[Row]:
    for name, (shown, unit) in SHOWN.items():
        for way in WAYS:
            yield row(SECTION, f"{way}, {shown}", unit, seen[name, way], BARS.get((way, name), ""))
        pairs = zip(seen[name, "loaded"], seen[name, "ordinary"], strict=True)
        yield row(SECTION, f"loaded over ordinary, {shown}", "×", [mine / theirs for mine, theirs in pairs])


def once(stack: Stack) -> Iterator[tuple[str, float]]:
    """One of each: a cold start, the same person's usual hour and claim, and a claim by somebody new."""
    tab, start = Tab(stack), TaskStart(stack)
    _, frames = tab.turn("hello")
    yield "cold", first_chunk(frames) - start.at()
    used = memory(openclaw_of(only_task(stack)))
    yield "turn", used["rss"]
    yield "peak", used["peak"]
    end_tasks(stack)
    own(stack, tab.user_id)
    tab.reopen()
    yield "usual", first_after_message(tab)
    end_tasks(stack)
    prewarm(stack)
    bridge = only_task(stack)
    yield "rest", sum(memory(pid)["rss"] for pid in (bridge, *children(bridge)))
    tab.reopen()
    yield "returning", first_after_message(tab)
    end_tasks(stack)
    tab.close()
    prewarm(stack)
    tab = Tab(stack)
    yield "new", first_after_message(tab)
    end_tasks(stack)
    tab.close()


def own(stack: Stack, user_id: str) -> None:
    """The user's own container, started in their usual hour and ready."""
    usually_here(stack, user_id)

    def ready() -> bool:
        tick(stack)
        return task_row(stack, user_id).get("status") == "Running"

    eventually(ready, 120, every=1)
    time.sleep(QUIET_SECONDS)


def first_after_message(tab: Tab) -> float:
    sent, frames = tab.turn("hello")
    return first_chunk(frames) - sent


def prewarm(stack: Stack) -> None:
    """A container that waits and is ready. A minute's row is used once, so the tick comes until a new minute's."""

    def one_is_ready() -> bool:
        requests.post(f"{stack.internal_url}/events", json={"function": "prewarm"}, timeout=30).raise_for_status()
        return any(is_ready(item) for item in waiting(stack))

    eventually(one_is_ready, 180, every=1)
    time.sleep(QUIET_SECONDS)


def waiting(stack: Stack) -> list[dict[str, dict[str, str]]]:
    items: list[dict[str, dict[str, str]]] = dynamodb(stack).scan(TableName=table("TaskState"))["Items"]
    return [item for item in items if item["userId"]["S"].startswith("prewarm#")]


def is_ready(item: dict[str, dict[str, str]]) -> bool:
    return item["status"]["S"] == "Running" and "agentConnectionId" in item and "prewarmUser" not in item

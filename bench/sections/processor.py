"""What half a vCPU does: the container's processes in a cgroup of 0.5 and of 1 processor, in turn in one run.

Everything else (the stand-ins of AWS, functions, model, tab) is outside of the groups, as it is outside of a task.
Fargate's limit is a cgroup's, too; its processors are not this machine's.
"""

import contextlib
import time
import uuid
from collections.abc import Iterator
from typing import Any

from bench import cgroups
from bench import cloud as clouds
from bench import stack as stacks
from bench.registry import Options
from bench.rows import Row, row
from bench.sections.endtoend import ours
from bench.sections.loaded import EARLY, first_after_message, prewarm
from bench.sections.snapshots import MIB, _state, _timed, _turn
from bench.stack import Tab, TaskStart, end_tasks, first_chunk
from bench.stamps import ask
from bridge.memory.snapshots import Snapshots
from local.resources import BUCKET
from local.stack import Stack

SECTION = "processor"
SIZES = {"0.5 vCPU": 0.5, "1 vCPU": 1.0}
TURNS, GAP = 5, 2.2  # turns of a running agent in each life, and seconds from one to the next
SETTLED = 4.0  # after a turn it is saved, and OpenClaw writes
FILES, BYTES, SAVES = 3670, 164 * MIB, 10
SHOWN = {
    "cold": ("cold: process start to the first character in the tab", "s"),
    "cold used": ("cold: processor time until the first answer is whole", "s"),
    "token": ("running agent: message to the model's first token", "ms"),
    "first": ("running agent: message to the first character", "ms"),
    "whole": ("running agent, 1,000 tokens 10 ms apart: last token to the end of the answer", "ms"),
    "turn used": ("running agent: processor time of a turn, to its saved end", "ms"),
    "claimed": ("claimed by a returning user: message to the first character", "s"),
    "claimed used": ("claimed by a returning user: processor time until its answer is whole", "s"),
    "save": ("164 MiB, 3,670 files: save after a turn", "s"),
    "still": ("164 MiB, 3,670 files: of it, the agent is kept still", "s"),
    "restore": ("164 MiB, 3,670 files: restore", "s"),
}
Seen = dict[tuple[str, str], list[float]]


def run(options: Options) -> list[Row]:
    if not cgroups.available():
        raise RuntimeError("this needs root and cgroup v1's CPU controller")
    seen: Seen = {}
    with contextlib.ExitStack() as open_:
        groups = {name: open_.enter_context(cgroups.group(f"bench{cpus}", cpus)) for name, cpus in SIZES.items()}
        _memory(groups, seen, options)
        _agents(groups, seen, options)
    return list(_rows(seen))


def _rows(seen: Seen) -> Iterator[Row]:
    for what, (shown, unit) in SHOWN.items():
        for name in SIZES:
            yield row(SECTION, f"{name}, {shown}", unit, seen[what, name])


def _agents(groups: dict[str, cgroups.Group], seen: Seen, options: Options) -> None:
    with contextlib.ExitStack() as open_:
        running = {}
        for name, group in groups.items():
            env: dict[str, Any] = EARLY | {"LOCAL_TASK_PREFIX": group.prefix}
            running[name], _ = open_.enter_context(stacks.running(options.folder / name.replace(" ", "-"), **env))
        for stack in running.values():  # fills Node's compile cache
            tab = Tab(stack)
            tab.turn("hello")
            end_tasks(stack)
            tab.close()
        for number in range(options.runs(10, 1)):
            for name, stack in running.items():
                for what, value in once(stack, groups[name]):
                    seen.setdefault((what, name), []).append(value)
            options.say(f"run {number + 1}: " + ", ".join(f"{n} {w} {v[-1]:.2f}" for (w, n), v in seen.items()))


def once(stack: Stack, group: cgroups.Group) -> Iterator[tuple[str, float]]:
    """One life of an agent, and a container that waits for the same person."""
    tab, start, before = Tab(stack), TaskStart(stack), group.used
    _, frames = tab.turn("hello")
    yield "cold used", group.used - before
    yield "cold", first_chunk(frames) - start.at()
    time.sleep(SETTLED)
    before = group.used
    for _ in range(TURNS):
        begun = time.monotonic()
        times = ours(tab, ask(20, 10))
        yield "token", times["sent to the model's first token"] * 1000
        yield "first", (times["sent to the model's first token"] + times[FIRST]) * 1000
        time.sleep(max(begun + GAP - time.monotonic(), 0))
    yield "turn used", (group.used - before) / TURNS * 1000
    yield "whole", ours(tab, ask(1000, 10))["last token to the end of the answer"] * 1000
    time.sleep(SETTLED)
    end_tasks(stack)
    prewarm(stack)
    tab.reopen()
    before = group.used
    yield "claimed", first_after_message(tab)
    yield "claimed used", group.used - before
    end_tasks(stack)
    tab.close()


FIRST = "first token to the tab's first character"


def _memory(groups: dict[str, cgroups.Group], seen: Seen, options: Options) -> None:
    """This process saves and restores, in one group and in the other; S3's stand-in is outside."""
    with clouds.running(options.folder / "memory"):
        root = _state(options.folder / "state", FILES // options.runs(1, 10), BYTES // options.runs(1, 10))
        store, size = Snapshots(BUCKET, uuid.uuid4().hex, 1), (root / "workspace/0/0.bin").stat().st_size
        store.backup(root)
        for number in range(options.runs(SAVES)):
            for name, group in groups.items():
                _turn(root, number, size)
                with group.joined():
                    seconds, _ = _timed(lambda: store.backup(root))
                    back = options.folder / f"back-{uuid.uuid4().hex}"
                    restored, _ = _timed(lambda to=back: store.restore(to))  # type: ignore[misc]
                for what, value in (("save", seconds), ("still", store.copier.still), ("restore", restored)):
                    seen.setdefault((what, name), []).append(value)

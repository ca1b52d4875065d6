"""Time from process start to the first answer: our container and the bare OpenClaw, alternately.

Both have the same lean configuration, the same compile cache, an empty home and the same model on
loopback, on the same machine in the same minutes. The container's time starts with the Bridge's
process. On AWS, Fargate's own time (placing, pulling, booting) comes before it.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from bench import stack as stacks
from bench.bare import Bare, text_of
from bench.registry import Options
from bench.rows import Row, row
from bench.stack import Tab, TaskStart, end_tasks, first_chunk
from bench.stamps import stamps
from local.stack import Stack

SECTION = "coldstart"
SHOWN = {
    "sent": "the person's message, before the process starts",
    "restoring": "the Bridge is up and registered",
    "booting": "the memory is restored",
    "ready": "OpenClaw says hello",
    "first": "first character in the tab",
    "answered": "the whole answer in the tab",
}


def run(options: Options) -> list[Row]:
    ours: dict[str, list[float]] = {}
    again: dict[str, list[float]] = {}
    bare: dict[str, list[float]] = {}
    with stacks.running(options.folder / "real") as (stack, model):
        for number in range(options.runs(8, 1)):
            _note(bare, bare_gateway(options.folder / f"bare-{number}", model))
            tab = Tab(stack)
            _note(ours, phases(stack, tab))
            end_tasks(stack)
            if number < options.runs(4, 1):
                tab.reopen()
                _note(again, phases(stack, tab))
                end_tasks(stack)
            tab.close()
    return list(_rows(ours, again, bare))


def _rows(ours: dict[str, list[float]], again: dict[str, list[float]], bare: dict[str, list[float]]) -> Iterator[Row]:
    for name, shown in SHOWN.items():
        if name == "sent":
            yield row(
                SECTION, "a message until its container's process starts", "s", [-value for value in ours["sent"]]
            )
        else:
            yield row(SECTION, f"container, new user: {shown}", "s", ours[name])
    yield row(SECTION, "container, returning user: the whole answer in the tab", "s", again["answered"])
    yield row(SECTION, "bare gateway: hello", "s", bare["hello"])
    yield row(SECTION, "bare gateway: first token", "s", bare["first"])
    pairs = list(zip(ours["first"], bare["first"], strict=True))
    ratios = [mine / its for mine, its in pairs]
    yield row(SECTION, "container's first character over the bare gateway's first token", "×", ratios, "first-answer")
    yield row(SECTION, "container's first character, later by", "s", [mine - its for mine, its in pairs])


def _note(seen: dict[str, list[float]], times: dict[str, float]) -> None:
    for name, seconds in times.items():
        seen.setdefault(name, []).append(seconds)


def phases(stack: Stack, tab: Tab) -> dict[str, float]:
    """A cold first message: seconds from the task's process start to each phase."""
    start = TaskStart(stack)
    sent, frames = tab.turn("hello")
    begun = start.at()
    times = {"sent": sent - begun, "first": first_chunk(frames) - begun, "answered": frames[-1][0] - begun}
    for at, frame in frames:
        if frame["type"] == "status":
            name = "ready" if frame["status"] == "Running" else str(frame.get("phase"))
            times.setdefault(name, at - begun)
    missing = set(SHOWN) - set(times)
    if missing:
        raise RuntimeError(f"no frame told of {', '.join(sorted(missing))}")
    return times


def bare_gateway(home: Path, model: str) -> dict[str, float]:
    """The same, for OpenClaw alone and the least client."""
    bare = Bare(home, model)
    try:
        client = bare.client()
        hello = time.monotonic()
        first = next(at for at, frame in client.turn("hello") if stamps(text_of(frame)))
        client.socket.close()
    finally:
        bare.stop()
    return {"hello": hello - bare.started, "first": first - bare.started}

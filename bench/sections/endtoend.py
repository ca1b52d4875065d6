"""Time from the model's first and last word to the person's tab, through the whole system and through OpenClaw alone.

The model writes the time into its answer (bench/model.py) and the tab is a WebSocket client, so both
times come from one clock. OpenClaw's own share is measured alternately, on a second gateway without
our code.
"""

import time

from bench import stack as stacks
from bench.bare import Bare, BareClient, text_of
from bench.registry import Options
from bench.rows import Row, row
from bench.stack import Tab, first_chunk, last_chunk
from bench.stamps import ask, stamps

SECTION = "endtoend"
TURN_GAP = 2.2  # seconds from one message to the next: a user may send 30 a minute
# name, words, ms between them, runs, bars of the first character and of the whole answer
ANSWERS = (
    ("20 tokens, 10 ms apart", 20, 10, 30, "first-character", ""),
    ("1,000 tokens, 10 ms apart", 1000, 10, 5, "", "whole-answer"),
    ("1,000 tokens at once", 1000, 0, 8, "", ""),
)


def run(options: Options) -> list[Row]:
    rows: list[Row] = []
    with stacks.running(options.folder / "real") as (stack, model):
        bare = Bare(options.folder / "bare", model)
        try:
            client, tab = bare.client(), Tab(stack)
            tab.turn("hello")
            list(client.turn("hello"))
            for name, count, pause, runs, first_bar, whole_bar in ANSWERS:
                count = 50 if options.quick and count > 50 else count
                rows += _rows(tab, client, name, ask(count, pause), options.runs(runs, 1), first_bar, whole_bar)
            tab.close()
            client.socket.close()
        finally:
            bare.stop()
    return rows


def _rows(tab: Tab, client: BareClient, name: str, text: str, runs: int, first_bar: str, whole_bar: str) -> list[Row]:
    seen: dict[str, list[float]] = {}
    for _ in range(runs):
        begun = time.monotonic()
        for what, seconds in (ours(tab, text) | alone(client, text)).items():
            seen.setdefault(what, []).append(seconds * 1000)
        time.sleep(max(begun + TURN_GAP - time.monotonic(), 0))
    bars = {"first token to the tab's first character": first_bar, "last token to the end of the answer": whole_bar}
    return [row(SECTION, f"{name}: {what}", "ms", values, bars.get(what, "")) for what, values in seen.items()]


def ours(tab: Tab, text: str) -> dict[str, float]:
    sent, frames = tab.turn(text)
    written = stamps(stacks.text_of(frames))
    acked = next(at for at, frame in frames if frame["type"] == "ack")
    return {
        "sent to acknowledged": acked - sent,
        "sent to the model's first token": written[0] - sent,
        "first token to the tab's first character": first_chunk(frames) - written[0],
        "last token to the tab's last character": last_chunk(frames) - written[-1],
        "last token to the end of the answer": frames[-1][0] - written[-1],
    }


def alone(client: BareClient, text: str) -> dict[str, float]:
    """OpenClaw's own share."""
    frames = list(client.turn(text))
    times = [(at, stamps(text_of(frame))) for at, frame in frames]
    written = times[-1][1]
    return {
        "OpenClaw alone: first token to its first event": next(at for at, found in times if found) - written[0],
        "OpenClaw alone: last token to its last text": next(at for at, found in times if len(found) > 1) - written[-1],
        "OpenClaw alone: last token to its final event": times[-1][0] - written[-1],
    }

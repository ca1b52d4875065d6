"""Throughput: messages into the web handler, and frames out of the Bridge.

The stand-in for DynamoDB is one Python process behind one lock (about 200 writes a second), so the
message rows show how the handler behaves under concurrency, not how much DynamoDB can take.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from bench import cloud as clouds
from bench import events
from bench.bridge import Lab, scripted
from bench.cloud import Cloud
from bench.events import Context
from bench.registry import Options
from bench.rows import Row, row
from bench.sections.answers import end_time
from bench.sections.handlers import checked, handler
from bench.stamps import ask

SECTION = "throughput"
CONCURRENCY = (1, 8, 32)


def run(options: Options) -> list[Row]:
    rows: list[Row] = []
    with clouds.running(options.folder) as cloud:
        for many in CONCURRENCY:
            rows += _messages(cloud, many, options)
        cloud.ask("pause", 0.02)
        with scripted(options.folder) as gateway:
            for many in CONCURRENCY:
                lab = Lab(cloud, gateway, many)
                rows += _frames(lab, many, options)
                lab.stop()
    return rows


def _messages(cloud: Cloud, many: int, options: Options) -> list[Row]:
    """Each caller is another user with a running agent and sends one message after the other."""
    function = handler("websocket_message")
    tabs = [events.warm_user(cloud.stubs)[1] for _ in range(many)]
    each = max(options.runs(96, 8) // many, 2)
    rates, waits = [], []
    lock = threading.Lock()

    def caller(tab: str) -> None:
        for _ in range(each):
            begun = time.perf_counter()
            checked(function(events.message(tab), Context()))
            with lock:
                waits.append((time.perf_counter() - begun) * 1000)

    for _ in range(options.runs(3, 1)):
        begun = time.perf_counter()
        with ThreadPoolExecutor(many) as pool:
            list(pool.map(caller, tabs))
        rates.append(many * each / (time.perf_counter() - begun))
    return [
        row(SECTION, f"web messages, {many} at once: accepted a second", "1/s", rates),
        row(SECTION, f"web messages, {many} at once: time of one", "ms", waits),
    ]


def _frames(lab: Lab, many: int, options: Options) -> list[Row]:
    """An answer of 200 deltas 5 ms apart to so many tabs, @connections taking 20 ms a frame."""
    rates, lags = [], []
    for _ in range(options.runs(5)):
        _, frames = lab.ask(ask(200, 5))
        times = [at for at, _, _ in frames]
        ends = [at for at, _, body in frames if body["type"] == "stream_end"]
        rates.append(len(frames) / (max(times) - min(times)))
        lags.append((end_time(frames) - min(ends)) * 1000)
    return [
        row(SECTION, f"one answer to {many} tabs: frames a second", "1/s", rates),
        row(SECTION, f"one answer to {many} tabs: from the first tab's end to the last's", "ms", lags),
    ]

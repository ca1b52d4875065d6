"""The time that the Bridge adds between the gateway's words and @connections, with a gateway that takes no time.

The Bridge's turns, answers and delivery run here as in the container, on the real tables. The gateway
is a script that writes its deltas without a pause (bench/gateway.py). @connections accepts each frame
at once or after 20 ms (bench/stubs.py).
"""

import time

from bench import cloud as clouds
from bench.bridge import Frame, Lab, scripted, text_of
from bench.cloud import Cloud
from bench.registry import Options
from bench.rows import Row, row
from bench.stamps import ask, stamps

SECTION = "answers"
CALLBACKS_MS = (0, 20)


def run(options: Options) -> list[Row]:
    rows: list[Row] = []
    with clouds.running(options.folder) as cloud, scripted(options.folder) as gateway:
        lab = Lab(cloud, gateway)
        lab.ask(ask(10, 0))
        for callback in CALLBACKS_MS:
            for count in (10, 100, 1000):
                rows += _rows(lab, cloud, count, 0, callback, options.runs(10))
        rows += _rows(lab, cloud, 1000 if not options.quick else 100, 10, 20, options.runs(3, 1))
        lab.stop()
    return rows


def _rows(lab: Lab, cloud: Cloud, count: int, pace_ms: int, callback_ms: int, runs: int) -> list[Row]:
    cloud.ask("pause", callback_ms / 1000)
    first, whole, woken, sent, processor = [], [], [], [], []
    for _ in range(runs):
        cpu = time.process_time()
        begun, frames = lab.ask(ask(count, pace_ms))
        processor.append((time.process_time() - cpu) * 1000)
        written = stamps(text_of(frames, lab.tabs[0]))
        times = chunk_times(frames)
        first.append((times[0] - written[0]) * 1000)
        woken.append((times[0] - begun) * 1000)
        whole.append((end_time(frames) - written[-1]) * 1000)
        sent.append(len(times))
    pace = f" {pace_ms} ms apart" if pace_ms else ""
    name = f"{count:,} deltas{pace}, @connections {callback_ms} ms"
    return [
        row(SECTION, f"{name}: first delta to first frame", "ms", first),
        row(SECTION, f"{name}: last delta to the end frame", "ms", whole, note=f"{max(sent)} frames of text"),
        row(SECTION, f"{name}: wake to first frame", "ms", woken),
        row(SECTION, f"{name}: processor of a turn", "ms", processor),
    ]


def chunk_times(frames: list[Frame]) -> list[float]:
    return [at for at, _, body in frames if body["type"] == "stream_chunk"]


def end_time(frames: list[Frame]) -> float:
    """When the last tab had the end."""
    return max(at for at, _, body in frames if body["type"] == "stream_end")

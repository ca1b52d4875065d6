"""What each function costs on a warm instance: AWS round trips in sequence, time, processor time."""

import time
from typing import Any

from bench import cloud as clouds
from bench.calls import Recorder
from bench.cases import CASES, Case
from bench.cloud import Cloud
from bench.events import Context, Json
from bench.registry import Options
from bench.rows import Row, row

SECTION = "handlers"
ROUND_TRIP = 0.05  # seconds; so long that calls which could run at once overlap on a busy machine too


def run(options: Options) -> list[Row]:
    with clouds.running(options.folder) as cloud:
        rows: list[Row] = []
        for case in CASES:
            rows += _case(case, cloud, options)
        return rows


def handler(function: str) -> Any:
    """The function as Lambda calls it."""
    import app

    return app.app if function == "api_handler" else getattr(app, function)


def checked(answer: Any) -> None:
    """Raises RuntimeError when a function refused its event."""
    if isinstance(answer, dict) and int(answer.get("statusCode", 200)) >= 300:
        raise RuntimeError(f"the function answered {answer['statusCode']}: {str(answer.get('body'))[:200]}")


def _case(case: Case, cloud: Cloud, options: Options) -> list[Row]:
    function, event = handler(case.function), case.prepare(cloud)
    for _ in range(3):  # clients, connections and caches of the instance
        checked(function(event(), Context()))
    walls, processor = [], []
    for _ in range(options.runs(40)):
        made = event()
        begun, cpu = time.perf_counter(), time.process_time()
        checked(function(made, Context()))
        walls.append((time.perf_counter() - begun) * 1000)
        processor.append((time.process_time() - cpu) * 1000)
    chains, counts = _round_trips(function, event, case.until, options.runs(5))
    bar = "round-trips" if case.name == "web message, agent warm" else ""
    note = f"{max(counts)} calls in all" + (f", counted until {case.until}" if case.until else "")
    return [
        row(SECTION, f"{case.name}: round trips in sequence", "calls", chains, bar, note),
        row(SECTION, f"{case.name}: time", "ms", walls),
        row(SECTION, f"{case.name}: processor", "ms", processor),
    ]


def _round_trips(function: Any, event: Any, until: str | None, runs: int) -> tuple[list[float], list[int]]:
    chains: list[float] = []
    counts: list[int] = []
    for _ in range(runs):
        made: Json = event()
        recorder = Recorder(ROUND_TRIP)
        recorder.attach()
        try:
            checked(function(made, Context()))
        finally:
            recorder.detach()
        chains.append(recorder.depth(until))
        counts.append(len(recorder.calls))
    return chains, counts

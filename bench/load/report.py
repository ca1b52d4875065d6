"""The load's result as JSON, for the terminal, and as docs/load.md."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.load.chaos import Watcher
from bench.load.checks import Check
from bench.load.ledger import Sent
from bench.load.person import Chatter
from bench.rows import p95

Json = dict[str, Any]
MICROVM_INTRODUCTION = """\
The output of `make load ARGS="--engine microvm --docs …"`: the same, with `RUNTIME=microvm` ([engines.md](engines.md)).
A machine is suspended after a second without a turn, so nearly every pause is one. Times are not those of AWS, and
not to be compared with the run above: fewer people came, and each suspend and resume here is work for this machine.
"""
INTRODUCTION = """\
The output of `make load ARGS=--docs`.

All people use one local stack: the real app, one process of the real Bridge for each task, moto for
AWS, and a stand-in for Telegram. A machine like this has no room for many OpenClaw processes: each needs
500 MB and 5 s of processor time to start. So a script that speaks OpenClaw's protocol replaces it
(`bench/gateway.py`; a test compares its frames with recorded ones). A few people on a second stack use
the real OpenClaw. People come in waves, so the number of tasks at one time is limited. Each person opens
one to three tabs, writes one to three messages at a time in eight conversations, pauses to think, and
stops the agent at the end. Some people also use Telegram. During the run, randomly chosen tasks are
killed with SIGKILL.
"""


def document(machine: Json, asked: Json, people: list[Chatter], watchers: list[Watcher], checks: list[Check]) -> Json:
    sent = [entry for person in people for entry in person.ledger.sent.values()]
    accepted = [entry for entry in sent if entry.accepted]
    watcher = watchers[0]
    counts = {
        "people": sum(1 for person in people if person.sessions),
        "sessions": sum(person.sessions for person in people),
        "messages accepted": len(accepted),
        "of them by Telegram": sum(1 for entry in accepted if entry.channel == "telegram"),
        "messages refused": sum(1 for entry in sent if entry.refused),
        "tasks started": sum(len(each.started) for each in watchers),
        "tasks killed": sum(each.kills for each in watchers),
        "tasks at once, at most": sum(each.most_tasks for each in watchers),
        "sockets lost": sum(person.ledger.lost_sockets for person in people),
    }
    samples = [asdict(entry) for entry in watcher.samples]
    return {
        "machine": machine,
        "asked": asked,
        "counts": counts,
        "times": _times(accepted),
        "checks": [asdict(check) for check in checks],
        "memory": samples,
    }


def _times(sent: list[Sent]) -> list[Json]:
    web = [entry for entry in sent if entry.channel == "web"]
    warm, cold = [e for e in web if not e.cold], [e for e in web if e.cold]
    measures: list[tuple[str, list[Sent], Callable[[Sent], float]]] = [
        ("web, sent to accepted", web, lambda e: e.accepted),
        ("web, first message of a session, sent to first character", cold, lambda e: e.first),
        ("web, later messages, sent to first character", warm, lambda e: e.first),
        ("web, later messages, sent to the end of the answer", warm, lambda e: e.ended),
    ]
    lines = []
    for name, entries, when in measures:
        values = sorted(when(entry) - entry.at for entry in entries if when(entry))
        if values:
            lines.append({"name": name, "count": len(values), "median": statistics.median(values), "p95": p95(values)})
    return lines


def text(result: Json) -> str:
    lines = [f"  {name}: {value}" for name, value in result["counts"].items()]
    lines += [f"  {t['name']}: median {t['median']:.2f} s, p95 {t['p95']:.2f} s" for t in result["times"]]
    lines += [f"  {'ok    ' if c['ok'] else 'FAILED'} {c['name']} ({c['detail']})" for c in result["checks"]]
    return "\n".join(lines)


def logged(folders: Sequence[Path], what: str) -> int:
    """How often the functions wrote that event."""
    texts = (path.read_text() for folder in folders if (path := folder / "stack" / "functions.log").exists())
    return sum(text.count(f'"event": "{what}"') for text in texts)


def page(result: Json, microvm: Json) -> str:
    """docs/load.md."""
    second = ["", "## The second engine", "", MICROVM_INTRODUCTION, *_run(microvm)]
    return "\n".join(["# Load", "", INTRODUCTION, *_run(result), *second, ""])


def _run(result: Json) -> list[str]:
    machine = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    asked = ", ".join(f"{name} {value}" for name, value in result["asked"].items())
    lines = [f"Run with {asked}, on {machine}.", ""]
    lines += ["| what | |", "|---|---:|", *(f"| {name} | {value:,} |" for name, value in result["counts"].items()), ""]
    lines += ["| must be true at the end | | |", "|---|---|---|"]
    lines += [f"| {c['name']} | {'yes' if c['ok'] else '**no**'} | {c['detail']} |" for c in result["checks"]]
    lines += ["", "| time | messages | median | p95 |", "|---|---:|---:|---:|"]
    lines += [f"| {t['name']} | {t['count']:,} | {t['median']:.2f} s | {t['p95']:.2f} s |" for t in result["times"]]
    lines += [
        "",
        "| minute | tasks | API, MB | function instances, MB | AWS stand-in, MB |",
        "|---:|---:|---:|---:|---:|",
    ]
    shown = result["memory"][:: max(len(result["memory"]) // 12, 1)]
    lines += [
        f"| {s['at'] / 60:.1f} | {s['tasks']} | {s['api']:.0f} | {s['functions']:.0f} | {s['cloud']:.0f} |"
        for s in shown
    ]
    return lines

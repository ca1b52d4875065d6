"""The ladder of limits, as a table and as docs/simulation.md."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.rows import p95
from bench.simulate.demand import Demand, start_waits
from ops.deployment.application import REST_RATE, SOCKET_RATE

QUOTAS = Path(__file__).with_name("quotas.json")
Json = dict[str, Any]
# These grow with the tasks of a moment, not with rates: the peak of any second counts.
LEVELS = ("vcpu", "addresses", "watchdog")


@dataclass(frozen=True)
class Step:
    """One limit: what is asked at its peak, and the users at which it is met."""

    id: str
    name: str
    limit: float
    unit: str
    asked: float
    users: int
    fix: str
    source: str
    evidence: str


def quotas() -> Json:
    document: Json = json.loads(QUOTAS.read_text())
    document["quotas"]["frames_in"]["limit"] = SOCKET_RATE  # what is deployed
    document["quotas"]["rest"]["limit"] = REST_RATE
    return document


def ladder(demand: Demand, users: int) -> list[Step]:
    """All limits; the limit that is reached first is at the top. Demand grows in proportion to the users."""
    steps = []
    for name, quota in quotas()["quotas"].items():
        asked = demand.peak(name, 1.0 if name in LEVELS else 0.999)
        met_at = int(users * quota["limit"] / asked) if asked else 0
        about = (quota["fix"], quota["source"], quota["evidence"])
        steps.append(Step(name, quota["name"], quota["limit"], quota["unit"], asked, met_at, *about))
    return sorted(steps, key=lambda step: step.users)


def rounded(value: float) -> str:
    """Two digits: a simulation is not more precise."""
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 10 else f"{value:.2g}"


def table(steps: list[Step], users: int) -> str:
    lines = [f"at {users:,} users"]
    for step in steps:
        mark = "  " if step.users > users else "* "
        about = f"limit {step.limit:,.0f} {step.unit}, asked {rounded(step.asked)}"
        lines.append(f"{mark}{rounded(step.users):>10} users  {step.name}: {about}")
    return "\n".join(lines)


def page(steps: list[Step], demand: Demand, users: int) -> str:
    """docs/simulation.md."""
    document = quotas()
    met = [step for step in steps if step.users <= users]
    lines = ["# 100,000 users: a simulation", "", INTRODUCTION, "", "## The first limit", "", *_first(steps)]
    lines.append(f"{len(met)} of {len(steps)} limits are met before {users:,} users; in this order:\n")
    lines += ["| users | limit | default | asked at the peak | evidence |", "|---:|---|---:|---:|---|"]
    lines += [_line(step) for step in steps]
    lines += ["", f"Quotas as of {document['date']}. {document['note']}", "", "## What to do at each", ""]
    lines += [f"- **{step.name}** (about {rounded(step.users)} users): {step.fix}" for step in steps]
    rate = document["quotas"]["run_task"]["limit"]
    return "\n".join([*lines, "", "## Starts at the full hour", "", _starts(demand, users, rate), ""])


def _first(steps: list[Step]) -> list[str]:
    aws = next(step for step in steps if step.evidence != "ours")
    ours = next(step for step in steps if step.evidence == "ours")
    at = f"met at about {rounded(aws.users)} users, each with a container of 1 vCPU."
    mine = f"Of what this repository sets itself the first is **{ours.name}**, at about {rounded(ours.users)} users."
    return [f"**{aws.name}** ({rounded(aws.limit)} by default): {at} {aws.fix}\n", f"{mine} {ours.fix}\n"]


def _line(step: Step) -> str:
    limit = f"{step.limit:,.0f} {step.unit}"
    name = f"[{step.name}]({link(step.source)})"
    return f"| {rounded(step.users)} | {name} | {limit} | {rounded(step.asked)} | {step.evidence} |"


def _starts(demand: Demand, users: int, rate: float) -> str:
    waits = sorted(start_waits(demand, rate))
    late, most = sum(1 for wait in waits if wait > 1), max(demand.asked["run_task"])
    return (
        f"With {users:,} users {len(waits):,} containers start in the three simulated hours, at most {rounded(most)}"
        f" in one second. If RunTask's calls queued for {rate:.0f} a second, {late:,} starts would wait more than a"
        f" second, the longest {waits[-1]:.0f} s (95 % at most {p95(waits):.0f} s). They do not queue today: a call"
        " that is still throttled after botocore's retries is a failed start; the message waits in the inbox and"
        " the watchdog starts the container at its next tick, up to five minutes later."
    )


def link(source: str) -> str:
    return source if source.startswith("http") else f"../{source.partition(' ')[0]}"


INTRODUCTION = """\
The output of `python -m bench.simulate`. It draws every session of the busiest three hours of a day at random
(`bench/simulate/demand.py`) and adds up the calls to AWS in each second. It compares the peak (without the
busiest 0.1 % of the seconds) with the quotas (`bench/simulate/quotas.json`). `ops/profile.json` says how
much a person uses the agent; the cost is computed from the same profile. All users live in one time zone,
and 15 % of an hour's sessions begin in its first two minutes. This is a model: nothing was measured on AWS."""

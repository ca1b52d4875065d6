"""Simulates the calls to AWS in each second of the busiest hours, from randomly drawn sessions.

ops/profile.json says how much a person uses the agent (starts, messages and container hours a day); the
cost uses the same profile. This module adds the hours of the day at which people come, and the rush at
the full hour. It counts the events of each second and computes the demand from the counts.
"""

import json
import random
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

PROFILE = Path(__file__).resolve().parents[2] / "ops" / "profile.json"
# Share of the day's sessions that begin in each hour: people of one time zone, evenings busiest.
HOURS = (
    1.0,
    0.5,
    0.3,
    0.2,
    0.3,
    0.8,
    2.0,
    4.0,
    5.5,
    6.0,
    5.8,
    5.5,
    5.5,
    5.3,
    5.2,
    5.2,
    5.5,
    6.0,
    6.5,
    7.5,
    8.5,
    7.9,
    6.0,
    4.0,
)
FIRST, LAST = 18, 21  # simulated; the hour before FIRST fills the containers
ON_THE_HOUR = 0.15  # of an hour's sessions begin in its first RUSH seconds
RUSH = 120
ANSWER_SECONDS = 8
START_SECONDS = 30
START_WRITES = 6  # of TaskState: start, launched, three phases, connected
END_WRITES = 3
# Measured (docs/benchmarks.md, Watchdog): seconds of a tick for each row, and for each that is quiet.
TICK_ROW, TICK_QUIET, QUIET_SHARE = 0.0004, 0.02, 0.5
TICK_EVERY = 300
ECS_CALL_SECONDS = 0.05  # about what DescribeTasks takes; the tick makes them one after the other
Json = dict[str, Any]
Line = list[float]  # one number a second


class Events:
    """How many sessions began and ended, and messages and REST calls came, in each second."""

    def __init__(self) -> None:
        self.seconds = (LAST - FIRST + 1) * 3600  # the first hour fills the containers, and is dropped
        self.starts, self.ends, self.messages, self.rest = (self._empty() for _ in range(4))

    def _empty(self) -> Line:
        return [0.0] * self.seconds

    def count(self, line: Line, at: float) -> None:
        if at < self.seconds:
            line[int(at)] += 1


@dataclass(frozen=True)
class Demand:
    """Per resource of quotas.json, how much each second asks for."""

    asked: dict[str, Line]

    def peak(self, what: str, share: float = 0.999) -> float:
        """What all but the busiest 0.1 % of the seconds stay below."""
        ordered = sorted(self.asked[what])
        return ordered[int(share * (len(ordered) - 1))]


def simulate(users: int, seed: int = 1) -> Demand:
    """The hours FIRST to LAST of one day."""
    profile: Json = json.loads(PROFILE.read_text())
    chance = random.Random(seed)  # noqa: S311  a simulation, not a secret
    events, whole = Events(), sum(HOURS)
    for hour in range(FIRST - 1, LAST):
        for _ in range(round(users * profile["starts_per_day"] * HOURS[hour] / whole)):
            rush = chance.random() < ON_THE_HOUR
            _session(events, profile, chance, (hour - FIRST + 1) * 3600 + chance.uniform(0, RUSH if rush else 3600))
    return Demand({name: line[3600:] for name, line in _needs(events, profile).items()})


def _session(events: Events, profile: Json, chance: random.Random, begun: float) -> None:
    """One container's life, from its first message to its stop."""
    starts = profile["starts_per_day"]
    life = profile["hours_per_day"] / starts * 3600 * chance.uniform(0.6, 1.4)
    events.count(events.starts, begun)
    events.count(events.ends, begun + life)
    for _ in range(round(profile["rest_calls_per_day"] / starts)):
        events.count(events.rest, begun + chance.uniform(0, life) if chance.random() > 0.3 else begun)
    messages = max(round(profile["messages_per_day"] / starts * chance.uniform(0.4, 1.6)), 1)
    events.count(events.messages, begun)
    for _ in range(messages - 1):
        events.count(events.messages, begun + chance.uniform(40, max(life - 600, 60)))


def later(line: Line, seconds: int) -> Line:
    """The same line, shifted to later seconds."""
    return [0.0] * seconds + line[: len(line) - seconds]


def lasting(line: Line, seconds: int) -> Line:
    """How many of the events of the last so many seconds there are in each second."""
    total = list(accumulate(line))
    return [now - before for now, before in zip(total, later(total, seconds), strict=True)]


def mixed(*parts: tuple[float, Line]) -> Line:
    """The weighted sum."""
    return [
        sum(weight * value for (weight, _), value in zip(parts, values, strict=True))
        for values in zip(*(line for _, line in parts), strict=True)
    ]


def _needs(events: Events, profile: Json) -> dict[str, Line]:
    seconds, frames = profile["function_seconds"], profile["frames_per_answer"] * profile["tabs"]
    starts, ends, messages, rest = events.starts, events.ends, events.messages, events.rest
    answered, answering = later(messages, ANSWER_SECONDS), lasting(messages, ANSWER_SECONDS)
    connects = mixed((profile["tabs"], starts), (1, later(starts, START_SECONDS)))  # the tabs', the agent's own
    running = list(accumulate(mixed((1, starts), (-1, ends))))
    state = ((START_WRITES / START_SECONDS, lasting(starts, START_SECONDS)), (END_WRITES, ends))
    beats = (profile["heartbeats_per_hour"] / 3600, running)
    works = ((seconds["message"], messages), (seconds["rest"], rest), (seconds["connect"], connects))
    return _tick(running) | {
        "vcpu": running,
        "addresses": running,
        "run_task": starts,
        "parameters": starts,
        "sign_ins": starts,
        "connects": connects,
        "frames_in": messages,
        "rest": rest,
        # A frame in, its acknowledgement, the wake, and the frames of the answer.
        "api_requests": mixed((1, rest), (3, messages), (frames / ANSWER_SECONDS, answering)),
        "lambda": mixed(*works, (seconds["task_stopped"], ends)),
        "active_index": mixed(*state, beats, (1, messages), (1, answered)),  # claimed, finished
        "waiting_index": mixed((1, messages), (1, answered)),
        # PendingMessages is the busiest table: put, claim, finish, and its two indexes.
        "table_writes": mixed((3, messages), (4, answered)),
    }


def _tick(running: Line) -> dict[str, Line]:
    """The watchdog's ticks: ECS calls a second while it makes them, and how long each tick takes."""
    rates, times = [0.0] * len(running), [0.0] * len(running)
    for second in range(0, len(running), TICK_EVERY):
        calls = 2 * running[second] / 100
        calling = calls * ECS_CALL_SECONDS
        for offset in range(min(int(calling) + 1, TICK_EVERY)):
            rates[second + offset] = min(calls, 1 / ECS_CALL_SECONDS)
        times[second] = calling + running[second] * (TICK_ROW + QUIET_SHARE * TICK_QUIET)
    return {"describe_tasks": rates, "watchdog": times}


def start_waits(demand: Demand, rate: float) -> list[float]:
    """How long each start waits (s) if RunTask's calls queue for so many a second."""
    waits, free = [], 0.0
    for second, count in enumerate(demand.asked["run_task"]):
        for number in range(round(count)):
            asked = second + number / count
            at = max(asked, free)
            waits.append(at - asked)
            free = at + 1 / rate
    return waits

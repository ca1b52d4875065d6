"""How long an agent should wait after a message: times that are fixed, today's rule, and times that are learned.

The people are those of habits.py, with a time for each of their messages. A message is warm when it finds its agent
awake. Hours count while a container exists. A learned time is chosen from the person's own earlier messages.
"""

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.simulate.habits import BEGIN, LEARNING, PEOPLE, START, TICK, Come, Person, visits
from chalicelib.agents.activity import QUIET_TIMEOUT, USUAL, USUAL_TIMEOUT, WEEK_HOURS, hour_of_week
from chalicelib.agents.habits import HOUR
from chalicelib.platform.clock import DAY, MINUTE

CANDIDATES = tuple(minutes * MINUTE for minutes in (5, 7, 10, 12, 15, 20, 25, 30, 45))
# What a minute of waiting is worth against a warm message: each value is a point of the learned rule's curve.
WORTH = (0.005, 0.01, 0.015)
COUNT = 5  # people of each kind
KNOWN = 20  # messages of a kind, before its own time is chosen
Rule = Callable[["Past", int], int]


@dataclass(frozen=True)
class Outcome:
    """Of the month that counts, over all people."""

    hours: float
    warm: int
    messages: int

    @property
    def share(self) -> float:
        return self.warm / self.messages


class Past:
    """What is known of a person: messages by hour of the week, and how long after each one the next came."""

    def __init__(self) -> None:
        self.hours = [0] * WEEK_HOURS
        self.gaps: dict[str, list[int]] = {"all": []}

    def add(self, at: int, gap: int | None, kind: str) -> None:
        self.hours[hour_of_week(at, "UTC")] += 1
        if gap is not None:
            for name in ("all", kind):
                known = self.gaps.setdefault(name, [])
                known.insert(bisect_left(known, gap), gap)

    def usual(self, at: int) -> bool:
        number = hour_of_week(at, "UTC")
        return any(self.hours[near % WEEK_HOURS] >= USUAL for near in (number, number + 1))


def kind_of(past: Past, at: int) -> str:
    """Messages after which people may come back alike: by usual hour, and by part of the day."""
    return f"{past.usual(at)}/{at % DAY // (6 * HOUR)}"


def fixed(timeout: int) -> Rule:
    return lambda past, at: timeout


def today(past: Past, at: int) -> int:
    return USUAL_TIMEOUT if past.usual(at) else QUIET_TIMEOUT


def learned(worth: float, apart: bool) -> Rule:
    """The candidate that gained most so far: warm messages, less the minutes waited for them."""

    def rule(past: Past, at: int) -> int:
        gaps = past.gaps.get(kind_of(past, at), []) if apart else []
        gaps = gaps if len(gaps) >= KNOWN else past.gaps["all"]
        return max(CANDIDATES, key=lambda time: _gain(gaps, time, worth)) if gaps else QUIET_TIMEOUT

    return rule


def _gain(gaps: Sequence[int], time: int, worth: float) -> float:
    warm = bisect_left(gaps, time)
    return warm - worth * (sum(gaps[:warm]) + (len(gaps) - warm) * time) / MINUTE


def within(come: Come, chance: random.Random) -> list[int]:
    """The messages of a visit at any time within its 25 minutes, as habits.py draws visits."""
    between = [chance.randint(come.first, come.last) for _ in range(come.messages - 2)]
    return sorted([come.first, *([come.last] if come.messages > 1 else []), *between])


def one_by_one(come: Come, chance: random.Random) -> list[int]:
    """Half of the next messages come within four minutes, and one in twenty after more than 20: no visit has an end."""
    found = [come.first]
    for _ in range(come.messages - 1):
        found.append(found[-1] + int(4 * MINUTE * math.exp(chance.gauss(0, 1))))
    return found


VISITS: dict[str, Callable[[Come, random.Random], list[int]]] = {"within 25 min": within, "one by one": one_by_one}


def messages(person: Person, seed: int, kind: str) -> list[int]:
    """The time of each message."""
    chance = random.Random(f"idle/{person.name}/{seed}")  # noqa: S311  a simulation, not a secret
    return sorted(at for come in visits(person, seed) if come.messages for at in VISITS[kind](come, chance))


def live(person: Person, seed: int, rule: Rule, visit: str) -> Outcome:
    past, hours, warm, count = Past(), 0, 0, 0
    awake_from = awake_until = 0
    times = messages(person, seed, visit)
    for number, at in enumerate(times):
        counts = at >= BEGIN + LEARNING * DAY
        if at > awake_until:
            hours += awake_until - awake_from if awake_from >= BEGIN + LEARNING * DAY else 0
            awake_from = at
        elif counts:
            warm += 1
        count += counts
        kind = kind_of(past, at)
        timeout = rule(past, at)
        awake_until = max(at + timeout + TICK // 2, at + START)
        past.add(at, times[number + 1] - at if number + 1 < len(times) else None, kind)
    return Outcome((hours + awake_until - awake_from) / HOUR, warm, count)


def total(rule: Rule, visit: str, people: int = COUNT) -> Outcome:
    found = [live(person, seed, rule, visit) for person in PEOPLE for seed in range(people)]
    return Outcome(sum(one.hours for one in found), sum(one.warm for one in found), sum(one.messages for one in found))


def section() -> str:
    """A table for docs/simulation.md."""
    rules: dict[str, Rule] = {"today: 30 min in a usual hour, else 10": today}
    rules |= {f"always {minutes} min": fixed(minutes * MINUTE) for minutes in (10, 15, 20, 30)}
    rules |= {f"learned, {worth} a minute": learned(worth, False) for worth in WORTH}
    rules |= {f"learned by hour and habit, {worth} a minute": learned(worth, True) for worth in WORTH}
    people = COUNT * len(PEOPLE)
    lines = [
        TITLE,
        "",
        TEXT,
        "",
        f"| a message after which the agent stays | {' | '.join(VISITS)} |",
        "|---|---:|---:|",
    ]
    for name, rule in rules.items():
        cells = [f"{one.hours / people:.1f} h, {100 * one.share:.1f} %" for one in (total(rule, v) for v in VISITS)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


TITLE = "## How long an agent waits for the next message"
TEXT = """\
Hours a month in which a container exists, and the share of messages that find it awake (`bench/simulate/idle.py`): the
people above, with two ideas of how a visit's messages follow each other. A *learned* time is the one of nine that
gained most over the person's own earlier messages, if a minute of waiting is worth so many warm messages; *by hour and
habit* learns for each quarter of the day and for usual hours apart. **It is not built**: with messages that come one by
one it saves 2 to 5 % of the hours at today's share, no more than one fixed time does. In visits of 25 minutes it saves
more, but there always 20 minutes does as well, because nobody comes back after 25: that is the model's own assumption,
and no reason to wait less."""

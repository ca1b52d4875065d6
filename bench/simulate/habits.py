"""Simulates months of people with habits, with the product's own rules: when a start comes before its user.

The rules (habits, misses, budget, times) are those of chalicelib; the people and the seconds of a start are a model.
Everything is drawn from a seed, so the same figures come each time.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chalicelib.agents.activity import (
    HABIT_DAYS,
    QUIET_TIMEOUT,
    USUAL,
    USUAL_TIMEOUT,
    WEEK_HOURS,
    Hour,
    hour_of_week,
    recent_days,
)
from chalicelib.agents.habits import HOUR, Visit, next_visit
from chalicelib.lifecycle.early import HABIT_SHARE, INTENT_WAIT, LATEST
from chalicelib.people.early import ENDING
from chalicelib.people.machine_price import nano_usd
from chalicelib.platform.clock import DAY, MINUTE, SECOND

BEGIN = 1_788_739_200_000  # Monday, 7 September 2026, 00:00 UTC
LEARNING, MONTH = 56, 30  # days: eight weeks are not counted, then a month is
TICK = 5 * MINUTE
# About what Fargate's start and OpenClaw's take together, and what a claimed prewarmed container takes for a
# returning user (docs/benchmarks.md, OpenClaw loaded before its start).
START, CLAIMED = 45 * SECOND, 3 * SECOND
PAUSE = 30 * MINUTE


@dataclass(frozen=True)
class Person:
    """When somebody comes: (weekdays, hour, probability), and visits at any time of the day, a day."""

    name: str
    usual: tuple[tuple[tuple[int, ...], int, float], ...]
    other: float
    page: float = 0.7  # share of visits to the page; the others write in Telegram, without a sign before
    glances: float = 0.5  # a day: the page is opened, and nothing is written


WORK, WEEKEND, ALL = (0, 1, 2, 3, 4), (5, 6), (0, 1, 2, 3, 4, 5, 6)
PEOPLE = (
    Person("regular", ((WORK, 9, 0.85), (WORK, 13, 0.5), (WORK, 20, 0.7), (WEEKEND, 11, 0.6), (WEEKEND, 20, 0.5)), 0.4),
    Person("evenings only", ((ALL, 21, 0.6),), 0.15),
    Person("at any time", (), 2.0),
)


@dataclass(frozen=True)
class Policy:
    """How agents start before their users; `crons`: hours of the day at which an anonymous container is started."""

    name: str
    habit: bool = False
    intent: bool = False
    budget: float = 0.30
    days: int = HABIT_DAYS
    share: float = HABIT_SHARE
    crons: tuple[int, ...] = ()


NUMBERS = ("visits", "starts", "used", "ready", "nano")


@dataclass
class Figures:
    """A month: visits to a sleeping agent or an early one, and what became of early starts."""

    visits: int = 0
    starts: int = 0
    used: int = 0
    ready: int = 0
    nano: int = 0
    waits: list[int] = field(default_factory=list)

    def plus(self, other: "Figures") -> "Figures":
        sums = {name: getattr(self, name) + getattr(other, name) for name in NUMBERS}
        return Figures(**sums, waits=[*self.waits, *other.waits])


@dataclass(frozen=True)
class Come:
    """One visit: opened (ms), first message, last message; whether it was the page. No messages: a glance."""

    opened: int
    first: int
    last: int
    messages: int
    page: bool


def visits(person: Person, seed: int) -> Iterator[Come]:
    """In their order; one that begins within another one is left out."""
    chance, end = random.Random(f"{person.name}/{seed}"), 0  # noqa: S311  a simulation, not a secret
    for day in range(LEARNING + MONTH):
        times = [hour * HOUR for days, hour, often in person.usual if day % 7 in days and chance.random() < often]
        starts = [time + chance.uniform(0, HOUR) for time in times]
        count = int(person.other) + (chance.random() < person.other % 1)
        starts += [chance.uniform(8, 23) * HOUR for _ in range(count)]
        glances = [chance.uniform(8, 23) * HOUR for _ in range(chance.random() < person.glances)]
        begun = [(start, True) for start in starts] + [(glance, False) for glance in glances]
        for start, writes in sorted(begun):
            opened = BEGIN + day * DAY + int(start)
            if not writes:
                if opened > end:
                    yield Come(opened, opened, opened, 0, True)
                continue
            first = opened + int(chance.uniform(8, 90)) * SECOND
            come = Come(opened, first, first + int(chance.uniform(0, 25)) * MINUTE, chance.randint(1, 8), False)
            if opened > end:
                yield replace(come, page=chance.random() < person.page)
                end = come.last


class Life:
    """One person's agent under one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._hours: dict[int, Hour] = {}
        self._days: dict[int, list[str]] = {}  # on which the person came, by hour of the week
        self._visit: Visit | None = None
        self._begun = False
        self._awake_until = self._ready_at = self._paid = self._started = 0
        self._early = False
        self._spent: dict[int, int] = {}
        self._last = 0
        self.figures = Figures()

    def run(self, comes: Iterator[Come]) -> Figures:
        for come in comes:
            self._habits(come.first)
            if self._policy.intent and come.page and come.opened > self._awake_until:
                self._start(come.opened, come.opened + INTENT_WAIT)
            if come.messages:
                self._write(come)
        return self.figures

    def _counts(self, at: int) -> bool:
        return at >= BEGIN + LEARNING * DAY

    def _habits(self, until: int) -> None:
        """The watchdog's ticks before that time, at which a habit is due."""
        while self._policy.habit and self._visit is not None:
            visit = self._visit
            due = visit.end if self._begun else visit.start
            at = max(-(-due // TICK) * TICK, -(-(self._awake_until + 1) // TICK) * TICK if not self._begun else 0)
            if at >= until:
                return
            if self._begun:
                known = self._hours[visit.hour]
                self._hours[visit.hour] = replace(known, misses=known.misses + 1)
            elif at <= visit.end - LATEST and self._start(at, visit.end, self._policy.share):
                self._begun = True
                continue
            self._next(at)

    def _next(self, at: int) -> None:
        self._visit, self._begun = next_visit(self._hours, "UTC", at), False

    def _start(self, at: int, until: int, share: float = 1.0) -> bool:
        """Within the month's budget."""
        month, price = _month(at), nano_usd(until + ENDING - at, 1)
        if self._spent.get(month, 0) + price > self._policy.budget * share * 1e9:
            return False
        self._spent[month] = self._spent.get(month, 0) + price
        self._started, self._paid, self._early = at, price, True
        self._ready_at, self._awake_until = at + START, until
        if self._counts(at):
            self.figures.starts += 1
            self.figures.nano += price
        return True

    def _write(self, come: Come) -> None:
        asleep, counts = come.first > self._awake_until, self._counts(come.first)
        claimed = asleep and self._cron(come.first)
        if counts and (asleep or self._early):
            self.figures.visits += 1
            wait = (CLAIMED if claimed else START) if asleep else max(self._ready_at - come.first, 0)
            self.figures.waits.append(wait)
        if self._early and not asleep:
            self._settle(come.first)
        self._early = False
        self._learn(come)

    def _settle(self, at: int) -> None:
        unused = max(self._paid - nano_usd(max(at - self._started, MINUTE), 1), 0)
        self._spent[_month(self._started)] -= unused
        if self._counts(self._started):
            self.figures.nano -= unused
            self.figures.used += 1
            self.figures.ready += self._ready_at <= at

    def _cron(self, at: int) -> bool:
        """Whether an anonymous container waits; each one waits for an hour from ten minutes before its hour on."""
        since = [at % DAY - hour * HOUR + 10 * MINUTE for hour in self._policy.crons]
        return any(0 <= age < HOUR for age in since)

    def _learn(self, come: Come) -> None:
        number = hour_of_week(come.first, "UTC")
        known = self._hours.get(number, Hour())
        came = come.first - self._last >= PAUSE
        days = self._days.setdefault(number, [])
        if came:
            days[:] = recent_days(days, datetime.fromtimestamp(come.first / SECOND, UTC).date())
        learned = known.learned or len(days) >= self._policy.days
        self._hours[number] = Hour(known.messages + come.messages, learned, 0 if came else known.misses)
        near = (number, (number + 1) % WEEK_HOURS)
        usual = any(self._hours.get(one, Hour()).messages >= USUAL for one in near)
        self._awake_until = come.last + (USUAL_TIMEOUT if usual else QUIET_TIMEOUT) + TICK // 2
        self._last = come.last
        if came:
            self._next(come.first)


def _month(at: int) -> int:
    return (at - BEGIN - LEARNING * DAY) // (MONTH * DAY)


def month(person: Person, policy: Policy, people: int = 10) -> Figures:
    """The sum of so many people of a kind."""
    total = Figures()
    for seed in range(people):
        total = total.plus(Life(policy).run(visits(person, seed)))
    if policy.crons:  # they start whether anybody comes or not, and wait an hour unless claimed
        total.starts = people * MONTH * len(policy.crons)
        total.used = sum(1 for wait in total.waits if wait == CLAIMED)
        total.nano = (total.starts - total.used) * nano_usd(HOUR, 1) + total.used * nano_usd(HOUR // 2, 1)
    return total

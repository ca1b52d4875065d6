"""A month of people with habits, as a part of docs/simulation.md."""

from statistics import median

from bench.rows import p95
from bench.simulate.habits import PEOPLE, Figures, Person, Policy, month
from chalicelib.agents.habits import LEAD
from chalicelib.people.machine_price import nano_usd
from chalicelib.platform.clock import MINUTE

COUNT = 10
CRONS = (9, 13, 20)
POLICIES = (
    Policy("nothing"),
    Policy("cron prewarm at 9, 13 and 20 h", crons=CRONS),
    Policy("habit", habit=True),
    Policy("intent", intent=True),
    Policy("habit and intent (default)", habit=True, intent=True),
)
TRIED = (
    *(Policy(f"a habit after {days} of four weeks", habit=True, intent=True, days=days) for days in (1, 2, 3, 4)),
    Policy("all of the budget for habits", habit=True, intent=True, share=1.0),
    *(Policy(f"${budget:.2f} a month", habit=True, intent=True, budget=budget) for budget in (0.10, 0.30, 0.60, 1.00)),
)


def section() -> str:
    """Both tables."""
    lines = ["## A month of a person with habits", "", INTRODUCTION, "", *HEAD]
    lines += [_line(f"{person.name} | {policy.name}", person, policy) for person in PEOPLE for policy in POLICIES]
    lines += ["", TRIED_TEXT, "", *HEAD]
    lines += [_line(f"{person.name} | {policy.name}", person, policy) for person in PEOPLE for policy in TRIED]
    return "\n".join([*lines, ""])


def _line(name: str, person: Person, policy: Policy) -> str:
    figures = month(person, policy, COUNT)
    visits, starts = figures.visits / COUNT, figures.starts / COUNT
    waits = sorted(figures.waits)
    share = f"{100 * figures.ready / figures.starts:.0f} %" if figures.starts and not policy.crons else "–"
    wait = f"{median(waits) / 1000:.0f} s | {p95([float(one) for one in waits]) / 1000:.0f} s"
    return f"| {name} | {visits:.0f} | {starts:.0f} | {share} | {found(figures):.0f} % | {wait} | {usd(figures):.2f} |"


def found(figures: Figures) -> float:
    """Per cent of the visits that found the agent ready."""
    return 100 * figures.ready / figures.visits


def usd(figures: Figures) -> float:
    return figures.nano / 1e9 / COUNT


HEAD = (
    "| person | starts | visits | early starts | of these ready | visits found ready | median wait | 95 % | dollars |",
    "|---|---|---:|---:|---:|---:|---:|---:|---:|",
)
INTRODUCTION = f"""\
The output of `bench/simulate/habits.py`: {COUNT} people of each kind, drawn at random with a seed. They live for eight
weeks, from which their habits are learned, and then for a month of 30 days that is counted; the figures are those of
one person. The rules are the product's own code: habits, three misses, budget, times. *regular* comes on workdays at 9
(85 % of them), 13 (50 %) and 20 h (70 %), on weekends at 11 (60 %) and 20 h (50 %), within these hours at any minute,
and at other times four times in ten days. *evenings only* comes at 21 h on six days of ten, and seldom otherwise. *at
any time* comes twice a day, at no usual hour. 70 % of the visits open the page 8 to 90 s before the first message; the
others come by Telegram, without a sign before. Every other day the page is opened and nothing is written. *Visits* are
those for which no container of an earlier visit lives. A start takes 45 s. A returning user who claims an anonymous
container waits 3 s (docs/benchmarks.md), so it never counts as ready. Dollars are what AWS charges for the
waiting, up to the first message, on Spot. This is a model: nothing was measured on AWS."""
TRIED_TEXT = f"""\
**Why three weeks of four**: after one or two visits in an hour, somebody without habits pays for starts to which they
do not come. **Why habits get two thirds of the budget**: a start by habit costs about 1.6 cents and one on intent about
0.1. If habits may use all of it, nothing is left for those on intent in the last weeks of a month. **Why the start lies
{LEAD // MINUTE} minutes before the hour**: a tick of the watchdog and a start fit in. Half an hour would cost
{nano_usd(30 * MINUTE - LEAD) / 1e7:.1f} cents more for each start."""

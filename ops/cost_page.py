"""The tables of docs/cost.md: a month's bill, and what the options of the agent's task save of it."""

import json
from dataclasses import dataclass

from ops.cost import FOLDER, bill, early_usd, profile_of, read_system, total
from ops.steps import ROOT

PAGE = ROOT / "docs" / "cost.md"
BEGIN, END = "<!-- cost: begin -->", "<!-- cost: end -->"
OPTIONS_BEGIN, OPTIONS_END = "<!-- options: begin -->", "<!-- options: end -->"
DOLLAR = 1.00  # the promise for the hours and messages of ops/profile.json, on Spot


@dataclass(frozen=True)
class Combination:
    """Of AGENT_CPU and IPV6_ONLY."""

    name: str
    cpu: str
    ipv6_only: bool


COMBINATIONS = (
    Combination("default", "1024", False),
    Combination("`IPV6_ONLY=true`", "1024", True),
    Combination("`AGENT_CPU=512`", "512", False),
    Combination("both", "512", True),
)


def markdown() -> str:
    """The table of docs/cost.md and the README."""
    document = json.loads((FOLDER / "prices.json").read_text())
    profile, system = profile_of(), read_system()
    spot, demand = bill(profile), bill(profile, spot=False)
    rows = [
        f"| {line.what} | {line.amount:,.2f} {line.unit} | {line.due:.2f} | {full.due:.2f} |"
        for line, full in zip(spot, demand, strict=True)
        if max(line.due, full.due) >= 0.005
    ]
    rest = [sum(line.due for line in lines if line.due < 0.005) for lines in (spot, demand)]
    early = early_usd(profile)
    uses = [
        f"| {hours} h a day | {total(bill(profile_of(hours))):.2f} | {total(bill(profile_of(hours), False)):.2f} |"
        for hours in (0, 0.5, 1, 2, 4, 8)
    ]
    return "\n".join(
        [
            f"{profile['hours_per_day']} hours and {profile['messages_per_day']} messages a day, "
            f"{profile['days']} days, a task of {system.vcpu:g} vCPU and {system.memory_gb:g} GB, "
            f"prices of {document['region']} on {document['date']}, in US dollars, "
            "without the model provider's bill:",
            "",
            "| a month | amount | Spot | on demand |",
            "|---|---|---:|---:|",
            *rows,
            f"| everything else | | {rest[0]:.2f} | {rest[1]:.2f} |",
            f"| **together** | | **{total(spot):.2f}** | **{total(demand):.2f}** |",
            f"| early starts, at most | {profile['users']} user | {early:.2f} | {early:.2f} |",
            "",
            "| container exists | Spot | on demand |",
            "|---|---:|---:|",
            *uses,
        ]
    )


def totals(one: Combination) -> tuple[float, float]:
    """Dollars a month: on Spot, on demand."""
    system = read_system(one.cpu, one.ipv6_only)
    spot, demand = (total(bill(profile_of(), spot, system)) for spot in (True, False))
    return spot, demand


def options() -> str:
    rows = [(one.name, *totals(one)) for one in COMBINATIONS]
    return "\n".join(
        [
            "| the same use | Spot | on demand | a dollar, on Spot |",
            "|---|---:|---:|---|",
            *(f"| {name} | {spot:.2f} | {demand:.2f} | {_kept(spot)} |" for name, spot, demand in rows),
        ]
    )


def _kept(dollars: float) -> str:
    return "yes" if round(dollars, 2) <= DOLLAR else f"{dollars - DOLLAR:.2f} too much"


def write() -> None:
    """Put the tables between their marks."""
    for begin, end, table in ((BEGIN, END, markdown()), (OPTIONS_BEGIN, OPTIONS_END, options())):
        before, rest = PAGE.read_text().split(begin)
        PAGE.write_text(f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}")

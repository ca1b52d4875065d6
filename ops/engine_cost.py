"""Both engines side by side: what the agent's own machine costs in a month, on Fargate and as a MicroVM.

Functions, tables and storage cost the same on both and are left out. Nothing here was measured on AWS: list prices
(ops/prices.json) times the figures below, each of which says where it is from.
"""

import json
from dataclasses import dataclass
from typing import Any

from chalicelib.people.machine_price import SNAPSHOT_GB, STORED_USD, MachinePrice
from chalicelib.people.machine_price import microvm as machine_price
from ops.steps import ROOT

Json = dict[str, Any]
DAYS = 30
VCPU, GB = 1.0, 2.0  # the task's size, and the MicroVM's (cdk/microvm_image.py)
# A turn, and the pause before the next message of a visit: assumed.
TURN, PAUSE = 10.0, 30.0
QUIET = 60.0  # SUSPEND_SECONDS
FEWEST_STARTS = 3  # a day: a MicroVM lives 8 h


@dataclass(frozen=True)
class Day:
    """Messages, in how many visits they come, and how long a Fargate task exists for them, idle time included."""

    messages: int
    visits: int
    hours: float


DAYS_OF = (Day(5, 3, 0.75), Day(40, 12, 2.0), Day(200, 30, 6.0))


def fargate(day: Day, prices: Json, spot: bool = True) -> float:
    """Dollars a month."""
    share = 1 - prices["fargate_spot_discount"]["price"] if spot else 1.0
    hour = VCPU * prices["fargate_arm_vcpu_hour"]["price"] + GB * prices["fargate_arm_gb_hour"]["price"]
    return float(day.hours * DAYS * (hour * share + prices["public_ipv4_hour"]["price"]))


def awake(day: Day, quiet: float = QUIET) -> float:
    """Seconds a day in which the MicroVM runs: turns, the pauses within a visit that are short enough, quiet ends."""
    pauses = day.messages - day.visits
    ends = day.visits if quiet >= PAUSE else day.messages
    return day.messages * TURN + pauses * min(PAUSE, quiet) + ends * quiet


def microvm(day: Day, quiet: float = QUIET) -> float:
    """Dollars a month. Suspended it costs its snapshot's storage, for as long as it may exist."""
    price: MachinePrice = machine_price()
    cycles = day.visits if quiet >= PAUSE else day.messages
    used = awake(day, quiet) / 3600 * price.hour + cycles * price.pause + FEWEST_STARTS * price.start
    return DAYS * (used + 24 * price.stored) + SNAPSHOT_GB * STORED_USD  # the latter is the image's own


def break_even() -> float:
    """Seconds of running that cost as much as one suspend and resume."""
    price = machine_price()
    return price.pause / price.hour * 3600


def table() -> list[str]:
    """For docs/engines.md."""
    prices = read()
    head = [
        "| messages a day (visits) | Fargate exists | Spot | on demand | MicroVM runs | MicroVM |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    demand = [f"{fargate(day, prices, spot=False):.2f}" for day in DAYS_OF]
    rows = [
        f"| {day.messages} ({day.visits}) | {day.hours:g} h | {fargate(day, prices):.2f} | {other} "
        f"| {awake(day) / 3600:.2f} h | {microvm(day):.2f} |"
        for day, other in zip(DAYS_OF, demand, strict=True)
    ]
    return [*head, *rows]


def read() -> Json:
    prices: Json = json.loads((ROOT / "ops" / "prices.json").read_text())["prices"]
    return prices


def lines() -> list[str]:
    """For `make cost`."""
    prices, found = read(), ["the agent's machine a month, US dollars:   Fargate Spot   on demand   MicroVM"]
    for day in DAYS_OF:
        spot, demand, machine = fargate(day, prices), fargate(day, prices, False), microvm(day)
        found.append(f"  {day.messages:>4} messages a day {spot:>32.2f} {demand:>11.2f} {machine:>9.2f}")
    return found

"""The simulation's ladder: every quota has its demand, and docs/simulation.md is its output."""

import pytest

from bench.simulate import report
from bench.simulate.__main__ import PAGE
from bench.simulate.demand import Demand, lasting, later, mixed, simulate, start_waits

USERS = 100_000


@pytest.fixture(scope="module")
def demand() -> Demand:
    return simulate(USERS)


def test_each_quota_has_a_demand(demand: Demand) -> None:
    assert set(report.quotas()["quotas"]) == set(demand.asked)
    assert all(min(line) > -1e-6 for line in demand.asked.values())


def test_the_ladder_begins_with_the_first_limit_and_names_its_fix(demand: Demand) -> None:
    steps = report.ladder(demand, USERS)
    assert [step.users for step in steps] == sorted(step.users for step in steps)
    assert all(step.fix and step.source for step in steps)


def test_the_page_is_what_the_simulation_says(demand: Demand) -> None:
    assert PAGE.read_text() == report.page(report.ladder(demand, USERS), demand, USERS)


def test_demand_grows_with_the_users(demand: Demand) -> None:
    half = simulate(USERS // 2)
    for name in ("vcpu", "api_requests", "active_index"):
        assert demand.peak(name) / half.peak(name) == pytest.approx(2, rel=0.05)


def test_lines_are_shifted_spread_and_mixed() -> None:
    line = [1.0, 0.0, 2.0, 0.0]
    assert later(line, 1) == [0.0, 1.0, 0.0, 2.0]
    assert lasting(line, 2) == [1.0, 1.0, 2.0, 2.0]
    assert mixed((2, line), (1, [1.0, 1.0, 1.0, 1.0])) == [3.0, 1.0, 5.0, 1.0]


def test_starts_queue_when_they_come_faster_than_allowed() -> None:
    waits = start_waits(Demand({"run_task": [10.0, 0.0, 0.0]}), 5)
    assert waits[0] == 0
    assert max(waits) == pytest.approx(0.9)

"""The simulation's ladder: every quota has its demand, and docs/simulation.md is its output."""

import pytest

from bench.simulate import habits_report, idle, report
from bench.simulate.__main__ import PAGE
from bench.simulate.demand import Demand, lasting, later, mixed, simulate, start_waits
from bench.simulate.habits import PEOPLE, Figures, Life, Person, Policy, month, visits

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
    page = report.page(report.ladder(demand, USERS), demand, USERS)
    expected = "\n".join([page, habits_report.section(), idle.section()])
    assert PAGE.read_text() == expected, "run: python -m bench.simulate --docs"


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


BOTH = Policy("both", habit=True, intent=True)


def cost(figures: Figures) -> float:
    return figures.nano / 1e9


@pytest.mark.parametrize("budget", [0.05, 0.30])
@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_no_month_of_a_person_exceeds_the_budget(person: Person, budget: float) -> None:
    for seed in range(3):
        assert cost(Life(Policy("both", habit=True, intent=True, budget=budget)).run(visits(person, seed))) <= budget


def test_habits_and_intents_together_find_more_agents_ready_than_either_for_less_than_the_cron() -> None:
    regular, evenings, chance = PEOPLE
    for person in (regular, evenings):
        both = month(person, BOTH)
        for one in (Policy("habit", habit=True), Policy("intent", intent=True)):
            assert both.ready > month(person, one).ready
        assert cost(both) < cost(month(person, Policy("cron", crons=(9, 13, 20)))) / 5
    nobody = month(chance, Policy("habit", habit=True))
    assert nobody.starts < 10 * 10, "ten people without habits"


def test_the_same_month_comes_each_time() -> None:
    assert month(PEOPLE[0], BOTH, 2) == month(PEOPLE[0], BOTH, 2)

"""Early starts on fakes: by habit and on intent, within the budget, and never twice."""

import pytest

from chalicelib.agents.activity import MISSES
from chalicelib.agents.habits import LEAD, Habit
from chalicelib.agents.runtime import StartFailed
from chalicelib.agents.tasks import AlreadyActive, Status
from chalicelib.lifecycle.early import AGAIN, INTENT_EVERY, INTENT_WAIT, LATEST, STARTS_PER_TICK
from chalicelib.people.early import ENDING
from chalicelib.people.machine_price import nano_usd
from chalicelib.people.preferences import Choice
from chalicelib.people.spending import NANO
from chalicelib.platform.clock import MINUTE
from tests.support.early import HOUR, MONDAY_NINE, NINE, TICK, WEEK, Place


def next_week() -> Habit:
    nine = MONDAY_NINE + WEEK
    return Habit("ann", nine - LEAD, NINE, nine + HOUR)


def test_the_agent_is_awake_when_its_user_usually_comes() -> None:
    place = Place()
    assert place.at(MONDAY_NINE - LEAD - 1) == {}
    assert place.at(MONDAY_NINE - LEAD) == {"started": 1}
    task = place.world.tasks.get("ann")
    assert (task.status, task.early_until) == (Status.STARTING, MONDAY_NINE + HOUR)
    assert place.world.containers.spot_only == [True], "never at a price that is not reserved"
    place.world.boot()
    place.world.clock.now = MONDAY_NINE + 10 * MINUTE
    place.beat()
    done = place.world.send()
    assert (done.started, done.task.status) == (False, Status.RUNNING)
    place.world.answer_all()
    assert place.world.tasks.get("ann").early_until == 0, "from now on the ordinary idle rules count"
    assert place.world.containers.runs == [("ann", 1)]


def test_two_ticks_at_once_start_one_container_and_pay_once() -> None:
    place = Place()
    place.world.clock.now = MONDAY_NINE - LEAD
    seen = place.rows.get("ann")
    place.rows.get = lambda user_id: seen  # type: ignore[method-assign]
    assert place.early.tick() == {"started": 1}
    place.rows.due = lambda limit: ["ann"]  # type: ignore[method-assign]
    assert place.early.tick() == {"moved": 1}
    place.world.tasks.released("ann", 1)
    assert place.early.tick() == {"moved": 1}
    assert place.budget.month("ann", "UTC").starts == 1


def test_three_misses_in_a_row_end_a_habit_until_its_user_comes_in_it_again() -> None:
    place = Place()
    for week in range(MISSES):
        assert place.week_passes(week) == {"started": 1}
    assert place.rows.get("ann") is None
    assert place.week_passes(MISSES) == {}
    place.world.habits.came("ann", "UTC", MONDAY_NINE + 4 * WEEK)
    place.world.clock.now = MONDAY_NINE + 4 * WEEK
    place.project()
    assert place.at(MONDAY_NINE + 5 * WEEK - LEAD) == {"started": 1}


def test_a_user_who_comes_is_missed_by_nobody() -> None:
    place = Place()
    place.at(MONDAY_NINE - LEAD)
    place.world.clock.now = MONDAY_NINE + MINUTE
    place.world.habits.came("ann", "UTC", MONDAY_NINE)
    place.project()
    place.at(MONDAY_NINE + HOUR)
    assert place.world.habits.hours("ann")[NINE].misses == 0
    assert place.rows.get("ann") == next_week()


@pytest.mark.parametrize(
    ("choice", "default", "spent", "why"),
    [
        (Choice(prewarm_budget=0), 0.30, False, "off"),
        (Choice(prewarm_budget=0.01), 0.30, False, "budget"),
        (Choice(), 0.01, False, "budget"),
        (Choice(), 0.30, True, "spent"),
    ],
)
def test_what_keeps_it_asleep(choice: Choice, default: float, spent: bool, why: str) -> None:
    place = Place(spent=spent, default_usd=default)
    place.world.choices.choices["ann"] = choice
    assert place.at(MONDAY_NINE - LEAD) == {why: 1}
    assert place.world.containers.runs == []
    assert place.budget.month("ann", "UTC").usd == 0
    assert place.rows.get("ann") == next_week(), "next week, not next tick"


def test_a_deployment_without_early_starts_has_none_for_anybody() -> None:
    place = Place(default_usd=0)
    place.world.choices.choices["ann"] = Choice(prewarm_budget=5)
    assert place.at(MONDAY_NINE - LEAD) == {}
    assert place.early.intent("ann") == "off"
    assert place.world.containers.runs == []


def test_the_budget_of_a_month_is_never_exceeded() -> None:
    place = Place()
    outcomes = []
    for number in range(100):
        place.world.clock.now = MONDAY_NINE - WEEK + number * INTENT_EVERY
        outcomes.append(place.early.intent("ann"))
        if outcomes[-1] == "started":
            place.world.tasks.released("ann", place.world.tasks.get("ann").generation)
            place.world.tasks.forgive("ann", place.world.tasks.get("ann").generation)
    month = place.budget.month("ann", "UTC")
    assert outcomes.count("started") == month.starts == int(0.30 * NANO / nano_usd(INTENT_WAIT + ENDING))
    assert month.usd <= 0.30
    assert set(outcomes) == {"started", "budget"}


@pytest.mark.parametrize("code", ["CAPACITY", "START_FAILED"])
def test_a_start_that_fails_costs_nothing_and_is_not_repeated(code: str) -> None:
    """No room on Spot is no reason to pay more; the next tick does not try again."""
    place = Place()
    place.world.containers.fail = [StartFailed(code, "no")]
    assert place.at(MONDAY_NINE - LEAD) == {"failed": 1}
    assert place.budget.month("ann", "UTC").starts == 0
    assert place.budget.month("ann", "UTC").usd == 0
    assert place.world.tasks.get("ann").status is Status.IDLE
    assert place.at(MONDAY_NINE - LEAD + TICK) == {}
    place.at(MONDAY_NINE + HOUR)
    assert place.world.habits.hours("ann")[NINE].misses == 0


def test_a_container_that_dies_before_it_is_ready_is_not_started_early_again() -> None:
    """Until it has started for a message; and nobody is told."""
    place = Place()
    place.at(MONDAY_NINE - LEAD)
    place.world.tasks.released("ann", 1)
    assert place.world.dispatch.restart_if_waiting("ann") is None, "nobody waits for it"
    place.world.clock.step(INTENT_EVERY)
    assert place.early.intent("ann") == "failing"
    assert place.world.send().started
    place.world.boot()
    place.world.answer_all()
    place.world.tasks.released("ann", 2)
    place.world.clock.step(INTENT_EVERY)
    assert place.early.intent("ann") == "started"


def test_an_agent_that_is_awake_is_left_alone_and_looked_at_again() -> None:
    place = Place()
    place.world.send()
    place.world.boot()
    place.world.answer_all()
    place.world.clock.now = MONDAY_NINE - LEAD
    place.beat()
    assert place.early.tick() == {"awake": 1}
    place.world.tasks.released("ann", 1)
    assert place.at(MONDAY_NINE - LEAD + TICK) == {"started": 1}
    assert place.world.tasks.get("ann").early_until == MONDAY_NINE + HOUR


def test_a_tick_that_comes_late_in_the_hour_starts_nothing() -> None:
    place = Place()
    assert place.at(MONDAY_NINE + HOUR - LATEST + 1) == {"over": 1}
    assert place.world.containers.runs == []


def test_a_message_that_wins_the_start_costs_the_early_budget_nothing() -> None:
    place = Place()
    begin = place.world.tasks.begin_start

    def message_first(*args: object, **named: object) -> object:
        place.world.tasks.begin_start = begin  # type: ignore[method-assign]
        begin("ann")
        raise AlreadyActive("ann")

    place.world.tasks.begin_start = message_first  # type: ignore[method-assign,assignment]
    assert place.at(MONDAY_NINE - LEAD) == {"awake": 1}
    assert place.budget.month("ann", "UTC").starts == 0
    assert place.rows.get("ann") == Habit("ann", MONDAY_NINE - LEAD + AGAIN, NINE, MONDAY_NINE + HOUR)


def test_an_intent_starts_it_for_eleven_minutes_once_in_ten_minutes() -> None:
    place = Place()
    world = place.world
    assert place.early.intent("ann") == "started"
    assert world.tasks.get("ann").early_until == world.clock() + INTENT_WAIT
    assert place.early.intent("ann") == "awake"
    world.boot()
    world.tasks.released("ann", 1)
    assert place.early.intent("ann") == "asked"
    world.clock.step(INTENT_EVERY)
    assert place.early.intent("ann") == "started"
    assert world.habits.counts("ann") == {NINE: 0}, "it is no message"


def test_one_user_s_failure_keeps_nobody_else_asleep() -> None:
    place = Place()
    place.rows.rows["bob"] = Habit("bob", 0, NINE, MONDAY_NINE + HOUR)
    hours = place.world.habits.hours

    def broken(user_id: str) -> object:
        if user_id == "bob":
            raise TimeoutError
        return hours(user_id)

    place.world.habits.hours = broken  # type: ignore[method-assign,assignment]
    assert place.at(MONDAY_NINE - LEAD) == {"error": 1, "started": 1}


def test_a_tick_starts_no_more_than_it_has_time_for() -> None:
    """10,000 people of one time zone come at nine: the others are due at the next ticks, until it is too late."""
    place = Place()
    for number in range(10_000):
        user = f"user-{number}"
        place.world.habits.rows[user] = place.world.habits.rows["ann"]
        place.rows.rows[user] = Habit(user, MONDAY_NINE - LEAD, NINE, MONDAY_NINE + HOUR)
    assert place.at(MONDAY_NINE - LEAD) == {"started": STARTS_PER_TICK}
    assert place.at(MONDAY_NINE - LEAD + TICK) == {"started": STARTS_PER_TICK}


def test_those_who_are_awake_do_not_hide_those_who_sleep() -> None:
    """More rows are due than a tick looks at, and the first of them need nothing."""
    place = Place()
    place.world.clock.now = MONDAY_NINE - LEAD
    for number in range(STARTS_PER_TICK):
        user = f"user-{number}"
        place.world.habits.rows[user] = place.world.habits.rows["ann"]
        place.rows.rows[user] = Habit(user, MONDAY_NINE - LEAD - 1, NINE, MONDAY_NINE + HOUR)
        place.world.tasks.begin_start(user)
    assert place.at(MONDAY_NINE - LEAD) == {"awake": STARTS_PER_TICK}
    assert place.early.tick() == {"started": 1}


def test_who_hesitates_keeps_the_container_that_waits_for_them() -> None:
    place = Place()
    world, begun = place.world, place.world.clock()
    assert place.early.intent("ann") == "started"
    world.boot()
    world.clock.step(INTENT_EVERY)
    place.beat()
    assert place.early.intent("ann") == "longer"
    task, month = world.tasks.get("ann"), place.budget.month("ann", "UTC")
    assert task.early_until == begun + INTENT_EVERY + INTENT_WAIT
    assert task.early == {"month": "2026-11", "nano": month.usd * NANO, "starts": 0}
    assert (month.starts, month.usd) == (1, nano_usd(INTENT_EVERY + INTENT_WAIT + ENDING) / NANO)
    world.send()
    world.answer_all()
    world.clock.step(INTENT_EVERY)
    place.beat()
    assert place.early.intent("ann") == "awake", "the ordinary idle rules count"


def test_a_message_that_comes_while_the_wait_is_made_longer_wins() -> None:
    place = Place()
    assert place.early.intent("ann") == "started"
    place.world.boot()
    place.world.clock.step(INTENT_EVERY)
    place.beat()
    seen, cost = place.world.tasks.get("ann"), place.budget.month("ann", "UTC")
    place.world.send()
    place.world.answer_all()
    place.world.tasks.get = lambda user_id: seen  # type: ignore[method-assign]
    assert place.early.intent("ann") == "awake"
    assert place.budget.month("ann", "UTC").usd == pytest.approx(cost.usd)
    assert place.world.tasks.rows["ann"].early_until == 0

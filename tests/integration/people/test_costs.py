"""What a month was spent for, on the real tables: models by cause, and the hours in which the agent was awake."""

import uuid

import pytest

from chalicelib.agents.starts import COLD, TOLD, Begun, Starts
from chalicelib.agents.tasks import Tasks
from chalicelib.lifecycle.costs import explained
from chalicelib.people.early import hour_usd
from chalicelib.people.shares import ANSWERS, BY_ITSELF, FIRST_WORDS, Shares
from chalicelib.people.spending import month_name
from chalicelib.platform.clock import MINUTE, now_ms
from tests.support.fake_tasks import FakeClock

pytestmark = pytest.mark.usefixtures("cloud")


def test_each_call_is_counted_for_its_cause_and_model() -> None:
    user, month = uuid.uuid4().hex, month_name(now_ms(), "UTC")
    shares = Shares()
    shares.add(user, month, ANSWERS, "anthropic/claude", 2_000_000)
    shares.add(user, month, ANSWERS, "anthropic/claude", 3_000_000)
    shares.add(user, month, BY_ITSELF, "openai/gpt", 1_000_000)
    shares.add(user, month, FIRST_WORDS, "openrouter/a#b/c", 500_000)
    shares.add(user, "2020-01", ANSWERS, "anthropic/claude", 9_000_000)
    shares.add(uuid.uuid4().hex, month, ANSWERS, "anthropic/claude", 9_000_000)
    assert shares.of(user, month) == [
        {"cause": "answers", "model": "anthropic/claude", "usd": 0.005, "calls": 2},
        {"cause": "itself", "model": "openai/gpt", "usd": 0.001, "calls": 1},
        {"cause": "first", "model": "openrouter/a#b/c", "usd": 0.0005, "calls": 1},
    ]


def test_the_hours_of_this_month_are_counted() -> None:
    """One start from the month before, one that was killed, one that still runs."""
    user, clock = uuid.uuid4().hex, FakeClock()
    tasks, starts = Tasks(clock), Starts(clock)
    since = clock() + 30 * MINUTE
    for number, wait in enumerate((60 * MINUTE, 10 * MINUTE, MINUTE), 1):
        task = tasks.begin_start(user)
        starts.begun(task, Begun(COLD, 1, 2))
        clock.now += wait
        if number == 1:
            starts.ended(user, number, TOLD, 0)
        if number < 3:
            tasks.released(user, number)
    assert starts.awake(user, since) == 30 * MINUTE + MINUTE


def test_costs_explain_the_month() -> None:
    user = uuid.uuid4().hex
    assert explained(user) == {"month": month_name(now_ms(), "UTC"), "parts": [], "awakeMs": 0, "awsUsd": 0.0}
    task = Tasks().begin_start(user)
    Starts().begun(task, Begun(COLD, 1, 2))
    later = explained(user, lambda: task.started_at + MINUTE)
    assert later["awakeMs"] == MINUTE
    assert later["awsUsd"] == pytest.approx(hour_usd() / 60, abs=0.0001)

"""What a month was spent for, on the real tables: models by cause, and the hours in which the agent was awake."""

import uuid

import pytest

from bridge.life.record import Record
from chalicelib.agents.starts import COLD, TOLD, Begun, Starts, WentOn
from chalicelib.agents.tasks import Tasks
from chalicelib.lifecycle.costs import explained
from chalicelib.people.machine_price import Used, fargate, machine_price, microvm
from chalicelib.people.shares import ANSWERS, BY_ITSELF, FIRST_WORDS, Shares
from chalicelib.people.spending import month_name
from chalicelib.platform.clock import MINUTE, now_ms
from chalicelib.platform.settings import Settings
from tests.support.client import eventually
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
    assert sum(used.running for _, used in starts.used(user, since)) == 30 * MINUTE + MINUTE


def test_costs_explain_the_month() -> None:
    user = uuid.uuid4().hex
    assert explained(user) == {"month": month_name(now_ms(), "UTC"), "parts": [], "awakeMs": 0, "awsUsd": 0.0}
    task = Tasks().begin_start(user)
    Starts().begun(task, Begun(COLD, 1, 2))
    later = explained(user, lambda: task.started_at + MINUTE)
    assert later["awakeMs"] == MINUTE
    assert later["awsUsd"] == pytest.approx(machine_price().hour / 60, abs=0.0001)


def test_a_microvm_costs_its_running_and_its_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five minutes of running, a pause of an hour, two minutes, and a pause in which it ended unseen."""
    monkeypatch.setenv("RUNTIME", "microvm")
    user, clock = uuid.uuid4().hex, FakeClock()
    tasks, starts = Tasks(clock), Starts(clock)
    begun = tasks.begin_start(user)
    starts.begun(tasks.running(user, begun.generation, "microvm-1"), Begun(COLD, 1, 2))
    record = Record(user, begun.generation, tasks, clock)
    record.awoke()  # it never slept

    def used() -> Used:
        return dict(starts.used(user, 0))["microvm-1"]

    clock.now += 5 * MINUTE
    record.asleep()
    record.asleep()  # Lambda may call its hook again
    clock.now += 60 * MINUTE
    assert used() == Used(5 * MINUTE, 65 * MINUTE, 1, 1)
    record.awoke()
    clock.now += 2 * MINUTE
    tasks.heartbeat(user, begun.generation)
    eventually(lambda: used() == Used(7 * MINUTE, 67 * MINUTE, 1, 1))
    record.asleep()
    tasks.released(user, begun.generation)
    clock.now += 10 * 60 * MINUTE
    assert used() == Used(7 * MINUTE, 8 * 60 * MINUTE, 1, 2)
    price, told = microvm(), explained(user, clock)
    assert (told["awakeMs"], told["pauses"]) == (7 * MINUTE, 2)
    whole = price.hour * 7 / 60 + price.start + 2 * price.pause + 8 * price.stored
    assert told["awsUsd"] == pytest.approx(whole, abs=0.0001)


def test_a_late_word_of_a_pause_does_not_make_it_sleep_again() -> None:
    user, starts = uuid.uuid4().hex, Starts()
    starts.awoke(user, 1, 1, 1000)
    with pytest.raises(WentOn):
        starts.asleep(user, 1, 1)
    starts.asleep(user, 1, 2)
    assert dict(starts.used(user, 0))[None].suspends == 2


def test_after_a_change_of_the_engine_each_start_has_its_own_price(monkeypatch: pytest.MonkeyPatch) -> None:
    user, clock = uuid.uuid4().hex, FakeClock()
    tasks, starts = Tasks(clock), Starts(clock)
    for name in ("arn:aws:ecs:us-east-1:123456789012:task/x/1", "microvm-1"):
        begun = tasks.begin_start(user)
        starts.begun(tasks.running(user, begun.generation, name), Begun(COLD, 1, 2))
        clock.now += 60 * MINUTE
        starts.ended(user, begun.generation, TOLD, 0)
        tasks.released(user, begun.generation)
    both = fargate(Settings({})).hour + microvm().hour + microvm().start
    for engine in ("fargate", "microvm"):
        monkeypatch.setenv("RUNTIME", engine)
        assert explained(user, clock)["awsUsd"] == pytest.approx(both, abs=0.0001)

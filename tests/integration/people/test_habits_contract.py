"""When a user is usually here: the fake and the real counters count alike, and the container feeds them."""

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bridge.life.arrivals import Arrivals
from bridge.turns.choices import Choices
from chalicelib.agents.activity import (
    HABIT_DAYS,
    MEMORY,
    PREFIX,
    USUAL,
    USUAL_TIMEOUT,
    Activity,
    Hour,
    hour_of_week,
    idle_timeout,
)
from chalicelib.agents.tasks import Tasks
from chalicelib.messages.inbox import Message
from chalicelib.people.preferences import Preferences
from chalicelib.platform.clock import DAY, MINUTE, now_ms, ttl
from chalicelib.platform.models import SettingItem
from tests.support.fake_tables import FakeClock
from tests.support.fakes import FakeHabits
from tests.support.judges import TABLE_SERVERS, OnTables

HOUR = 60 * MINUTE


@dataclass
class Counted:
    clock: FakeClock
    habits: Any
    user: str


@pytest.fixture(params=["fake", *TABLE_SERVERS])
def counted(request: pytest.FixtureRequest, on_tables: OnTables) -> Iterator[Counted]:
    clock, user = FakeClock(), uuid.uuid4().hex
    if request.param == "fake":
        yield Counted(clock, FakeHabits(clock), user)
        return
    with on_tables(request.param):
        yield Counted(clock, Activity(clock), user)


def test_a_new_user_has_no_habits(counted: Counted) -> None:
    assert counted.habits.counts(counted.user) == {}


def test_messages_are_counted_by_hour_of_the_week_and_user(counted: Counted) -> None:
    hour = hour_of_week(counted.clock(), "UTC")
    for user in (counted.user, counted.user, counted.user + "-other"):
        counted.habits.record(user, "UTC")
    counted.clock.step(HOUR)
    counted.habits.record(counted.user, "UTC")
    counted.clock.step(7 * 24 * HOUR)
    counted.habits.record(counted.user, "UTC")
    assert counted.habits.counts(counted.user) == {hour: 2, (hour + 1) % 168: 2}


def test_the_hour_is_the_users_own(counted: Counted) -> None:
    counted.habits.record(counted.user, "Asia/Seoul")
    assert counted.habits.counts(counted.user) == {(hour_of_week(counted.clock(), "UTC") + 9) % 168: 1}


def test_messages_at_once_are_all_counted(counted: Counted) -> None:
    """Two containers may end a turn at the same moment: one is handing over to the next."""
    threads = [threading.Thread(target=counted.habits.record, args=(counted.user, "UTC")) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(counted.habits.counts(counted.user).values()) == [20]


def test_a_visit_counts_once_a_day_and_forgives_what_was_missed(counted: Counted) -> None:
    habits, user, clock = counted.habits, counted.user, counted.clock
    hour = hour_of_week(clock(), "UTC")
    habits.missed(user, hour)
    assert habits.hours(user) == {}, "what is forgotten stays so"
    for week in range(HABIT_DAYS):
        for _ in range(2):
            habits.came(user, "UTC", clock())
        assert habits.hours(user) == {hour: Hour(0, week + 1 == HABIT_DAYS, 0)}
        for _ in range(3):
            habits.missed(user, hour)
        assert habits.hours(user)[hour].misses == 3
        clock.step(7 * DAY)
    assert not habits.hours(user)[hour].habit
    habits.came(user, "UTC", clock())
    assert habits.hours(user)[hour] == Hour(0, True, 0)


def test_three_weeks_of_five_are_no_habit(counted: Counted) -> None:
    hour = hour_of_week(counted.clock(), "UTC")
    for _ in range(4):
        counted.habits.came(counted.user, "UTC", counted.clock())
        counted.clock.step(14 * DAY)
    assert counted.habits.hours(counted.user) == {hour: Hour()}


def test_other_settings_are_no_habits(table_server: str) -> None:
    user = uuid.uuid4().hex
    Preferences().change(user, {"timeZone": "Asia/Seoul"})
    Activity().record(user, "Asia/Seoul")
    assert list(Activity().counts(user).values()) == [1]


def test_an_hour_is_forgotten_eight_weeks_after_its_last_message(table_server: str) -> None:
    clock, user = FakeClock(), uuid.uuid4().hex
    Activity(clock).record(user, "UTC")
    clock.step(7 * 24 * HOUR)
    Activity(clock).record(user, "UTC")
    row = SettingItem.get(user, f"{PREFIX}{hour_of_week(clock(), 'UTC')}")
    assert row.expires_at == ttl(clock() + MEMORY)


def test_what_a_container_counts_is_what_the_watchdog_judges_by(table_server: str) -> None:
    """In the zone the user set, which is not this machine's."""
    user, preferences = uuid.uuid4().hex, Preferences()
    preferences.change(user, {"timeZone": "Asia/Kathmandu"})
    choices = Choices(user)
    choices.refresh()
    before = now_ms()
    arrivals = Arrivals(user, 1, Tasks(), choices)
    for number in range(USUAL):
        arrivals.wrote(Message(user, f"message-{number}", "hello", "main", now_ms()))
    assert idle_timeout(preferences.get(user), Activity().counts(user), before) == USUAL_TIMEOUT

"""The next visit, on the clock of the user's own zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from chalicelib.agents.activity import MISSES, Hour
from chalicelib.agents.habits import HOUR, LEAD, next_visit

HABIT = Hour(5, True)
SUNDAY = 6 * 24


def at(text: str, zone: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_a_visit_is_in_the_users_own_hour(zone: str) -> None:
    monday = at("2026-11-30T09:00", zone)
    visit = next_visit({9: HABIT, 33: HABIT}, zone, monday - HOUR + 1)
    assert visit is not None
    assert (visit.hour, visit.start, visit.end) == (9, monday - LEAD, monday + HOUR)
    after = next_visit({9: HABIT, 33: HABIT}, zone, visit.start)
    assert after is not None
    assert (after.hour, after.start) == (33, monday + 24 * HOUR - LEAD)


def test_the_only_habit_comes_again_in_a_week() -> None:
    monday = at("2026-11-30T09:00", "UTC")
    visit = next_visit({9: HABIT}, "UTC", monday)
    assert visit is not None
    assert visit.start == monday + 7 * 24 * HOUR - LEAD


@pytest.mark.parametrize("hour", [Hour(9, True, MISSES), Hour(99), Hour()])
def test_what_is_no_habit(hour: Hour) -> None:
    assert next_visit({9: hour}, "UTC", 0) is None
    assert next_visit({}, "UTC", 0) is None


@pytest.mark.parametrize(
    ("zone", "before", "come"),
    [
        ("Europe/Berlin", "2026-03-28T20:00", "2026-03-29T09:00"),  # the clock goes forward that night
        ("Europe/Berlin", "2026-10-24T20:00", "2026-10-25T09:00"),  # and back
        ("Australia/Lord_Howe", "2026-04-04T20:00", "2026-04-05T09:00"),  # by half an hour
    ],
)
def test_nine_is_nine_on_the_day_on_which_the_clock_changes(zone: str, before: str, come: str) -> None:
    visit = next_visit({SUNDAY + 9: HABIT}, zone, at(before, zone))
    assert visit is not None
    assert visit.start == at(come, zone) - LEAD


def test_an_hour_that_the_clock_skips_comes_a_week_later() -> None:
    zone = "Europe/Berlin"
    visit = next_visit({SUNDAY + 2: HABIT}, zone, at("2026-03-28T20:00", zone))
    assert visit is not None
    assert visit.start == at("2026-04-05T02:00", zone) - LEAD


def test_an_hour_that_the_clock_repeats_comes_twice() -> None:
    zone = "Europe/Berlin"
    first = next_visit({SUNDAY + 2: HABIT}, zone, at("2026-10-24T20:00", zone))
    assert first is not None
    second = next_visit({SUNDAY + 2: HABIT}, zone, first.start)
    assert second is not None
    assert second.start - first.start == HOUR

"""How long the watchdog keeps a container that was started early."""

from collections.abc import Callable

from chalicelib.agents.habits import LEAD
from chalicelib.agents.tasks import RUN_LEASE
from chalicelib.lifecycle.watchdog import EARLY_GRACE, Watchdog
from chalicelib.people.preferences import Choice
from chalicelib.platform.clock import MINUTE
from tests.support.early import HOUR, MONDAY_NINE, Place


def test_the_watchdog_keeps_it_to_the_end_of_the_hour_and_not_longer() -> None:
    """The container ends itself; the watchdog stops one that does not."""
    place = Place()
    world, until = place.world, MONDAY_NINE + HOUR
    place.at(MONDAY_NINE - LEAD)
    world.boot()
    for now in (MONDAY_NINE + 40 * MINUTE, until, until + EARLY_GRACE):
        world.clock.now = now
        place.beat()
        assert world.watchdog.tick()["idle"] == 0
    world.clock.step(1)
    assert world.watchdog.tick()["idle"] == 1
    assert world.containers.stops == [("arn:task/ann-1", "idle")]


def test_after_the_first_message_its_user_s_own_timeout_counts() -> None:
    place = Place()
    world = place.world
    world.choices.choices["ann"] = Choice(idle_timeout_minutes=5)
    place.at(MONDAY_NINE - LEAD)
    world.boot()
    world.send()
    world.answer_all()
    world.clock.step(5 * MINUTE)
    place.beat()
    assert world.watchdog.tick()["idle"] == 1


def test_a_running_turn_is_not_cut_by_the_end_of_the_wait() -> None:
    place = Place()
    world = place.world
    place.at(MONDAY_NINE - LEAD)
    world.boot()
    world.clock.now = MONDAY_NINE + HOUR + EARLY_GRACE + MINUTE
    world.tasks.heartbeat("ann", 1, busy_for=RUN_LEASE, active=False)
    assert world.watchdog.tick()["idle"] == 0


def test_the_watchdog_reads_no_row_of_a_habit() -> None:
    """They are in an index of their own, and under another key of it than the automations."""
    place = Place()
    looked: list[str] = []
    get: Callable[[str], object] = place.world.tasks.get
    place.world.tasks.get = lambda user: looked.append(user) or get(user)  # type: ignore[method-assign,func-returns-value,return-value,assignment]
    watchdog: Watchdog = place.world.watchdog
    watchdog.tick()
    assert looked == []

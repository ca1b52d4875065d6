"""What a chat or a push service lacks when a container has ended: the next one is started to send it."""

import uuid

import pytest

from chalicelib.agents.tasks import Tasks
from chalicelib.agents.wakes import Wakes
from chalicelib.lifecycle.owed import TOO_OLD, Owed
from chalicelib.people.pushes import KEEP, OWED
from chalicelib.platform.clock import MINUTE, SECOND, ttl
from chalicelib.platform.models import SettingItem
from chalicelib.telegram.progress import Progress, waiting_since
from tests.support.fake_tables import FakeClock

pytestmark = pytest.mark.usefixtures("cloud")


class World:
    def __init__(self) -> None:
        self.clock, self.user = FakeClock(), uuid.uuid4().hex
        self.tasks, self.wakes = Tasks(self.clock), Wakes(self.clock)
        self.tasks.begin_start(self.user)
        self.tasks.released(self.user, 1)

    def asked(self, ago: int) -> Progress:
        about = {"place": {}, "conversationId": "main", "queuedAt": self.clock() - ago}
        progress = Progress(self.user, uuid.uuid4().hex, about, self.clock)
        progress.expect()
        return progress

    def pushed(self, ago: int) -> None:
        row = SettingItem(self.user, OWED + uuid.uuid4().hex)
        row.expires_at = ttl(self.clock() - ago + KEEP)
        row.save()

    def wake_in(self) -> int | None:
        """In how many ms the agent is to be awake."""
        Owed(self.wakes, waiting_since, self.clock).bring_forward(self.tasks.get(self.user))
        at = self.tasks.get(self.user).wake_at
        return at - self.clock() if at else None


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_is_owed(world: World) -> None:
    world.asked(MINUTE).finish()
    assert world.wake_in() is None


def test_the_pause_grows_with_the_age_of_what_waits(world: World) -> None:
    """A service that is down for hours costs some starts, not one every minute."""
    world.asked(20 * SECOND)
    assert world.wake_in() == 20 * SECOND
    world.clock.step(10 * MINUTE)
    row = world.tasks.get(world.user)
    world.wakes.project(world.user, row.generation, None, [])  # a container was there without success
    assert world.wake_in() == 10 * MINUTE + 20 * SECOND


def test_a_push_is_owed_too(world: World) -> None:
    world.pushed(30 * SECOND)
    assert 30 * SECOND <= (world.wake_in() or 0) < 32 * SECOND


def test_an_automation_that_is_due_before_is_no_later(world: World) -> None:
    world.asked(5 * MINUTE)
    world.wakes.project(world.user, 1, world.clock() + MINUTE, [])
    assert world.wake_in() == MINUTE
    world.wakes.project(world.user, 1, world.clock() + 60 * MINUTE, [])
    assert world.wake_in() == 5 * MINUTE


def test_what_is_a_day_old_wakes_nobody(world: World) -> None:
    world.asked(TOO_OLD + MINUTE)
    assert world.wake_in() is None


def test_an_agent_that_starts_meanwhile_needs_no_wake(world: World) -> None:
    world.asked(MINUTE)
    asleep = world.tasks.get(world.user)
    world.tasks.begin_start(world.user)
    assert Owed(world.wakes, waiting_since, world.clock).bring_forward(asleep) == asleep
    assert world.tasks.get(world.user).wake_at == 0

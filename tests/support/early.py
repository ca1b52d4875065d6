"""A world with early starts, in which ann comes on Mondays at nine."""

from dataclasses import dataclass, field

from chalicelib.agents.habits import LEAD, next_visit
from chalicelib.lifecycle.early import EarlyStarts
from chalicelib.platform.clock import DAY, MINUTE
from tests.support.fake_early import FakeEarlyBudget, FakeHabitRows
from tests.support.world import World

HOUR, TICK, WEEK = 60 * MINUTE, 5 * MINUTE, 7 * DAY
MONDAY_NINE = 1_796_029_200_000  # UTC
NINE = 9


@dataclass
class Place:
    """A deployment with early starts; ann comes on Mondays at nine."""

    world: World = field(default_factory=World)
    spent: bool = False
    default_usd: float = 0.30

    def __post_init__(self) -> None:
        clock = self.world.clock
        self.budget, self.rows = FakeEarlyBudget(clock), FakeHabitRows(clock)
        self.asked: dict[str, int] = {}
        for week in (3, 2, 1):
            self.world.habits.came("ann", "UTC", MONDAY_NINE - week * WEEK)
        clock.now = MONDAY_NINE - HOUR
        self.project()

    @property
    def early(self) -> EarlyStarts:
        world = self.world
        parts = self.budget, world.choices, world.habits, self.rows, lambda _: self.spent, self._first
        return EarlyStarts(world.dispatch, *parts, self.default_usd, world.clock)

    def _first(self, user_id: str, within: int) -> bool:
        now = self.world.clock()
        if now - self.asked.get(user_id, 0) < within:
            return False
        self.asked[user_id] = now
        return True

    def project(self, user_id: str = "ann") -> None:
        hours, now = self.world.habits.hours(user_id), self.world.clock()
        self.rows.project(user_id, next_visit(hours, "UTC", now))

    def at(self, now: int) -> dict[str, int]:
        self.world.clock.now = now
        return dict(self.early.tick())

    def beat(self) -> None:
        """Time stands still for the lease."""
        self.world.tasks.heartbeat("ann", self.world.tasks.get("ann").generation)

    def week_passes(self, number: int) -> dict[str, int]:
        """The hour of that week with nobody in it: the container goes, and the row is looked at again."""
        begun = MONDAY_NINE + number * WEEK
        started = self.at(begun - LEAD)
        task = self.world.tasks.get("ann")
        if task.live(self.world.clock()):
            self.world.boot()
            self.world.tasks.released("ann", task.generation)
        self.at(begun + HOUR)
        return started

"""When a user's agent is started because they usually come then.

A user with a habit has a row `habit#<user>` in TaskState. Its `wakeAt` is when the watchdog looks at it next, and the
index that finds overdue automations finds it under a key of its own, so no other row is read:

    due, no earlyUntil  --begin-->  a start was asked for; `wakeAt` is the end of the hour  --move--> the next hour

When the user comes, their container writes the row anew (`project`). A row that is still "begun" at the end of its hour
says that nobody came. Each write of the watchdog names what it has read, so of two ticks one wins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.agents.activity import MEMORY, WEEK_HOURS, Hour
from chalicelib.platform.clock import MINUTE, SECOND, Clock, now_ms, ttl
from chalicelib.platform.models import TaskRow
from chalicelib.platform.writes import update

PREFIX = "habit#"
DUE = "habit"  # the index key
HOUR = 60 * MINUTE
# A tick of the watchdog (5 min) and a start (1 to 2 min) lie before the hour.
LEAD = 7 * MINUTE


class Moved(Exception):
    """Another tick, or the user's own container, has changed the row."""


@dataclass(frozen=True)
class Visit:
    """The next time at which a user usually comes: hour of their week, when to start, when that hour ends (ms)."""

    hour: int
    start: int
    end: int


@dataclass(frozen=True)
class Habit:
    """A row: when to look at it, the hour of the week, its end. `begun`: a container was started for it."""

    user_id: str
    due: int
    hour: int
    end: int
    begun: bool = False


def next_visit(hours: Mapping[int, Hour], time_zone: str, after: int) -> Visit | None:
    """The next habit hour, with a start after that time. None: there is no habit.

    Hours are those on the user's clock: where it skips one, there is no visit; where it repeats one, there are two.
    """
    known = {number for number, hour in hours.items() if hour.habit}
    steps = 2 * WEEK_HOURS + 2 if known else 0  # the clock may skip the only one of a week
    zone = ZoneInfo(time_zone)
    for step in range(steps):
        at = after + step * HOUR
        local = datetime.fromtimestamp(at / SECOND, zone)
        number = local.weekday() * 24 + local.hour
        # Zones may be half an hour off, so the local clock says when the hour has begun.
        begin = at - (local.minute * 60 + local.second) * SECOND - at % SECOND
        if number in known and begin - LEAD > after:
            return Visit(number, begin - LEAD, begin + HOUR)
    return None


class Habits:
    """The rows."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def project(self, user_id: str, visit: Visit | None) -> None:
        """The user is here: what comes next is all that counts."""
        TaskRow(f"{PREFIX}{user_id}").update(self._next(visit))

    def due(self, limit: int) -> list[str]:
        """Users with a row that is due, the longest overdue first; eventually consistent."""
        rows = TaskRow.by_wake.query(DUE, TaskRow.wake_at <= self._clock(), limit=limit)
        return [str(row.user_id).removeprefix(PREFIX) for row in rows]

    def get(self, user_id: str) -> Habit | None:
        try:
            row = TaskRow.get(f"{PREFIX}{user_id}", consistent_read=True)
        except TaskRow.DoesNotExist:
            return None
        if row.wake_at is None:
            return None
        begun = row.early_until is not None
        return Habit(user_id, int(row.wake_at), int(row.habit_hour or 0), int(row.habit_end or 0), begun)

    def begin(self, habit: Habit) -> Habit:
        """A container is about to be started for it, until the end of its hour. Raises Moved."""
        self._change(habit, [TaskRow.wake_at.set(habit.end), TaskRow.early_until.set(habit.end)])
        return replace(habit, due=habit.end, begun=True)

    def later(self, habit: Habit, due: int) -> None:
        """Nothing was started: look again at that time. Raises Moved."""
        self._change(habit, [TaskRow.wake_at.set(due), TaskRow.early_until.remove()])

    def move(self, habit: Habit, visit: Visit | None) -> None:
        """This hour is over. Raises Moved."""
        self._change(habit, self._next(visit))

    def _next(self, visit: Visit | None) -> list[Any]:
        kept = [TaskRow.early_until.remove(), TaskRow.expires_at.set(ttl(self._clock() + MEMORY))]
        if visit is None:
            gone = TaskRow.waking, TaskRow.wake_at, TaskRow.habit_hour, TaskRow.habit_end
            return [*kept, *(attribute.remove() for attribute in gone)]
        return [
            *kept,
            TaskRow.waking.set(DUE),
            TaskRow.wake_at.set(visit.start),
            TaskRow.habit_hour.set(visit.hour),
            TaskRow.habit_end.set(visit.end),
        ]

    @staticmethod
    def _change(habit: Habit, actions: list[Any]) -> None:
        begun = TaskRow.early_until.exists() if habit.begun else TaskRow.early_until.does_not_exist()
        same = (TaskRow.wake_at == habit.due) & (TaskRow.habit_hour == habit.hour) & begun
        update(TaskRow(f"{PREFIX}{habit.user_id}"), actions, same, Moved)

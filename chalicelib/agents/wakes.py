"""When a sleeping agent has to be awake again.

Rows: `wakeAt` on the user's TaskState row (the truth, found by the watchdog in a sparse index), `automations`
in Settings (the list, for those who look while the agent sleeps) and `wakes#<day>` (how often it was woken).
The first two are a projection: a container that holds the row replaces them as a whole, from all of OpenClaw's
automations. They are never built up from events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pynamodb.expressions.update import Action

from chalicelib.agents.task import Status, from_row
from chalicelib.agents.tasks import LeaseLost, Task
from chalicelib.platform.clock import DAY, MINUTE, SECOND, Clock, now_ms, ttl
from chalicelib.platform.models import SettingItem, TaskRow
from chalicelib.platform.writes import update

WAKING = "1"
KEY, ASKED, TOLD = "automations", "automation-asked#", "wake-told#"
# Where no start of the user's has been measured yet.
UNKNOWN_START = 60 * SECOND
LONGEST_START = 4 * MINUTE
Json = dict[str, Any]


def start_time(task: Task, margin: int) -> int:
    """When to start so that the agent is ready in time, in ms. Its last start may have been a fast one."""
    learned = min(task.start_ms or UNKNOWN_START, LONGEST_START)
    return task.wake_at - learned * 3 // 2 - margin


@dataclass(frozen=True)
class Wakes:
    """Reads and writes these rows."""

    clock: Clock = now_ms

    def project(
        self, user_id: str, generation: int, due: int | None, jobs: list[Json], work: Sequence[Json] = ()
    ) -> None:
        """Replace what is known of a user's automations, and of work that is not reported yet. Raises LeaseLost."""
        actions: list[Action] = [TaskRow.waking.remove(), TaskRow.wake_at.remove()]
        if due is not None:
            actions = [TaskRow.waking.set(WAKING), TaskRow.wake_at.set(due)]
        update(TaskRow(user_id), actions, TaskRow.generation == generation, LeaseLost)
        value = {"jobs": jobs, "at": self.clock(), "work": list(work)}
        older = SettingItem.tally.does_not_exist() | (SettingItem.tally <= generation)
        write = [SettingItem.value.set(value), SettingItem.tally.set(generation)]
        update(SettingItem(user_id, KEY), write, older, LeaseLost)

    def bring_forward(self, task: Task, at: int) -> Task:
        """Wake the sleeping agent then, in ms, not only for its next automation. Raises LeaseLost when it starts."""
        same = (TaskRow.generation == task.generation) & (TaskRow.status == Status.IDLE)
        row = TaskRow(task.user_id)
        update(row, [TaskRow.waking.set(WAKING), TaskRow.wake_at.set(at)], same, LeaseLost)
        return from_row(row)

    def jobs(self, user_id: str) -> list[Json]:
        """The automations as they were when the agent was last awake."""
        return self.known(user_id)[0]

    def known(self, user_id: str) -> tuple[list[Json], list[Json], int]:
        """The automations, the work that was not reported yet, and when that was written (ms)."""
        try:
            value = SettingItem.get(user_id, KEY, consistent_read=True).value or {}
        except SettingItem.DoesNotExist:
            return [], [], 0
        return value.get("jobs", []), value.get("work", []), int(value.get("at", 0))

    def interrupted(self, user_id: str) -> int:
        """Count a container that ended in background work; how many on this day (UTC)."""
        row = SettingItem(user_id, f"interrupted#{self._day().partition('#')[2]}")
        row.update([SettingItem.tally.add(1), SettingItem.expires_at.set(ttl(self.clock() + 2 * DAY))])
        return int(row.tally or 0)

    def due_before(self, until: int) -> list[str]:
        """Users with an automation that is due before that time, in ms."""
        return [str(row.user_id) for row in TaskRow.by_wake.query(WAKING, TaskRow.wake_at <= until)]

    def give_up(self, task: Task) -> None:
        """The agent does not start: its automations wait for a message of the user's. Raises LeaseLost."""
        same = (TaskRow.generation == task.generation) & (TaskRow.wake_at == task.wake_at)
        update(TaskRow(task.user_id), [TaskRow.waking.remove(), TaskRow.wake_at.remove()], same, LeaseLost)

    def today(self, user_id: str) -> int:
        """How often the agent was woken for an automation on this day (UTC)."""
        try:
            return int(SettingItem.get(user_id, self._day(), consistent_read=True).tally or 0)
        except SettingItem.DoesNotExist:
            return 0

    def count(self, user_id: str) -> None:
        until = ttl(self.clock() + 2 * DAY)
        SettingItem(user_id, self._day()).update([SettingItem.tally.add(1), SettingItem.expires_at.set(until)])

    def tell_once(self, user_id: str, what: str) -> bool:
        """True for the first who may tell the user that, this day."""
        day = self._day().partition("#")[2]
        row = SettingItem(user_id, f"{TOLD}{what}#{day}")
        actions = [SettingItem.tally.set(1), SettingItem.expires_at.set(ttl(self.clock() + 2 * DAY))]
        try:
            update(row, actions, SettingItem.tally.does_not_exist(), LeaseLost)
        except LeaseLost:
            return False
        return True

    def _day(self) -> str:
        return f"wakes#{datetime.fromtimestamp(self.clock() / SECOND, UTC):%Y-%m-%d}"

    def ask(self, user_id: str, job_id: str, action: str) -> None:
        """Keep a change of an automation until the agent has made it; a later one takes its place."""
        row = SettingItem(user_id, ASKED + job_id)
        row.update(
            [SettingItem.value.set({"action": action}), SettingItem.expires_at.set(ttl(self.clock() + 30 * DAY))]
        )

    def asked(self, user_id: str) -> list[tuple[str, str]]:
        """Changes that wait: the automation's id and what to do with it."""
        rows = SettingItem.query(user_id, SettingItem.key.startswith(ASKED), consistent_read=True)
        return [(row.key.removeprefix(ASKED), str((row.value or {}).get("action"))) for row in rows]

    def done(self, user_id: str, job_id: str, action: str) -> None:
        """It was made; one that was asked for meanwhile stays."""
        row = SettingItem(user_id, ASKED + job_id)
        row.delete(condition=SettingItem.value == {"action": action})

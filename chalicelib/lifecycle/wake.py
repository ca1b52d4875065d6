"""Starts a sleeping agent for its automations: when its schedule fires, and from the watchdog.

`wakeAt` on the row decides, not what the schedule says: it may be an old one, or come twice.
"""

from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.agents.runtime import StartFailed
from chalicelib.agents.schedules import Schedules
from chalicelib.agents.tasks import LeaseLost, Status, Task
from chalicelib.agents.wakes import Wakes, start_time
from chalicelib.lifecycle.dispatch import MAX_FAILED_STARTS, Dispatch, status_frame
from chalicelib.platform import log, metrics
from chalicelib.platform.clock import MINUTE, SECOND, Clock, now_ms

# The watchdog looks this far ahead: two of its ticks.
AHEAD = 10 * MINUTE
# A schedule that fires this much before its time has come.
EARLY = 5 * SECOND
WAKES_PER_DAY = 48
TEXTS = {
    "limit": "Your agent was woken {count} times today for its automations, and that is the limit. The next ones wait "
    "until tomorrow, or until you write. Fewer or rarer automations cost less: see Automations.",
    "budget": "An automation is due, but this month's limit of spending is reached, so your agent was not woken. "
    "Raise the limit in Settings, or write when you need it.",
    "hook-limit": "A hook was called, but your agent was woken {count} times today, and that is the limit. The post "
    "was refused; its sender may try again tomorrow.",
    "hook-budget": "A hook was called, but this month's limit of spending is reached, so the post was refused. "
    "Raise the limit in Settings.",
    "start": "An automation is due, but your agent did not start in several tries. It is tried again when you write.",
}


@dataclass(frozen=True)
class Wake:
    """`spent` says whether a user's month is used up, `tell` reaches the user wherever they are."""

    dispatch: Dispatch
    wakes: Wakes
    schedules: Schedules
    spent: Callable[[str], bool]
    tell: Callable[[str, str], None]
    per_day: int = WAKES_PER_DAY
    clock: Clock = now_ms

    def fire(self, user_id: str) -> str:
        """Start the agent if it is time; what was done. Raises StartFailed (the watchdog tries again)."""
        task = self.dispatch.tasks.get(user_id)
        if not task.wake_at or (task.live(self.clock()) and task.status is not Status.SUSPENDED):
            return "nothing"  # one that is awake keeps its own time
        start = start_time(task, self.schedules.margin)
        if start > self.clock() + EARLY:
            self.schedules.set(user_id, start)
            return "scheduled"
        refused = self._refused(task)
        if refused is not None:
            self._refuse(task, refused)
            return refused
        started = self.dispatch.ensure_running(user_id, task)
        if started.generation != task.generation:
            self.wakes.count(user_id)
            log.event("woken", user=user_id, generation=started.generation, early_ms=task.wake_at - self.clock())
            self.dispatch.tell(user_id, status_frame(started))
        return "started"

    def _refused(self, task: Task) -> str | None:
        if task.failed_starts >= MAX_FAILED_STARTS:
            return "start"
        if self.wakes.today(task.user_id) >= self.per_day:
            return "limit"
        return "budget" if self.spent(task.user_id) else None

    def _refuse(self, task: Task, why: str) -> None:
        """Told once a day. The row stays, and the watchdog asks again; only starts that fail are given up."""
        log.event("not_woken", user=task.user_id, why=why)
        if why == "start":
            try:
                self.wakes.give_up(task)
                self.dispatch.tasks.forgive(task.user_id, task.generation)
            except LeaseLost:
                return  # somebody else has begun a start
        if self.wakes.tell_once(task.user_id, why):
            self.tell(task.user_id, TEXTS[why].format(count=self.per_day))

    def refuse_hook(self, task: Task) -> str | None:
        """Why a program may not start or use the agent now: "limit" or "budget"; None if it may. Told once a day."""
        why = None
        if not task.live(self.clock()) and self.wakes.today(task.user_id) >= self.per_day:
            why = "limit"
        elif self.spent(task.user_id):
            why = "budget"
        if why is not None:
            log.event("hook_refused", user=task.user_id, why=why)
            if self.wakes.tell_once(task.user_id, f"hook-{why}"):
                self.tell(task.user_id, TEXTS[f"hook-{why}"].format(count=self.per_day))
        return why

    def tick(self) -> int:
        """For the watchdog: start what is overdue, make schedules of what is due soon. How many were started."""
        started = 0
        for user_id in self.wakes.due_before(self.clock() + AHEAD):
            try:
                started += self.fire(user_id) == "started"
            except StartFailed as error:
                log.event("start_failed", user=user_id, code=error.code, reason=str(error))
            except (ClientError, BotoCoreError) as error:
                log.failure("wake_failed", error, user=user_id)
                metrics.emit(HandlerFailed=1)
        return started

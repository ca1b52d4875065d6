"""Runs every five minutes: stops idle tasks, frees dead ones, and starts tasks for waiting messages."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from chalicelib.agents.activity import idle_timeout
from chalicelib.agents.runtime import Runtime, StartFailed, TaskInfo
from chalicelib.agents.tasks import LeaseLost, Status, Task
from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.people.preferences import Choice
from chalicelib.platform import log, metrics
from chalicelib.platform.clock import MINUTE, Clock, now_ms

WORKERS = 8
# A young task is not an orphan: its RunTask may not be recorded yet.
ORPHAN_AGE = 2 * MINUTE
# The shortest possible idle timeout; users may choose at least 5 minutes.
SHORTEST = 5 * MINUTE

# So long after the end of its wait a container that was started early has ended itself.
EARLY_GRACE = 2 * MINUTE


class TaskRows(Protocol):
    def active(self) -> list[Task]: ...
    def get(self, user_id: str) -> Task: ...
    def begin_stop(self, task: Task) -> Task: ...
    def expired(self, user_id: str, generation: int) -> Task: ...


class Waiting(Protocol):
    def users_waiting(self) -> set[str]: ...


class Choices(Protocol):
    def get(self, user_id: str) -> Choice: ...


class Habits(Protocol):
    def counts(self, user_id: str) -> dict[int, int]: ...


@dataclass(frozen=True)
class Watchdog:
    """Its work is linear in the number of tasks; it reads no rows of users without a task."""

    dispatch: Dispatch
    rows: TaskRows
    waiting: Waiting
    containers: Runtime
    choices: Choices
    habits: Habits
    clock: Clock = now_ms

    def tick(self) -> Counter[str]:
        """One round; returns how often each action was taken."""
        done: Counter[str] = Counter()
        now = self.clock()  # in a long tick, judge each row by the time at which it was read
        tasks = self.rows.active()
        states = self.containers.states([task.task_arn for task in tasks if task.task_arn])
        done += self._look_at_all(tasks, states, now)
        done["orphan"] += self._stop_orphans({task.task_arn for task in tasks})
        done["restarted"] += self._restart_stranded()
        log.event("watchdog", **done)
        return done

    def _look_at_all(self, tasks: list[Task], states: dict[str, bool], now: int) -> Counter[str]:
        """Check rows in parallel: an idle user costs two reads, and 10,000 users must fit one tick.

        A row that fails is logged and does not affect the others. The check uses the shared pool of
        chalicelib.platform.parallel, so this loop needs its own pool: otherwise it could deadlock.
        """
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="watchdog") as pool:
            looks = [(task, pool.submit(self._look_at, task, states, now)) for task in tasks]
        done: Counter[str] = Counter()
        for task, look in looks:
            error = look.exception()
            if error is not None:
                log.failure("watchdog_row_failed", error, user=task.user_id)
                metrics.emit(HandlerFailed=1)
            done["failed" if error is not None else look.result()] += 1
        return done

    def _look_at(self, task: Task, states: dict[str, bool], now: int) -> str:
        if task.task_arn is not None and self.dispatch.dead(task, states):
            self.dispatch.lost(task)
            return "dead"
        if task.lease_until < now:
            return self._expire(task)
        if task.status is Status.STOPPING and task.task_arn is not None:
            # The writer of this state may have failed before it called ECS. A second StopTask is harmless.
            self.containers.stop(task.task_arn, "stopping")
            return "stopping"
        if task.status is Status.RUNNING and self._idle(task, now):
            return self._stop_idle(task)
        return "kept"

    def _expire(self, task: Task) -> str:
        """Take the row first, so that a task that has just renewed its lease is not stopped."""
        try:
            self.rows.expired(task.user_id, task.generation)
        except LeaseLost:
            return "kept"
        if task.task_arn is not None:
            self.containers.stop(task.task_arn, "lease expired")
        return "stale"

    def _idle(self, task: Task, now: int) -> bool:
        idle_for = now - task.last_activity
        if task.busy_until >= now or task.prewarm_until >= now or idle_for < SHORTEST:
            return False
        if task.prewarm_until:  # an expired prewarmed container has no user settings
            return True
        if task.early_until:  # nobody wrote. It ends itself; what does not is stopped
            return task.early_until + EARLY_GRACE < now
        choice = self.choices.get(task.user_id)
        counts = self.habits.counts(task.user_id) if choice.idle_timeout_minutes is None else {}
        return idle_for >= idle_timeout(choice, counts, now)

    def _stop_idle(self, task: Task) -> str:
        try:
            self.rows.begin_stop(task)
        except LeaseLost:
            return "kept"  # a message arrived just now
        if task.task_arn is not None:
            self.containers.stop(task.task_arn, "idle")
        return "idle"

    def _stop_orphans(self, known: set[str | None]) -> int:
        """Stop tasks that the engine runs but that are not the current generation of any row."""
        stopped = 0
        unknown = [arn for arn in self.containers.all() if arn not in known]
        for info in self.containers.describe(unknown):
            try:
                if self.clock() - info.created_at < ORPHAN_AGE or self._owned(info):
                    continue
                self.containers.stop(info.arn, "orphan")
            except Exception as error:  # noqa: BLE001  the others are stopped all the same, this one at the next tick
                log.failure("orphan_not_stopped", error, task=info.arn)
                metrics.emit(HandlerFailed=1)
                continue
            log.event("orphan_stopped", task=info.arn, user=info.user_id, generation=info.generation)
            stopped += 1
        if stopped:
            metrics.emit(OrphanStopped=stopped)
        return stopped

    def _owned(self, info: TaskInfo) -> bool:
        if info.user_id is None:  # the engine does not know: read the rows anew, a tick over many of them takes long
            return info.arn in {task.task_arn for task in self.rows.active()}
        row = self.rows.get(info.user_id)
        return row.live(self.clock()) and row.generation == info.generation and row.task_arn in (None, info.arn)

    def _restart_stranded(self) -> int:
        """Start tasks for users with waiting messages and no live task."""
        started = 0
        for user_id in self.waiting.users_waiting():
            try:
                task = self.rows.get(user_id)
                if not task.live(self.clock()) or task.status is Status.SUSPENDED:
                    self.dispatch.restart_if_waiting(user_id, patient=True)
                    started += 1
            except StartFailed as error:
                log.event("start_failed", user=user_id, code=error.code, reason=str(error))
            except Exception as error:  # noqa: BLE001  one user's failure must not affect the others
                log.failure("restart_failed", error, user=user_id)
                metrics.emit(HandlerFailed=1)
        return started

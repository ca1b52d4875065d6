"""Starts a user's own container before they write: in their usual hours, and when they seem about to write.

Such a start is an ordinary one with `earlyUntil` on the row: until then an idle container stays, and after it one to
which nobody wrote ends. The first message of a person removes it. The start is paid for beforehand (people/early.py).
It is nobody's message: it counts as no activity, and nobody is told of it but the tabs that are open.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

from chalicelib.agents.activity import Hour
from chalicelib.agents.habits import Habit, Moved, Visit, next_visit
from chalicelib.agents.runtime import StartFailed
from chalicelib.agents.tasks import AlreadyActive, LeaseLost, Task
from chalicelib.lifecycle.dispatch import Dispatch, status_frame
from chalicelib.people.early import TooDear
from chalicelib.people.preferences import Choice
from chalicelib.platform import log, metrics
from chalicelib.platform.clock import MINUTE, Clock, now_ms

# One sign in ten minutes counts: whoever opens the page or begins to type writes within minutes. Who still hesitates
# then gives the next sign, and finds a container that waits a minute longer than that.
INTENT_EVERY = 10 * MINUTE
INTENT_WAIT = 11 * MINUTE
# A wait that ends so soon after that of a new one is not worth two writes.
SPARE = 2 * MINUTE
# So long before the end of an hour its start is not worth its price any more.
LATEST = 30 * MINUTE
# Starts by habit leave this share of a month's budget to those on intent, which cost a tenth of a cent.
HABIT_SHARE = 2 / 3
# For the next tick.
AGAIN = 4 * MINUTE
WORKERS = 8
# Of one tick. RunTask takes 20 calls a second, and a call about half a second; the others are due at the next tick.
STARTS_PER_TICK = 500
STARTED, AWAKE = "started", "awake"


class Budgets(Protocol):
    def reserve(
        self, user_id: str, time_zone: str, until: int, limit_usd: float, since: int | None = None
    ) -> dict[str, Any]: ...
    def cancel(self, user_id: str, receipt: dict[str, Any]) -> None: ...


class Choices(Protocol):
    def get(self, user_id: str) -> Choice: ...


class Hours(Protocol):
    def hours(self, user_id: str) -> dict[int, Hour]: ...
    def missed(self, user_id: str, hour: int) -> None: ...


class HabitRows(Protocol):
    def due(self, limit: int) -> list[str]: ...
    def get(self, user_id: str) -> Habit | None: ...
    def begin(self, habit: Habit) -> Habit: ...
    def later(self, habit: Habit, due: int) -> None: ...
    def move(self, habit: Habit, visit: Visit | None) -> None: ...


@dataclass(frozen=True)
class EarlyStarts:
    """`spent`: whether a user's month of model calls is used up; `asked`: True once in so many ms for a user."""

    dispatch: Dispatch
    budget: Budgets
    choices: Choices
    hours: Hours
    habits: HabitRows
    spent: Callable[[str], bool]
    asked: Callable[[str, int], bool]
    default_usd: float
    clock: Clock = now_ms

    def intent(self, user_id: str) -> str:
        """The user seems about to write. What was done."""
        if self.default_usd <= 0:
            return "off"
        task = self.dispatch.tasks.get(user_id)
        until = self.clock() + INTENT_WAIT
        live = task.live(self.clock())
        if live and not 0 < task.early_until < until - SPARE:
            return AWAKE
        if not self.asked(user_id, INTENT_EVERY):
            return "asked"
        return self._longer(task, until) if live else self._start(task, until, "intent")

    def _longer(self, task: Task, until: int) -> str:
        """A container to which nobody has written yet is about to end: it waits for this user."""
        choice = self.choices.get(task.user_id)
        limit = choice.early_usd(self.default_usd)
        try:
            receipt = self.budget.reserve(task.user_id, choice.time_zone, until, limit, since=task.early_until)
        except TooDear:
            return "budget"
        try:
            self.dispatch.tasks.extend_early(task, until, receipt)
        except LeaseLost:
            self.budget.cancel(task.user_id, receipt)
            return AWAKE
        log.event("waits_longer", user=task.user_id, generation=task.generation)
        return "longer"

    def _start(self, task: Task, until: int, why: str, share: float = 1.0) -> str:
        """Start a sleeping agent. A failed start is not tried again before the agent has started for somebody."""
        user_id, choice = task.user_id, self.choices.get(task.user_id)
        limit = choice.early_usd(self.default_usd)
        refused = self._refused(task, choice, limit, why)
        if refused is None:
            try:
                receipt = self.budget.reserve(user_id, choice.time_zone, until, limit * share)
            except TooDear:
                refused = "budget"
            else:
                return self._paid(task, until, receipt, why)
        log.event("not_started_early", user=user_id, why=refused)
        return refused

    def _refused(self, task: Task, choice: Choice, limit_usd: float, why: str) -> str | None:
        if limit_usd <= 0:
            return "off"
        if why == "intent" and choice.first_words and choice.small_talk:
            return "small talk"  # what is written may need no agent
        if task.failed_starts:
            return "failing"
        return "spent" if self.spent(task.user_id) else None

    def _paid(self, task: Task, until: int, receipt: dict[str, Any], why: str) -> str:
        try:
            started = self.dispatch.start_early(task, until, receipt)
        except AlreadyActive:
            self.budget.cancel(task.user_id, receipt)
            return AWAKE
        except StartFailed as error:
            self.budget.cancel(task.user_id, receipt)
            log.event("early_start_failed", user=task.user_id, code=error.code, reason=str(error))
            self._for_whoever_wrote(task.user_id)
            return "failed"
        log.event("started_early", user=task.user_id, generation=started.generation, why=why)
        self.dispatch.tell(task.user_id, status_frame(started))
        return STARTED

    def _for_whoever_wrote(self, user_id: str) -> None:
        """A message that came meanwhile relied on this start: it gets one of its own, wherever there is room."""
        try:
            self.dispatch.restart_if_waiting(user_id, patient=True)
        except StartFailed as error:
            log.event("restart_failed", user=user_id, code=error.code)  # the watchdog tries again

    def tick(self) -> Counter[str]:
        """For the watchdog: habits that are due. Its work is linear in these, at most STARTS_PER_TICK."""
        if self.default_usd <= 0:
            return Counter()
        users, done = self.habits.due(STARTS_PER_TICK), Counter[str]()
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="habits") as pool:
            looks = [(user_id, pool.submit(self._look, user_id)) for user_id in users]
        for user_id, look in looks:
            error = look.exception()
            if error is not None:  # the others are started all the same, this one at the next tick
                log.failure("habit_failed", error, user=user_id)
                metrics.emit(HandlerFailed=1)
            done["error" if error is not None else look.result()] += 1
        return done

    def _look(self, user_id: str) -> str:
        habit, now = self.habits.get(user_id), self.clock()
        if habit is None or habit.due > now:
            return "kept"
        try:
            return self._missed(habit) if habit.begun else self._visit(habit)
        except Moved:
            return "moved"

    def _missed(self, habit: Habit) -> str:
        """The hour is over, and the container's user has not come."""
        hours = self.hours.hours(habit.user_id)
        known = hours.get(habit.hour, Hour())
        hours[habit.hour] = replace(known, misses=known.misses + 1)
        self._move(habit, hours)  # first: of two ticks one counts it
        self.hours.missed(habit.user_id, habit.hour)
        return "missed"

    def _visit(self, habit: Habit) -> str:
        """The user usually comes now."""
        hours, now = self.hours.hours(habit.user_id), self.clock()
        if not hours.get(habit.hour, Hour()).habit or now > habit.end - LATEST:
            return self._move(habit, hours)
        task = self.dispatch.tasks.get(habit.user_id)
        if task.live(now):  # it may go to sleep within the hour. Who is asleep is looked at first
            self.habits.later(habit, now + AGAIN)
            return AWAKE
        begun = self.habits.begin(habit)
        done = self._start(task, habit.end, "habit", HABIT_SHARE)
        if done == AWAKE:
            self.habits.later(begun, now + AGAIN)
        elif done != STARTED:
            self._move(begun, hours)
        return done

    def _move(self, habit: Habit, hours: dict[int, Hour]) -> str:
        zone = self.choices.get(habit.user_id).time_zone
        self.habits.move(habit, next_visit(hours, zone, self.clock()))
        return "over"

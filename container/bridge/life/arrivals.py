"""What is learned from the user's messages: when they usually come, and whether the agent was ready before them."""

import threading

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from bridge.turns.choices import Choices
from chalicelib.agents.activity import Activity
from chalicelib.agents.habits import Habits, next_visit
from chalicelib.agents.tasks import LeaseLost, Tasks
from chalicelib.messages.inbox import Message
from chalicelib.people.early import EarlyBudget
from chalicelib.platform import log
from chalicelib.platform.clock import MINUTE, Clock, now_ms

# A message after so long without one is a new visit.
PAUSE = 30 * MINUTE


class Arrivals:
    """Told of each message after its turn. What fails here costs the statistics, and no answer."""

    def __init__(self, user_id: str, generation: int, tasks: Tasks, choices: Choices, clock: Clock = now_ms) -> None:
        self._user_id, self._generation = user_id, generation
        self._tasks, self._choices = tasks, choices
        self._activity, self._habits, self._budget = Activity(clock), Habits(clock), EarlyBudget(clock)
        self._last = 0  # when the last message was accepted, in ms
        self._lock = threading.Lock()

    def turn_ended(self, message: Message) -> None:
        if message.cause is None:
            threading.Thread(target=self.wrote, args=(message,), name="activity", daemon=True).start()

    def wrote(self, message: Message) -> None:
        """Count the message; after a pause, the visit too."""
        at = message.queued_at
        with self._lock:
            first, came = self._last == 0, at - self._last >= PAUSE
            self._last = max(self._last, at)
        try:
            self._activity.record(self._user_id, self._choices.current.time_zone)
            if first:
                self._settle(at)
            if came:
                self._came(at)
        except (PynamoDBException, ClientError, BotoCoreError) as error:
            log.failure("activity_unrecorded", error)

    def _came(self, at: int) -> None:
        zone = self._choices.current.time_zone
        self._activity.came(self._user_id, zone, at)
        self._habits.project(self._user_id, next_visit(self._activity.hours(self._user_id), zone, at))

    def _settle(self, at: int) -> None:
        """The first message ends an early start: from here on the container is one like any other."""
        task = self._tasks.get(self._user_id)
        if task.early is None or task.generation != self._generation:
            return
        try:
            self._tasks.settle_early(task)
        except LeaseLost:
            return
        ready = task.started_at < task.ready_at <= at
        self._budget.came(self._user_id, task.early, at - task.started_at, ready)
        log.event("early_used", user=self._user_id, ready=ready, waited_ms=at - task.started_at)

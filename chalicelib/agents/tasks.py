"""Who may act for a user: the task state machine, fenced by generation.

    Idle --begin_start--> Starting --running--> Running --begin_stop--> Stopping --released--> Idle
    Running --suspended--> Suspended --resumed--> Running     (lifecycle/suspending.py)

Only `begin_start` makes a new generation, in one conditional write; every other write names the
generation it belongs to and fails with LeaseLost once there is a newer one.
"""

from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.agents.task import Status as Status
from chalicelib.agents.task import Task as Task
from chalicelib.agents.task import from_row
from chalicelib.platform.clock import DAY, MINUTE, SECOND, Clock, now_ms, ttl
from chalicelib.platform.models import TaskRow
from chalicelib.platform.writes import commit, transaction, update

# Fargate pulls and boots in 30-90 s; a start that shows no sign of life by then is started again.
START_LEASE = 4 * MINUTE
# Three missed heartbeats of 30 s.
RUN_LEASE = 100 * SECOND
ACTIVE = "1"
# Rows of containers that wait for a user begin so; no user id does.
PREWARM = "prewarm#"


class AlreadyActive(Exception):
    """Someone else's start won, or a task lives."""


class NotClaimed(Exception):
    """Another user was faster, or the prewarmed container is gone."""


class LeaseLost(Exception):
    """The generation is not the current one any more: stop, write nothing."""


class Tasks:
    """The TaskState table."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def get(self, user_id: str) -> Task:
        """The user's task, Idle when there is no row; strongly consistent."""
        try:
            return from_row(TaskRow.get(user_id, consistent_read=True))
        except TaskRow.DoesNotExist:
            return Task(user_id)

    def begin_start(
        self, user_id: str, prewarm_until: int = 0, early: tuple[int, dict[str, Any]] | None = None
    ) -> Task:
        """Win the right to start a task: a new generation. `early`: until when, what for. Raises AlreadyActive."""
        now = self._clock()
        new: Condition = TaskRow.status.does_not_exist()
        lapsed = (TaskRow.lease_until < now) & (TaskRow.status != Status.REMOVED)
        free = new | (TaskRow.status == Status.IDLE) | lapsed
        actions = [
            TaskRow.status.set(Status.STARTING),
            TaskRow.generation.set((TaskRow.generation | 0) + 1),
            TaskRow.phase.set("starting"),
            TaskRow.started_at.set(now),
            TaskRow.failed_starts.set((TaskRow.failed_starts | 0) + 1),
            TaskRow.last_activity.set(now),
            TaskRow.lease_until.set(now + START_LEASE),
            TaskRow.active.set(ACTIVE),
            *_forget_task(early),
        ]
        if prewarm_until:  # such a row is never used again: it names its first user until it goes
            free = new
            actions += [TaskRow.prewarm_until.set(prewarm_until), TaskRow.expires_at.set(ttl(prewarm_until + DAY))]
        return self._update(user_id, actions, free, AlreadyActive)

    def prewarmed(self) -> list[Task]:
        """Containers without a user, from the sparse index."""
        return [from_row(row) for row in TaskRow.by_activity.query(ACTIVE, TaskRow.user_id.startswith(PREWARM))]

    def claim_prewarmed(self, waiting: Task, user_id: str, generation: int) -> None:
        """Give a waiting container to a user who has just won a start. Raises NotClaimed, LeaseLost."""
        unclaimed = (
            self._held(waiting.generation)
            & (TaskRow.status == Status.RUNNING)
            & TaskRow.prewarm_user.does_not_exist()
            & (TaskRow.lease_until >= self._clock())
        )
        give = [TaskRow.prewarm_user.set(user_id), TaskRow.prewarm_generation.set(generation)]
        take = [TaskRow.task_arn.set(str(waiting.task_arn))]

        def write() -> None:
            with transaction() as write:
                write.update(TaskRow(waiting.user_id), actions=[*give], condition=unclaimed)
                starting = self._held(generation) & (TaskRow.status == Status.STARTING)
                write.update(TaskRow(user_id), actions=[*take], condition=starting)

        commit(write, (NotClaimed, LeaseLost))

    def launched(self, user_id: str, generation: int, task_arn: str) -> Task:
        """RunTask answered: remember its ARN. Raises LeaseLost."""
        return self._update(user_id, [TaskRow.task_arn.set(task_arn)], self._held(generation))

    def phase(self, user_id: str, generation: int, phase: str, task_arn: str) -> Task:
        """The container reports how far its start is. Raises LeaseLost."""
        actions = [
            TaskRow.phase.set(phase),
            TaskRow.task_arn.set(task_arn),
            TaskRow.lease_until.set(self._clock() + START_LEASE),
        ]
        return self._update(user_id, actions, self._held(generation) & (TaskRow.status == Status.STARTING))

    def running(self, user_id: str, generation: int, task_arn: str) -> Task:
        """The agent answered its hello: Running. Raises LeaseLost."""
        now = self._clock()
        actions = [
            TaskRow.status.set(Status.RUNNING),
            TaskRow.phase.set("ready"),
            TaskRow.task_arn.set(task_arn),
            TaskRow.ready_at.set(now),
            TaskRow.failed_starts.set(0),
            TaskRow.last_activity.set(now),
            TaskRow.lease_until.set(now + RUN_LEASE),
        ]
        task = self._update(user_id, actions, self._held(generation) & (TaskRow.status == Status.STARTING))
        # The estimate shown at the next cold start. Informative only, so it needs no fence.
        TaskRow(user_id).update([TaskRow.start_ms.set(now - task.started_at)])
        return task

    def heartbeat(self, user_id: str, generation: int, busy_for: int = 0, active: bool = True) -> Task:
        """Renew the lease; busy_for in ms while something runs, `active` if it is for the user. Raises LeaseLost."""
        now = self._clock()
        actions: list[Action] = [TaskRow.lease_until.set(now + RUN_LEASE)]
        if busy_for:
            actions.append(TaskRow.busy_until.set(now + busy_for))
        if busy_for and active:
            actions.append(TaskRow.last_activity.set(now))
        return self._update(user_id, actions, self._held(generation))

    def turn_ended(self, user_id: str, generation: int) -> Task:
        """No turn runs now. Raises LeaseLost."""
        now = self._clock()
        actions = [TaskRow.busy_until.set(0), TaskRow.last_activity.set(now), TaskRow.active_runs.remove()]
        return self._update(user_id, actions, self._held(generation))

    def suspended(self, user_id: str, generation: int, until: int) -> Task:
        """The agent is about to be frozen: nothing runs, and the lease is its own until then (ms). Raises LeaseLost."""
        now = self._clock()
        quiet = (TaskRow.status == Status.RUNNING) & TaskRow.active_runs.does_not_exist()
        actions = [TaskRow.status.set(Status.SUSPENDED), TaskRow.lease_until.set(max(until, now))]
        return self._update(user_id, actions, self._held(generation) & quiet)

    def resumed(self, user_id: str, generation: int) -> Task:
        """A suspended agent is needed, or goes on. Raises LeaseLost when it is not this generation's turn any more."""
        now = self._clock()
        actions = [TaskRow.status.set(Status.RUNNING), TaskRow.lease_until.set(now + RUN_LEASE)]
        actions.append(TaskRow.last_activity.set(now))
        lives = TaskRow.status.is_in(Status.RUNNING, Status.SUSPENDED)
        return self._update(user_id, actions, self._held(generation) & lives)

    def agent_connected(self, user_id: str, generation: int, connection_id: str, endpoint: str) -> Task:
        """Where to send wakes. Raises LeaseLost."""
        actions = [TaskRow.agent_connection_id.set(connection_id), TaskRow.agent_endpoint.set(endpoint)]
        return self._update(user_id, actions, self._held(generation))

    def agent_gone(self, user_id: str, generation: int, connection_id: str) -> None:
        """The agent's socket closed; nothing to do when it has opened another."""
        actions = [TaskRow.agent_connection_id.remove(), TaskRow.agent_endpoint.remove()]
        same = self._held(generation) & (TaskRow.agent_connection_id == connection_id)
        try:
            self._update(user_id, actions, same)
        except LeaseLost:
            return

    def begin_stop(self, task: Task) -> Task:
        """Stop a task that did nothing since it was read and runs no turn. Raises LeaseLost."""
        now = self._clock()
        unused = (
            self._held(task.generation)
            & (TaskRow.status == Status.RUNNING)
            & (TaskRow.last_activity == task.last_activity)
            & TaskRow.prewarm_user.does_not_exist()  # given to a user meanwhile
            & (TaskRow.busy_until.does_not_exist() | (TaskRow.busy_until < now))
        )
        return self._update(task.user_id, _to_stop(now), unused)

    def put_to_sleep(self, task: Task) -> Task:
        """The person stops their running agent. Raises LeaseLost when it does not run any more."""
        mine = self._held(task.generation) & TaskRow.status.is_in(Status.RUNNING, Status.SUSPENDED)
        return self._update(task.user_id, _to_stop(self._clock()), mine)

    def stopping(self, user_id: str, generation: int) -> Task:
        """The container itself was told to stop. Raises LeaseLost."""
        return self._update(user_id, _to_stop(self._clock()), self._held(generation))

    def expired(self, user_id: str, generation: int) -> Task:
        """Take the row from a task that stopped renewing its lease. Raises LeaseLost when it did renew it."""
        return self._free(user_id, generation, (TaskRow.status != Status.IDLE) & (TaskRow.lease_until < self._clock()))

    def released(self, user_id: str, generation: int) -> Task:
        """The task of this generation is gone: Idle. Raises LeaseLost when it was not current."""
        return self._free(user_id, generation, TaskRow.status != Status.IDLE)

    def _free(self, user_id: str, generation: int, condition: Condition) -> Task:
        actions = [
            TaskRow.status.set(Status.IDLE),
            TaskRow.phase.remove(),
            TaskRow.lease_until.set(0),
            TaskRow.active.remove(),
            *_forget_task(),
        ]
        return self._update(user_id, actions, self._held(generation) & condition)

    def settle_early(self, task: Task) -> None:
        """The early start is over: take what was reserved, once. Raises LeaseLost."""
        mine = self._held(task.generation) & TaskRow.early.exists()
        self._update(task.user_id, [TaskRow.early.remove()], mine)

    def extend_early(self, task: Task, until: int, receipt: dict[str, Any]) -> None:
        """Let it wait longer. Raises LeaseLost when somebody wrote, it ends, or another one was faster."""
        waits = self._held(task.generation) & (TaskRow.early_until == task.early_until)
        begun = (TaskRow.status == Status.STARTING) | (TaskRow.status == Status.RUNNING)
        before = task.early["nano"] if task.early is not None else 0
        paid = receipt | {"nano": receipt["nano"] + before}
        self._update(task.user_id, [TaskRow.early_until.set(until), TaskRow.early.set(paid)], waits & begun)

    def forgive(self, user_id: str, generation: int) -> Task:
        """Begin counting failed starts anew. Raises LeaseLost."""
        return self._update(user_id, [TaskRow.failed_starts.set(0)], self._held(generation))

    def active(self) -> list[Task]:
        """Every row that may have a task, from the sparse index (eventually consistent)."""
        return [from_row(row) for row in TaskRow.by_activity.query(ACTIVE)]

    @staticmethod
    def _held(generation: int) -> Condition:
        return TaskRow.generation == generation

    @staticmethod
    def _update(user_id: str, actions: list[Any], condition: Condition, refused: type[Exception] = LeaseLost) -> Task:
        row = TaskRow(user_id)
        update(row, actions, condition, refused)
        return from_row(row)


def _to_stop(now: int) -> list[Action]:
    return [TaskRow.status.set(Status.STOPPING), TaskRow.lease_until.set(now + RUN_LEASE)]


def _forget_task(early: tuple[int, dict[str, Any]] | None = None) -> list[Action]:
    gone: tuple[Any, ...] = (
        TaskRow.task_arn,
        TaskRow.agent_connection_id,
        TaskRow.agent_endpoint,
        TaskRow.active_runs,
        TaskRow.busy_until,
    )
    if early is not None:
        return [*_removed(gone), TaskRow.early_until.set(early[0]), TaskRow.early.set(early[1])]
    return _removed((*gone, TaskRow.early_until, TaskRow.early))


def _removed(gone: tuple[Any, ...]) -> list[Action]:
    return [attribute.remove() for attribute in gone]

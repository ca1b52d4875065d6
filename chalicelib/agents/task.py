"""A user's task as its row says: what it is, not who may change it (agents/tasks.py)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chalicelib.platform.models import TaskRow


class Status(StrEnum):
    IDLE = "Idle"
    STARTING = "Starting"
    RUNNING = "Running"
    SUSPENDED = "Suspended"  # it keeps its memory and its lease, and does nothing
    STOPPING = "Stopping"
    REMOVED = "Removed"  # its user was removed: nothing is ever started again (agents/removed.py)


@dataclass(frozen=True)
class Task:
    """A user's task as stored; times in ms."""

    user_id: str
    status: Status = Status.IDLE
    generation: int = 0
    phase: str | None = None
    task_arn: str | None = None
    agent_connection_id: str | None = None
    agent_endpoint: str | None = None
    started_at: int = 0
    ready_at: int = 0
    last_activity: int = 0
    busy_until: int = 0
    lease_until: int = 0
    prewarm_until: int = 0
    prewarm_user: str | None = None
    prewarm_generation: int = 0
    active_runs: tuple[dict[str, str], ...] = ()
    start_ms: int = 0
    failed_starts: int = 0  # containers in a row that never became ready
    wake_at: int = 0  # when the next automation is due; 0: none
    early_until: int = 0  # of an early start to which nobody has written yet
    early: dict[str, Any] | None = None  # what is reserved for it

    def live(self, now: int) -> bool:
        """Whether a task holds the lease."""
        return self.status is not Status.IDLE and self.lease_until >= now

    def runs_in(self, conversation_id: str) -> bool:
        """Whether a turn runs in that conversation."""
        return any(run["conversationId"] == conversation_id for run in self.active_runs)

    def wakeable(self, now: int) -> bool:
        return self.live(now) and self.status is not Status.SUSPENDED and self.agent_connection_id is not None

    def near(self, now: int) -> bool:
        """Whether it answers at once, or within a second."""
        return self.live(now) and self.status in (Status.RUNNING, Status.SUSPENDED)


def from_row(row: TaskRow) -> Task:
    return Task(
        user_id=row.user_id,
        status=Status(row.status or "Idle"),
        generation=int(row.generation or 0),
        phase=row.phase,
        task_arn=row.task_arn,
        agent_connection_id=row.agent_connection_id,
        agent_endpoint=row.agent_endpoint,
        started_at=int(row.started_at or 0),
        ready_at=int(row.ready_at or 0),
        last_activity=int(row.last_activity or 0),
        busy_until=int(row.busy_until or 0),
        lease_until=int(row.lease_until or 0),
        prewarm_until=int(row.prewarm_until or 0),
        prewarm_user=row.prewarm_user,
        prewarm_generation=int(row.prewarm_generation or 0),
        active_runs=tuple(row.active_runs or ()),
        start_ms=int(row.start_ms or 0),
        failed_starts=int(row.failed_starts or 0),
        wake_at=int(row.wake_at or 0),
        early_until=int(row.early_until or 0),
        early=row.early,
    )

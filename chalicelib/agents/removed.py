"""The row of a user who was removed: a fence that outlives their tokens, so that nothing is started or kept again.

The fence is a generation of its own. Whatever runs under an earlier one is refused each write, and ends without
saving. Nobody begins a start either (Tasks.begin_start). DynamoDB deletes the row a day later.
"""

from pynamodb.expressions.update import Action

from chalicelib.agents.task import Status, Task, from_row
from chalicelib.platform.clock import DAY, Clock, now_ms, ttl
from chalicelib.platform.models import TaskRow
from chalicelib.platform.writes import update

# A token that was issued before lives for an hour, and the functions' clocks differ by seconds.
KEPT = DAY
STAYS = ("user_id", "status", "generation", "lease_until", "expires_at")


class _Fenced(Exception):
    """It is fenced already."""


def fence(user_id: str, clock: Clock = now_ms) -> Task:
    """From now on no task of the user may write. The row still says which one ran last. Safe to repeat."""
    row, now = TaskRow(user_id), clock()
    due = (TaskRow.active, TaskRow.waking, TaskRow.wake_at, TaskRow.early_until, TaskRow.early, TaskRow.phase)
    here = (TaskRow.agent_connection_id, TaskRow.agent_endpoint, TaskRow.active_runs, TaskRow.busy_until)
    actions: list[Action] = [
        TaskRow.status.set(Status.REMOVED),
        TaskRow.generation.set((TaskRow.generation | 0) + 1),
        TaskRow.lease_until.set(now + KEPT),
        TaskRow.expires_at.set(ttl(now + KEPT)),
        *(attribute.remove() for attribute in (*due, *here)),
    ]
    open_ = TaskRow.status.does_not_exist() | (TaskRow.status != Status.REMOVED)
    try:
        update(row, actions, open_, _Fenced)
    except _Fenced:
        row = TaskRow.get(user_id, consistent_read=True)
    return from_row(row)


def bury(user_id: str) -> None:
    """All is deleted: of the row only the fence stays."""
    row = TaskRow.get(user_id, consistent_read=True)
    kept = [attribute for name, attribute in TaskRow.get_attributes().items() if name not in STAYS]
    present = [attribute.remove() for attribute in kept if attribute.attr_name in row.serialize()]
    if present:
        update(row, present, TaskRow.status == Status.REMOVED, _Fenced)


def is_removed(user_id: str) -> bool:
    """Whether the user was removed; their token may be good for an hour yet."""
    try:
        return bool(TaskRow.get(user_id, consistent_read=True).status == Status.REMOVED)
    except TaskRow.DoesNotExist:
        return False

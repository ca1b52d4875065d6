"""The wish to begin anew: a row `anew#<user>` in TaskState, until the container that is to end has ended.

ECS tells of that end, and the next container is started then. If that event is lost, the watchdog finds the row in the
index of overdue automations, under a key of its own.
"""

from chalicelib.platform.clock import MINUTE, SECOND, Clock, now_ms, ttl
from chalicelib.platform.models import TaskRow
from chalicelib.platform.writes import update

PREFIX = "anew#"
DUE = "anew"  # the index key
# A container has a minute to end; the event of its end may be late.
LATE, KEPT = 2 * MINUTE, 15 * MINUTE


class _Taken(Exception):
    """Another caller was first, or the wish is another generation's."""


class Anew:
    """The row names the generation that ends, so an event that comes again starts nothing."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def ask(self, user_id: str, generation: int) -> None:
        now = self._clock()
        TaskRow(f"{PREFIX}{user_id}").update(
            [
                TaskRow.generation.set(generation),
                TaskRow.waking.set(DUE),
                TaskRow.wake_at.set(now + LATE),
                TaskRow.expires_at.set(ttl(now + KEPT)),
            ]
        )

    def take(self, user_id: str, generation: int) -> bool:
        """True for the one caller who is to start the next container after that generation's."""
        wanted = (TaskRow.generation == generation) & TaskRow.waking.exists()
        wanted &= TaskRow.expires_at >= ttl(self._clock())
        try:
            update(TaskRow(f"{PREFIX}{user_id}"), [TaskRow.waking.remove(), TaskRow.wake_at.remove()], wanted, _Taken)
        except _Taken:
            return False
        return True

    def overdue(self) -> list[tuple[str, int]]:
        """Users and generations: the end of each should have been told by now. Eventually consistent."""
        now = self._clock()
        names = [str(row.user_id) for row in TaskRow.by_wake.query(DUE, TaskRow.wake_at <= now)]
        rows = [row for name in names if (row := _row(name)) is not None]
        known = [row for row in rows if int(row.expires_at or 0) * SECOND >= now and row.generation is not None]
        return [(str(row.user_id).removeprefix(PREFIX), int(row.generation)) for row in known]


def _row(name: str) -> TaskRow | None:
    """None: it has expired, and the index does not know that yet."""
    try:
        return TaskRow.get(name, consistent_read=True)
    except TaskRow.DoesNotExist:
        return None

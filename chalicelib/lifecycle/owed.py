"""What the agent has said and a chat or a push service does not have yet, because the container ended before.

The next container sends it (the Bridge's `recover`). It is started for that: a person who only uses Telegram has no
other way to learn of it. While Telegram is down no start helps, so the pauses grow with the age of what waits.
"""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.agents.tasks import LeaseLost, Task
from chalicelib.agents.wakes import Wakes
from chalicelib.people.pushes import KEEP, OWED
from chalicelib.platform import log
from chalicelib.platform.clock import DAY, SECOND, Clock, now_ms
from chalicelib.platform.models import SettingItem

# Later it would be news of yesterday. It is still sent at the next start.
TOO_OLD = DAY


@dataclass(frozen=True)
class Owed:
    """Asked at the end of each container. `chats`: when each answer that a chat lacks was asked for, in ms."""

    wakes: Wakes
    chats: Callable[[str], list[int]]
    clock: Clock = now_ms

    def bring_forward(self, task: Task) -> Task:
        """The sleeping agent's row, with a time to wake if something is owed."""
        since = self._since(task.user_id)
        if since is None:
            return task
        at = 2 * self.clock() - since
        if task.wake_at and task.wake_at <= at:
            return task
        try:
            woken = self.wakes.bring_forward(task, at)
        except LeaseLost:  # somebody has begun a start
            return task
        log.event("wake_for_owed", user=task.user_id, age_ms=self.clock() - since)
        return woken

    def _since(self, user_id: str) -> int | None:
        """When the oldest was asked for or said, in ms."""
        rows = SettingItem.query(user_id, SettingItem.key.startswith(OWED), consistent_read=True)
        times = self.chats(user_id) + [int(row.expires_at or 0) * SECOND - KEEP for row in rows]
        return min((at for at in times if at > self.clock() - TOO_OLD), default=None)

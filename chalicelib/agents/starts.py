"""A user's last starts: how long each phase took, or why it failed, and what became of the messages.

One row in Settings for each start (`start#<generation>`), for 30 days. It only informs: a row that cannot be written
costs nobody a start.
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import DoesNotExist, PynamoDBException
from pynamodb.expressions.update import Action

from chalicelib.agents.tasks import PREWARM, Task
from chalicelib.platform import log
from chalicelib.platform.clock import DAY, Clock, now_ms, ttl
from chalicelib.platform.models import SettingItem

PREFIX = "start#"
KEPT, SHOWN = 30 * DAY, 20
READY, FAILED = "ready", "failed"
# Why a start failed, beside the codes of StartFailed: the container ended, it was silent, OpenClaw did not start.
DIED, SILENT, AGENT = "DIED", "SILENT", "AGENT"
# After several of those: the messages that waited were given up.
GIVEN_UP = "GIVEN_UP"
ERRORS = (PynamoDBException, ClientError, BotoCoreError, DoesNotExist)

# What their senders are told.
GIVEN_UP_TEXT = "Your agent did not start in several tries, so this message was not answered. Please send it again."
START_FAILED_TEXT = {
    "START_FAILED": "Your agent could not be started. The message is kept and tried again within minutes.",
    "CAPACITY": "AWS has no free capacity right now. The message is kept and tried again within minutes.",
}


class Starts:
    """Writing raises nothing."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def ready(self, task: Task, restore_ms: int, boot_ms: int, restored: bool) -> None:
        """The agent answers. `restored` False: without its memory."""
        total = task.ready_at - task.started_at
        rest = max(total - restore_ms - boot_ms, 0)
        phases = {"totalMs": total, "containerMs": rest, "restoreMs": restore_ms, "bootMs": boot_ms}
        self._note(task, {"outcome": READY, "early": task.early_until > 0, "restored": restored, **phases})

    def ended(self, task: Task, reason: str) -> None:
        """A task is gone; noted only if it was never ready. GIVEN_UP: so are the messages that waited for it."""
        if task.ready_at >= task.started_at or task.user_id.startswith(PREWARM):
            return
        if reason == GIVEN_UP:
            self._update(task, [SettingItem.tally.set(1)])
        else:
            self._note(task, {"outcome": FAILED, "reason": reason})

    def last(self, user_id: str) -> list[dict[str, Any]]:
        """The newest first."""
        kept = SettingItem.key.startswith(PREFIX)
        rows = SettingItem.query(user_id, kept, scan_index_forward=False, limit=SHOWN)
        return [row.value | ({"givenUp": True} if row.tally else {}) for row in rows if row.value]

    def _note(self, task: Task, about: dict[str, Any]) -> None:
        about |= {"id": task.generation, "at": task.started_at}
        self._update(task, [SettingItem.value.set(about)])

    def _update(self, task: Task, actions: list[Action]) -> None:
        row = SettingItem(task.user_id, f"{PREFIX}{task.generation:010d}")
        try:
            row.update([*actions, SettingItem.expires_at.set(ttl(self._clock() + KEPT))])
        except ERRORS as error:
            log.failure("start_not_noted", error)

"""Going back to a restore point, at the user's own wish."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from botocore.exceptions import BotoCoreError, ClientError

from bridge.memory.memory import Memory, Stopped
from bridge.memory.points import BEFORE_RESTORE, RESTORED, Snapshot
from bridge.memory.snapshots import RestoreFailed
from bridge.shared.rest import NotAtRest
from chalicelib.platform import log

COMMAND = "/restore"
SHOWN = 10
# With the seconds that each of them stands for.
FORMATS = {"%Y-%m-%d %H:%M": 60, "%Y-%m-%dT%H:%M": 60, "%Y-%m-%d %H:%M:%S": 1, "%Y-%m-%d": 86_400}


class Returning:
    """`stopped` runs something while OpenClaw is stopped; `zone` names the user's time zone, if it is known."""

    def __init__(self, memory: Memory, stopped: Stopped, zone: Callable[[], str | None] = lambda: None) -> None:
        self._memory = memory
        self._stopped = stopped
        self._zone = zone

    def command(self, text: str) -> str | None:
        """The reply to `/restore …`; None for any other message."""
        words = text.split(maxsplit=1)
        if not words or words[0] != COMMAND:
            return None
        try:
            return self._go(words[1]) if len(words) > 1 else self._list()
        except NotAtRest:
            return "Your agent is still answering. Please try again when it has finished."
        except (RestoreFailed, OSError, ClientError, BotoCoreError) as error:
            log.failure("return_failed", error)
            return f"That did not work ({_reason(error)}). Your agent's memory is as it was."

    def _list(self) -> str:
        lines = [
            f"- `{self._when(point)}`, {point.files} files, {-(-point.bytes // 1_000_000)} MB"
            + (f", {point.reason}" if point.reason else "")
            for point in self._memory.snapshots.pointer().snapshots[:SHOWN]
        ]
        return (
            f"Your agent's memory can go back to these times ({self._zone() or 'UTC'}):\n\n" + "\n".join(lines) + "\n\n"
            f"Send `{COMMAND} 2026-11-20 09:00` for the last one before a time. "
            "What your agent remembers now is kept as a restore point too."
        )

    def _go(self, wanted: str) -> str:
        at = self._parsed(wanted)
        if at is None:
            return f"Please write a date and a time, as in `{COMMAND} 2026-11-20 09:00`."
        points = [one for one in self._memory.snapshots.pointer().snapshots if one.created_at < at]
        # A point that marks a return is an older one once more, made within the second after "before restore".
        points = [one for one in points if one.reason != RESTORED] or points
        if not points:
            return "There is no restore point as old as that."
        self.go_back(points[0])
        return f"Your agent remembers now what it knew at {self._when(points[0])}. `{COMMAND}` shows the way back."

    def go_back(self, point: Snapshot) -> None:
        """Raises NotAtRest, RestoreFailed, OSError, LeaseLost and what OpenClaw's start raises."""
        snapshots = self._memory.snapshots

        def put() -> None:
            snapshots.restore_one(point, self._memory.root)
            snapshots.return_to(point)
            self._memory.restored_unrestful = point.unrestful

        self._memory.replace(BEFORE_RESTORE, put, self._stopped)
        log.event("went_back", created_at=point.created_at)

    def _parsed(self, text: str) -> int | None:
        """Milliseconds; the end of the minute or the day that is named."""
        for form, span in FORMATS.items():
            try:
                at = datetime.strptime(text.strip(), form).replace(tzinfo=ZoneInfo(self._zone() or "UTC"))
            except ValueError:
                continue
            return int((at.timestamp() + span) * 1000)
        return None

    def _when(self, point: Snapshot) -> str:
        at = datetime.fromtimestamp(point.created_at / 1000, UTC).astimezone(ZoneInfo(self._zone() or "UTC"))
        return at.strftime("%Y-%m-%d %H:%M")


def _reason(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return str(error) or type(error).__name__

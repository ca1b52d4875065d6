"""The last starts of a user's agent, for the person to see: rows `start#<generation>` in the Settings table.

Only the container writes them, and nothing depends on them. What it could not write follows from the numbers: a
generation without a row did not get as far as its agent, and one without an end is the current one or was killed.
Nothing is told of those before the oldest row: it may have been deleted, or an earlier version has started them.
"""

from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.agents.tasks import Task, Tasks
from chalicelib.people.machine_price import MACHINE_LIFE, Used
from chalicelib.platform.clock import DAY, Clock, now_ms, ttl
from chalicelib.platform.models import SettingItem
from chalicelib.platform.writes import update

PREFIX = "start#"
# A month, and some days: its costs are explained from these rows.
KEEP = 35 * DAY
SHOWN = 10
# How a container came to its user, how it ended, and why it did not get ready.
COLD, CLAIMED, EARLY = "cold", "claimed", "early"
# The person or the idle time; nothing left to do; OpenClaw did not come back; ECS (Spot, a deployment).
ASKED, DONE, CRASHED, TOLD = "asked", "done", "crashed", "told"
NO_MEMORY, NO_OPENCLAW = "memory", "openclaw"


class StartItem(SettingItem):
    """One start; times and lengths in ms."""

    kind = UnicodeAttribute(null=True)
    began = NumberAttribute(null=True)
    ready = NumberAttribute(null=True)
    restore = NumberAttribute(null=True)
    gateway = NumberAttribute(null=True)
    failure = UnicodeAttribute(null=True)
    restarts = NumberAttribute(null=True)  # of OpenClaw, after it crashed
    ended = NumberAttribute(null=True)
    end = UnicodeAttribute(null=True)
    task_arn = UnicodeAttribute(null=True, attr_name="taskArn")  # for its log, and which engine it was
    # Of a MicroVM: how often it was suspended, since when it is, and how long it was before.
    suspends = NumberAttribute(null=True)
    asleep = NumberAttribute(null=True)
    slept = NumberAttribute(null=True)


@dataclass(frozen=True)
class Begun:
    """What a container knows when its agent is ready, or could not be made ready."""

    kind: str
    restore: int  # ms
    gateway: int  # ms, until OpenClaw has said hello
    failure: str = ""


class WentOn(Exception):
    """It is not suspended any more."""


class Starts:
    """One row for each generation; a later write of the same generation adds to it."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def begun(self, task: Task, begun: Begun) -> None:
        """`task`: the row as it is when that is known."""
        actions: list[Action] = [
            StartItem.kind.set(begun.kind),
            StartItem.began.set(task.started_at),
            StartItem.restore.set(begun.restore),
            StartItem.gateway.set(begun.gateway),
            StartItem.expires_at.set(ttl(self._clock() + KEEP)),
        ]
        if task.task_arn is not None:
            actions.append(StartItem.task_arn.set(task.task_arn))
        actions.append(StartItem.failure.set(begun.failure) if begun.failure else StartItem.failure.remove())
        if begun.failure != NO_OPENCLAW:
            actions.append(StartItem.ready.set(task.ready_at))
        _row(task.user_id, task.generation).update(actions)

    def ended(self, user_id: str, generation: int, end: str, restarts: int) -> None:
        now = self._clock()
        actions = [StartItem.ended.set(now), StartItem.end.set(end), StartItem.restarts.set(restarts)]
        _row(user_id, generation).update([*actions, StartItem.expires_at.set(ttl(now + KEEP))])

    def last(self, task: Task) -> list[dict[str, Any]]:
        """The newest first, at most SHOWN, with those that left no row. `task`: the user's row of now."""
        rows = StartItem.query(task.user_id, StartItem.key.startswith(PREFIX), scan_index_forward=False, limit=SHOWN)
        known = {int(row.key.removeprefix(PREFIX)): row for row in rows}
        current = task.generation if task.live(self._clock()) else 0
        if not known and not current and task.generation > 1:
            return []  # older than these rows, or asleep for longer than they are kept
        oldest = max(min(known, default=current or 1), task.generation - SHOWN + 1)
        return [_public(number, known.get(number), current) for number in range(task.generation, oldest - 1, -1)]

    def last_task(self, user_id: str) -> str | None:
        """The task of the newest start that has left a row."""
        rows = StartItem.query(user_id, StartItem.key.startswith(PREFIX), scan_index_forward=False, limit=1)
        return next((row.task_arn for row in rows), None)

    def asleep(self, user_id: str, generation: int, suspends: int) -> None:
        """It is being suspended; `suspends` counts that one. Raises WentOn: the write came after its end."""
        now = self._clock()
        actions = [
            StartItem.suspends.set(suspends),
            StartItem.asleep.set(now),
            StartItem.expires_at.set(ttl(now + KEEP)),
        ]
        new = StartItem.suspends.does_not_exist() | (StartItem.suspends < suspends)
        update(_row(user_id, generation), actions, new, WentOn)

    def awoke(self, user_id: str, generation: int, suspends: int, slept: int) -> None:
        """`slept`: how long it was suspended in all, in ms."""
        actions: list[Action] = [StartItem.suspends.set(suspends), StartItem.slept.set(slept)]
        actions += [StartItem.asleep.remove(), StartItem.expires_at.set(ttl(self._clock() + KEEP))]
        _row(user_id, generation).update(actions)

    def used(self, user_id: str, since: int) -> list[tuple[str | None, Used]]:
        """What machines were there for the user since then, by the names of their tasks.

        How long one ran that was killed is not known, unless it was suspended.
        """
        now = self._clock()
        task = Tasks(self._clock).get(user_id)
        current = task.generation if task.live(now) else 0
        rows = StartItem.query(user_id, StartItem.key.startswith(PREFIX))
        return [(row.task_arn, _used(row, since, now, current)) for row in rows]


def _used(row: StartItem, since: int, now: int, current: int) -> Used:
    number = int(row.key.removeprefix(PREFIX))
    ended = int(row.ended or row.asleep or (now if number == current else 0))
    began = int(row.began or ended)
    begun = max(began, since)
    running = max(ended - begun - int(row.slept or 0), 0)
    if not row.suspends:
        return Used(running, starts=1 if began >= since and running else 0)
    existed = max(int(row.ended or min(now, began + MACHINE_LIFE)) - begun, 0)
    earlier = began < since  # the month before has counted it
    return Used(running, existed, 0 if earlier else 1, 0 if earlier else int(row.suspends))


def _row(user_id: str, generation: int) -> StartItem:
    return StartItem(user_id, f"{PREFIX}{generation:010d}")


def _public(generation: int, row: StartItem | None, current: int) -> dict[str, Any]:
    """Times in ms; `state`: starting, awake, ended, killed, failed."""
    shown: dict[str, Any] = {"generation": generation}
    if row is not None:
        names = ("kind", "began", "ready", "restore", "gateway", "failure", "restarts", "ended", "end")
        values = {name: getattr(row, name) for name in names}
        shown |= {k: v if isinstance(v, str) else int(v) for k, v in values.items() if v is not None}
    failed = row is None or row.failure == NO_OPENCLAW
    if generation == current:
        state = "starting" if row is None else "failed" if failed else "awake"
    else:
        state = "failed" if failed else "ended" if row is not None and row.ended else "killed"
    return shown | {"state": state}

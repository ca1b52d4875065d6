"""Restore points: what a snapshot is called in the pointer, and which of them are kept. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

# The last ones, then one for each hour of a day, then one for each day.
KEEP = 5
HOUR, DAY = 3_600_000, 86_400_000
HOURLY, DAILY = 24 * HOUR, 30 * DAY
# Reasons. The first is a save after a turn; what was there before a restore is kept for DAILY.
TURN, STOP, UNRESTFUL = "turn", "stop", "unrestful"
BEFORE_RESTORE, RESTORED, BEFORE_IMPORT, IMPORTED = "before restore", "restored", "before import", "imported"
KEPT_REASONS = {BEFORE_RESTORE, BEFORE_IMPORT}


@dataclass(frozen=True)
class Snapshot:
    """`bytes`: what a restore downloads; `written`: what this save uploaded.

    `skipped` counts files that were too large or unreadable; `databases` counts OpenClaw's own. `unrestful`: it was
    taken while the agent worked.
    """

    key: str
    sha256: str
    bytes: int
    files: int
    created_at: int
    skipped: int = 0
    databases: int = 0
    reason: str = ""
    unrestful: bool = False
    written: int = 0

    @classmethod
    def from_wire(cls, entry: Mapping[str, Any]) -> Self:
        """Ignores fields that a later version may have added. Raises TypeError if a field is missing."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in entry.items() if name in known})


@dataclass(frozen=True)
class Gap:
    """A time that the agent was made to forget, by going back to a restore point. Milliseconds."""

    since: int
    until: int


KEPT_GAPS = 20


def thinned(snapshots: Sequence[Snapshot], now: int) -> tuple[Snapshot, ...]:
    """Those to keep, newest first: of each hour and each day its newest one."""
    kept: list[Snapshot] = []
    slots: set[tuple[int, int]] = set()
    for number, snapshot in enumerate(snapshots):
        age = now - snapshot.created_at
        slot = (HOUR, snapshot.created_at // HOUR) if age < HOURLY else (DAY, snapshot.created_at // DAY)
        pinned = number < KEEP or (snapshot.reason in KEPT_REASONS and age < DAILY)
        if pinned or (age < DAILY and slot not in slots):
            kept.append(snapshot)
            slots.add(slot)
    return tuple(kept)

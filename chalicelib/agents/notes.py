"""A person's edits of the agent's memory files, from the page to the file.

An edit is one row in Settings (`note#<name>`) until a snapshot holds it. A running agent's container is told of it and
applies it at rest; a sleeping agent's next container applies it after the restore, before OpenClaw starts
(container/bridge/memory/edits.py). Then the row says "applied". An edit names the versions of the file that it may
replace. If the file is none of them, the agent changed it meanwhile: the row stays as a conflict until the person
decides.
"""

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from pynamodb.exceptions import DeleteError
from pynamodb.expressions.condition import Condition

from chalicelib.platform import log
from chalicelib.platform.clock import Clock, now_ms
from chalicelib.platform.models import SettingItem
from chalicelib.platform.records import known, readable
from chalicelib.platform.writes import update
from chalicelib.wire.protocol import ProtocolError, storable

PREFIX = "note#"
# APPLIED: it is in the agent's file, but in no snapshot yet.
PENDING, APPLIED, CONFLICT = "pending", "applied", "conflict"
OPEN = (PENDING, APPLIED)
# In bytes: a row may have 400 KB, and each byte takes at most six there.
MAX_BYTES, MOST = 64_000, 20
# Versions that one edit may replace: what the person read, and what they saved since.
MOST_BASES = 10
_NAME = re.compile(
    r"(SOUL|USER|MEMORY|IDENTITY|HEARTBEAT|AGENTS|TOOLS)\.md|memory/(?!\.)[^/\\\x00-\x1f\x7f]{1,100}\.md"
)
CHANGED = "the file has changed since it was read"


def is_note(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def note_name(value: object) -> str:
    """Raises ProtocolError for any name but those of memory files."""
    if not isinstance(value, str) or not is_note(value) or storable(value) != value:
        raise ProtocolError("BAD_FIELD", "name must be that of a memory file, as SOUL.md or memory/2026-11-29.md")
    return value


def note_text(value: object) -> str:
    """Raises ProtocolError."""
    if not isinstance(value, str) or "\0" in value:
        raise ProtocolError("BAD_FIELD", "text must be a string without NUL characters")
    text = storable(value)
    if len(text.encode()) > MAX_BYTES:
        raise ProtocolError("TOO_LARGE", f"a memory file may have {MAX_BYTES} bytes here")
    return text


def version_of(content: str | bytes | None) -> str:
    """Names a content; "" if there is no file."""
    if content is None:
        return ""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


@dataclass(frozen=True)
class Edit:
    """`bases`: the versions of the file that it may replace; `at` in ms."""

    id: str
    name: str
    text: str
    at: int
    bases: list[str] = field(default_factory=list)
    status: str = PENDING
    row: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)  # as it was read

    @classmethod
    def from_wire(cls, row: Mapping[str, Any]) -> Self:
        """Ignores fields that a later version may have added. Raises TypeError if a field is missing."""
        return cls(**known(cls, row) | {"row": dict(row)})

    @property
    def open(self) -> bool:
        """Whether it is to be in the file, and no snapshot is known to hold it."""
        return self.status in OPEN

    def wire(self, status: str | None = None) -> dict[str, Any]:
        """The row, with fields of a later version as they were."""
        own = {name: value for name, value in vars(self).items() if name != "row"}
        return self.row | own | {"status": status or self.status}

    def public(self) -> dict[str, Any]:
        return {"id": self.id, "at": self.at, "status": self.status}

    def whole(self) -> dict[str, Any]:
        return self.public() | {"text": self.text, "version": version_of(self.text)}


class Refused(Exception):
    """The row is not as it was read."""


class Edits:
    """The rows of a user's edits. `save` and `discard` raise ProtocolError."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def of(self, user_id: str) -> dict[str, Edit]:
        """All edits that are not finished, by the name of their file."""
        return {edit.name: edit for edit in readable(user_id, PREFIX, Edit.from_wire)}

    def save(self, user_id: str, name: str, text: str, version: str, current: str) -> Edit:
        """Keep an edit of what the person read (`version`); `current` is the file's version in the last snapshot.

        The same text once more is a repeated request, and gets the edit that is stored.
        """
        edits = self.of(user_id)
        before = edits.get(name)
        if before is not None and before.open and before.text == text:
            return before
        if before is None and len(edits) >= MOST:
            raise ProtocolError("TOO_MANY", f"{MOST} edits wait already: wake your agent first")
        bases = _bases(before, version, current)
        edit = Edit(uuid.uuid4().hex, name, text, self._clock(), bases)
        same: Condition = SettingItem.value.does_not_exist()
        if before is not None:
            same = _is(before, *(OPEN if before.open else (before.status,)))
        try:
            update(SettingItem(user_id, PREFIX + name), [SettingItem.value.set(edit.wire())], same, Refused)
        except Refused:
            raise ProtocolError("NOTE_CHANGED", CHANGED) from None
        return edit

    def discard(self, user_id: str, name: str, edit_id: object) -> None:
        edit = self.of(user_id).get(name)
        if edit is None or edit.id != edit_id:
            raise ProtocolError("NOT_FOUND", "there is no such edit any more")
        if edit.status == APPLIED or not self._remove(user_id, edit, (edit.status,)):
            raise ProtocolError("NOTE_APPLIED", "your agent has the edit already: edit the file again instead")

    def finish(self, user_id: str, edit: Edit) -> None:
        """Remove the row; without effect when it is another edit's by now."""
        self._remove(user_id, edit, OPEN)

    def applied(self, user_id: str, edit: Edit) -> None:
        """The edit is in the agent's file; without effect when the row is another edit's by now."""
        self._turn(user_id, edit, APPLIED)

    def conflict(self, user_id: str, edit: Edit) -> None:
        """The file was changed by the agent; without effect when the row is another edit's by now."""
        self._turn(user_id, edit, CONFLICT)

    def _turn(self, user_id: str, edit: Edit, status: str) -> None:
        actions = [SettingItem.value.set(edit.wire(status))]
        try:
            update(SettingItem(user_id, PREFIX + edit.name), actions, _is(edit, *OPEN), Refused)
        except Refused:
            return

    def _remove(self, user_id: str, edit: Edit, statuses: tuple[str, ...]) -> bool:
        try:
            SettingItem(user_id, PREFIX + edit.name).delete(condition=_is(edit, *statuses))
        except DeleteError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _is(edit: Edit, *statuses: str) -> Condition:
    """The row is this edit's, in one of the statuses."""
    condition = SettingItem.value == edit.wire(statuses[0])
    for status in statuses[1:]:
        condition |= SettingItem.value == edit.wire(status)
    return condition


def _bases(before: Edit | None, version: str, current: str) -> list[str]:
    """What the new edit may replace. Raises ProtocolError when the person has not read the latest text."""
    if before is not None and before.open and version == version_of(before.text):
        bases = [*before.bases, version]  # applied or not: both are texts that the person knows
        return [*bases[:1], *bases[1:][1 - MOST_BASES :]]
    if version != current or (before is not None and before.open):
        raise ProtocolError("NOTE_CHANGED", CHANGED)
    return [current]


@dataclass(frozen=True)
class Change:
    """What the agent changed last, as unified diffs by file. `cut`: not all of it is kept. `at` in ms."""

    at: int
    files: list[dict[str, Any]]
    cut: bool = False

    @classmethod
    def from_wire(cls, row: Mapping[str, Any]) -> Self:
        """Ignores fields that a later version may have added. Raises TypeError if a field is missing."""
        return cls(**known(cls, row))


CHANGE_KEY = "notes-changed"


class _Newer(Exception):
    """A newer container has written."""


class Changes:
    """The one row of a user: the last change of the memory files by the agent."""

    def get(self, user_id: str) -> Change | None:
        try:
            value = SettingItem.get(user_id, CHANGE_KEY).value
        except SettingItem.DoesNotExist:
            return None
        try:
            return Change.from_wire(value)
        except (TypeError, AttributeError) as error:  # the list of files is worth more
            log.failure("change_unreadable", error)
            return None

    def keep(self, user_id: str, generation: int, change: Change) -> None:
        """Without effect for an older generation."""
        mine = SettingItem.tally.does_not_exist() | (SettingItem.tally <= generation)
        actions = [SettingItem.value.set(asdict(change)), SettingItem.tally.set(generation)]
        try:
            update(SettingItem(user_id, CHANGE_KEY), actions, mine, _Newer)
        except _Newer:
            return

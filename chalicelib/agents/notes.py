"""A person's edits of the agent's memory files, from the page to the file.

An edit is one row in Settings (`note#<name>`) until a snapshot holds it. A running agent's container is told of it and
applies it at rest; a sleeping agent's next container applies it after the restore, before OpenClaw starts
(container/bridge/memory/edits.py). An edit names the versions of the file that it may replace. If the file is none of
them, the agent changed it meanwhile: the row stays as a conflict until the person decides.
"""

import hashlib
import re
import uuid
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pynamodb.exceptions import DeleteError

from chalicelib.platform.clock import Clock, now_ms
from chalicelib.platform.models import SettingItem
from chalicelib.platform.writes import update
from chalicelib.wire.protocol import ProtocolError, storable

PREFIX = "note#"
PENDING, CONFLICT = "pending", "conflict"
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
        rows = SettingItem.query(user_id, SettingItem.key.startswith(PREFIX), consistent_read=True)
        return {edit.name: edit for edit in (Edit(**row.value) for row in rows)}

    def save(self, user_id: str, name: str, text: str, version: str, current: str) -> Edit:
        """Keep an edit of what the person read (`version`); `current` is the file's version in the last snapshot."""
        edits = self.of(user_id)
        before = edits.get(name)
        if before is None and len(edits) >= MOST:
            raise ProtocolError("TOO_MANY", f"{MOST} edits wait already: wake your agent first")
        bases = _bases(before, version, current)
        edit = Edit(uuid.uuid4().hex, name, text, self._clock(), bases)
        same = SettingItem.value == asdict(before) if before else SettingItem.value.does_not_exist()
        try:
            update(SettingItem(user_id, PREFIX + name), [SettingItem.value.set(asdict(edit))], same, Refused)
        except Refused:
            raise ProtocolError("NOTE_CHANGED", CHANGED) from None
        return edit

    def discard(self, user_id: str, name: str, edit_id: object) -> None:
        edit = self.of(user_id).get(name)
        if edit is None or edit.id != edit_id:
            raise ProtocolError("NOT_FOUND", "there is no such edit any more")
        self.finish(user_id, edit)

    def finish(self, user_id: str, edit: Edit) -> None:
        """Remove the row; without effect when it is another edit's by now."""
        try:
            SettingItem(user_id, PREFIX + edit.name).delete(condition=SettingItem.value == asdict(edit))
        except DeleteError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise

    def conflict(self, user_id: str, edit: Edit) -> None:
        """The file was changed by the agent; without effect when the row is another edit's by now."""
        actions = [SettingItem.value.set(asdict(replace(edit, status=CONFLICT)))]
        try:
            update(SettingItem(user_id, PREFIX + edit.name), actions, SettingItem.value == asdict(edit), Refused)
        except Refused:
            return


def _bases(before: Edit | None, version: str, current: str) -> list[str]:
    """What the new edit may replace. Raises ProtocolError when the person has not read the latest text."""
    if before is not None and before.status == PENDING and version == version_of(before.text):
        bases = [*before.bases, version]  # applied or not: both are texts that the person knows
        return [*bases[:1], *bases[1:][1 - MOST_BASES :]]
    if version != current or (before is not None and before.status == PENDING):
        raise ProtocolError("NOTE_CHANGED", CHANGED)
    return [current]


@dataclass(frozen=True)
class Change:
    """What the agent changed last, as unified diffs by file. `cut`: not all of it is kept. `at` in ms."""

    at: int
    files: list[dict[str, Any]]
    cut: bool = False


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
        return Change(**value)

    def keep(self, user_id: str, generation: int, change: Change) -> None:
        """Without effect for an older generation."""
        mine = SettingItem.tally.does_not_exist() | (SettingItem.tally <= generation)
        actions = [SettingItem.value.set(asdict(change)), SettingItem.tally.set(generation)]
        try:
            update(SettingItem(user_id, CHANGE_KEY), actions, mine, _Newer)
        except _Newer:
            return

"""The person's edits of memory files (chalicelib/agents/notes.py): a row says "applied" until a snapshot holds it.

An edit is refused as a conflict if the agent has changed the file since the person read it.
"""

import json
from collections.abc import Callable, Sequence

from bridge.memory.applying import Applying
from bridge.memory.memory import Memory
from bridge.memory.noting import CHANGED, FAILED, SAME, WRITTEN
from bridge.shared.aws_errors import AWS_ERRORS
from chalicelib.agents.notes import Edit, Edits
from chalicelib.platform import log
from chalicelib.wire.protocol import Frame

SAVED: Frame = {"type": "saved"}


class MemoryEdits(Applying[Edit]):
    """`tell` shows a frame to the user's tabs."""

    what = "edits"

    def __init__(self, user_id: str, memory: Memory, tell: Callable[[Frame], None]) -> None:
        super().__init__(user_id, memory)
        self._tell = tell
        self._edits = Edits()

    def rows(self) -> list[Edit]:
        return [edit for edit in self._edits.of(self._user_id).values() if edit.open]

    def apply(self, rows: Sequence[Edit]) -> None:
        wanted = [{"name": edit.name, "text": edit.text, "bases": edit.bases} for edit in rows]
        workspace = self._memory.root / "workspace"
        command = self._user.python("bridge.memory.noting", str(workspace))
        done = self._user.run(command, json.dumps(wanted).encode())
        if done.returncode != 0:
            raise OSError("the edits could not be written")
        verdicts: list[str] = json.loads(done.stdout)
        for edit, verdict in zip(rows, verdicts, strict=True):
            if verdict != FAILED:
                self.decide(edit, refused=verdict == CHANGED)
        counts = {kind: verdicts.count(kind) for kind in (WRITTEN, SAME, CHANGED, FAILED)}
        log.event("edits_applied", **counts)
        self._tell_rows([edit for edit, verdict in zip(rows, verdicts, strict=True) if verdict in (WRITTEN, SAME)])
        if FAILED in verdicts:
            raise OSError("an edit could not be written")

    def _tell_rows(self, applied: list[Edit]) -> None:
        """From now on an edit cannot be dropped any more. If that fails, it is only dropped too late."""
        try:
            for edit in applied:
                self._edits.applied(self._user_id, edit)
        except AWS_ERRORS as error:
            log.failure("edits_not_marked", error)

    def end(self, row: Edit, refused: bool) -> None:
        if refused:
            self._edits.conflict(self._user_id, row)
        else:
            self._edits.finish(self._user_id, row)

    def after_kept(self) -> None:
        self._tell(SAVED)

    def texts(self) -> dict[str, str]:
        """What the person wrote since the last save, by file."""
        return {edit.name: edit.text for edit in self._settled.applied}

"""The person's edits of memory files: applied at rest, or before OpenClaw starts; finished once they are saved.

    the row (chalicelib/agents/notes.py)  ->  the file; the row says "applied"  ->  a snapshot holds it
    ->  the row goes, or says "conflict"

A container that is killed before the snapshot leaves the row. The next one restores a file without the edit and
applies it again, or one with it and sees that. So does this one after the agent went back or an import came.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.memory.memory import Memory
from bridge.memory.noting import CHANGED, FAILED, SAME, WRITTEN
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.shared.rest import NotAtRest
from chalicelib.agents.notes import Edit, Edits
from chalicelib.platform import log
from chalicelib.wire.protocol import Frame

SAVED: Frame = {"type": "saved"}
# How often it is tried again when the rows cannot be read.
RETRY_SECONDS = 10.0


@dataclass
class _Settled:
    """In the files, or refused there, but not in a snapshot yet."""

    applied: list[Edit] = field(default_factory=list)
    refused: list[Edit] = field(default_factory=list)


class MemoryEdits:
    """`tell` shows a frame to the user's tabs."""

    def __init__(self, user_id: str, memory: Memory, tell: Callable[[Frame], None]) -> None:
        self._user_id = user_id
        self._memory = memory
        self._user = memory.snapshots.archiver.user
        self._tell = tell
        self._edits = Edits()
        self._settled = _Settled()
        self._decided: set[str] = set()  # never twice: the agent may change the file after it
        self._running = threading.Lock()
        self._again = threading.Event()
        self._closed = threading.Event()
        memory.on_restored, memory.on_kept, memory.on_replaced = self.restored, self.kept, self.replaced

    def restored(self) -> None:
        """Before OpenClaw starts. What fails here is tried again at rest."""
        try:
            self._apply(self._waiting())
        except Exception as error:  # noqa: BLE001  no edit is worth an agent that does not start
            log.failure("edits_not_applied", error)

    def replaced(self) -> None:
        """Other files are there, without what no snapshot had: compare those edits with them."""
        settled, self._settled = self._settled, _Settled()
        self._decided -= {edit.id for edit in (*settled.applied, *settled.refused)}
        self.wake()

    def wake(self) -> None:
        """Look for edits. Does not block."""
        self._again.set()
        threading.Thread(target=self._run, name="edits", daemon=True).start()

    def poll(self) -> None:
        """Look for edits that nobody told of. Without effect while it looks already."""
        if not self._running.locked():
            self.wake()

    def close(self) -> None:
        self._closed.set()

    def _run(self) -> None:
        with self._running:
            while self._again.is_set() and not self._closed.is_set() and self._memory.may_back_up:
                self._again.clear()
                try:
                    self._at_rest()
                except NotAtRest as error:
                    self._later(error.seconds)
                except (*AWS_ERRORS, OSError, ValueError) as error:
                    log.failure("edits_not_applied", error)
                    self._later(RETRY_SECONDS)

    def _later(self, seconds: float) -> None:
        self._again.set()
        self._closed.wait(seconds)

    def _at_rest(self) -> None:
        """Apply what waits while the agent is still, and have it saved as after a turn. Raises NotAtRest."""
        try:
            if self._waiting():
                with self._memory.still():
                    self._apply(self._waiting())
        finally:  # one edit that cannot be written does not keep the others from being saved
            if self._settled.applied or self._settled.refused:
                self._memory.turn_ended()

    def _waiting(self) -> list[Edit]:
        edits = self._edits.of(self._user_id).values()
        return [edit for edit in edits if edit.open and edit.id not in self._decided]

    def _apply(self, edits: list[Edit]) -> None:
        if not edits:
            return
        wanted = [{"name": edit.name, "text": edit.text, "bases": edit.bases} for edit in edits]
        workspace = self._memory.root / "workspace"
        command = self._user.python("bridge.memory.noting", str(workspace))
        done = self._user.run(command, json.dumps(wanted).encode())
        if done.returncode != 0:
            raise OSError("the edits could not be written")
        verdicts: list[str] = json.loads(done.stdout)
        for edit, verdict in zip(edits, verdicts, strict=True):
            if verdict == FAILED:
                continue
            self._decided.add(edit.id)
            (self._settled.refused if verdict == CHANGED else self._settled.applied).append(edit)
        counts = {kind: verdicts.count(kind) for kind in (WRITTEN, SAME, CHANGED, FAILED)}
        log.event("edits_applied", **counts)
        self._tell_rows([edit for edit, verdict in zip(edits, verdicts, strict=True) if verdict in (WRITTEN, SAME)])
        if FAILED in verdicts:
            raise OSError("an edit could not be written")

    def _tell_rows(self, applied: list[Edit]) -> None:
        """From now on an edit cannot be dropped any more. If that fails, it is only dropped too late."""
        try:
            for edit in applied:
                self._edits.applied(self._user_id, edit)
        except AWS_ERRORS as error:
            log.failure("edits_not_marked", error)

    def kept(self) -> None:
        """A save has ended well: what was in the files before it is in the last snapshot."""
        settled, self._settled = self._settled, _Settled()
        if not settled.applied and not settled.refused:
            return
        try:
            for edit in settled.applied:
                self._edits.finish(self._user_id, edit)
            for edit in settled.refused:
                self._edits.conflict(self._user_id, edit)
        except AWS_ERRORS as error:
            log.failure("edits_not_finished", error)
            self._settled.applied += settled.applied  # with the next save: both are idempotent
            self._settled.refused += settled.refused
        self._tell(SAVED)

    def texts(self) -> dict[str, str]:
        """What the person wrote since the last save, by file."""
        return {edit.name: edit.text for edit in self._settled.applied}

"""What a person asks to be changed in the agent's files: done before OpenClaw starts, or at rest; finished once saved.

    a row of the person's  ->  the files  ->  a snapshot holds it  ->  the row goes, or says that it was refused

A container that is killed before the snapshot leaves the row. The next one restores files without the change and makes
it again, or files with it and sees that. So does this one after the agent went back or an import came.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from bridge.memory.memory import Memory
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.shared.rest import NotAtRest
from chalicelib.platform import log

# How often it is tried again when the rows cannot be read.
RETRY_SECONDS = 10.0


class Wanted(Protocol):
    """A row of the person's; a later one for the same file has another id."""

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Wanted)


@dataclass
class Settled(Generic[Row]):
    """In the files, or refused there, but not in a snapshot yet."""

    applied: list[Row] = field(default_factory=list)
    refused: list[Row] = field(default_factory=list)


class Applying(Generic[Row]):
    """Subclasses say which rows wait, how they are applied, and how a row ends."""

    what = "rows"

    def __init__(self, user_id: str, memory: Memory) -> None:
        self._user_id = user_id
        self._memory = memory
        self._user = memory.snapshots.archiver.user
        self._settled: Settled[Row] = Settled()
        self._decided: set[str] = set()  # never twice: the agent may change the file after it
        self._running = threading.Lock()
        self._again = threading.Event()
        self._closed = threading.Event()
        memory.on_restored = _both(memory.on_restored, self.restored)
        memory.on_kept = _both(memory.on_kept, self.kept)
        memory.on_replaced = _both(memory.on_replaced, self.replaced)

    def rows(self) -> Sequence[Row]:
        """Those that are to be in the files, decided or not."""
        raise NotImplementedError

    def apply(self, rows: Sequence[Row]) -> None:
        """Change the files; call `decide` for each row that needs no other try. Raises OSError for the rest."""
        raise NotImplementedError

    def end(self, row: Row, refused: bool) -> None:
        """Called after the snapshot, perhaps more than once. Without effect when it is another row by now."""
        raise NotImplementedError

    def after_kept(self) -> None:
        """Rows have ended: the person may be told."""

    def decide(self, row: Row, refused: bool) -> None:
        self._decided.add(row.id)
        (self._settled.refused if refused else self._settled.applied).append(row)

    def restored(self) -> None:
        """Before OpenClaw starts. What fails here is tried again at rest."""
        try:
            self._apply(self._waiting())
        except Exception as error:  # noqa: BLE001  nothing that waits is worth an agent that does not start
            log.failure(f"{self.what}_not_applied", error)

    def replaced(self) -> None:
        """Other files are there, without what no snapshot had: compare those rows with them."""
        settled, self._settled = self._settled, Settled()
        self._decided -= {row.id for row in (*settled.applied, *settled.refused)}
        self.wake()

    def wake(self) -> None:
        """Look for rows. Does not block."""
        self._again.set()
        threading.Thread(target=self._run, name=self.what, daemon=True).start()

    def poll(self) -> None:
        """Look for rows that nobody told of. Without effect while it looks already."""
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
                    log.failure(f"{self.what}_not_applied", error)
                    self._later(RETRY_SECONDS)

    def _later(self, seconds: float) -> None:
        self._again.set()
        self._closed.wait(seconds)

    def _at_rest(self) -> None:
        """Apply what waits while the agent is still, and have it saved as after a turn. Raises NotAtRest."""
        try:
            if self._waiting():
                self.before_rest(self._waiting())
                with self._memory.still():
                    self._apply(self._waiting())
        finally:  # one row that cannot be applied does not keep the others from being saved
            if self._settled.applied or self._settled.refused:
                self._memory.turn_ended()

    def before_rest(self, rows: Sequence[Row]) -> None:
        """What has to be done while OpenClaw still listens. It may be called again for the same rows."""

    def _waiting(self) -> list[Row]:
        return [row for row in self.rows() if row.id not in self._decided]

    def _apply(self, rows: list[Row]) -> None:
        if rows:
            self.apply(rows)

    def kept(self) -> None:
        """A save has ended well: what was in the files before it is in the last snapshot."""
        settled, self._settled = self._settled, Settled()
        if not settled.applied and not settled.refused:
            return
        try:
            for row in settled.applied:
                self.end(row, refused=False)
            for row in settled.refused:
                self.end(row, refused=True)
        except AWS_ERRORS as error:
            log.failure(f"{self.what}_not_finished", error)
            self._settled.applied += settled.applied  # with the next save: both are idempotent
            self._settled.refused += settled.refused
        self.after_kept()


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        first()
        second()

    return run

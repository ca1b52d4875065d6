"""The agent's memory across containers: restored before the first turn, saved after work.

After a failed restore this container makes no backup and runs no turn, unless the user chooses to start
empty. Until then, each message is answered with the problem and the possible commands.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from bridge.memory.manifest import Entries
from bridge.memory.points import STOP, TURN, UNRESTFUL, Snapshot
from bridge.memory.rest import Rest
from bridge.memory.snapshots import RestoreFailed, Snapshots
from bridge.memory.tidying import Tidying
from bridge.shared.rest import Fence, NotAtRest
from bridge.shared.user import AgentUser
from chalicelib.agents.tasks import LeaseLost
from chalicelib.platform import log

# Between two saves: OpenClaw may be asked to be still 30 times a minute.
BACKUP_SECONDS = 2.5
RETRY_SECONDS = 30.0
# An agent that is never at rest for so long is saved all the same.
RESTLESS_SECONDS = 600.0
# How often that is looked at while no turn ends.
LOOK_SECONDS = 30.0
# The last save is tried again while this task may still live (30 s from SIGTERM are asked of all of it).
CLOSE_TRIES, CLOSE_SECONDS, CLOSE_PAUSE = 3, 10.0, 1.0
# Runs something while OpenClaw is stopped, and starts it again.
Stopped = Callable[[Callable[[], None]], object]
RETRY, PREVIOUS, EMPTY = "/restore retry", "/restore previous", "/start empty"


class Memory:
    """`root` is the state directory; `held` raises LeaseLost if this task may no longer write."""

    def __init__(
        self,
        snapshots: Snapshots,
        root: Path,
        user: AgentUser,
        held: Callable[[], object],
        every: float = BACKUP_SECONDS,
        again: float = RETRY_SECONDS,
        clear: Callable[[], None] = lambda: None,
        fence: Fence = nullcontext,
    ) -> None:
        self._user = user
        self.snapshots = self._snapshots = snapshots
        self.root = self._root = root
        self._held = held
        self._every = every
        self._again = again
        self._clear = clear  # nothing may use the files that are about to be replaced
        self._rest = Rest(fence)
        self.turn = self._rest.turn
        self._tidying = Tidying(snapshots)
        self.restored_unrestful = False  # what was restored was saved while the agent worked
        self._due = 0.0  # not before, on the monotonic clock
        self._looked = 0.0  # when a turn was last saved in its middle
        self._look = LOOK_SECONDS
        self._back = 0
        self._lock = threading.Lock()
        self._turned = threading.Event()
        self._closed = threading.Event()
        self._failed = False  # the last save
        self.on_saved: Callable[[], None] = lambda: None
        # After each restore; and after each save that ended well, also when nothing had changed.
        self.on_restored: Callable[[], None] = lambda: None
        self.on_kept: Callable[[], None] = lambda: None
        # After other files took the place of the agent's: it went back, or an import came, or that failed.
        self.on_replaced: Callable[[], None] = lambda: None
        # With the files of the save before and of this one.
        self.on_changed: Callable[[Entries, Entries], None] = lambda before, after: None
        self.failure: str | None = None
        self.may_back_up = False

    def restore(self) -> bool:
        """Restore the memory; True if the agent may start."""
        begun = time.monotonic()
        try:
            if self._snapshots.pointer().snapshots:
                self._clear()
                self._user.remove(self._root)
            found = self._snapshots.restore(self._root, self._back)
        except (RestoreFailed, OSError) as error:
            self.failure = str(error) or type(error).__name__
            self.may_back_up = False
            log.event("restore_failed", reason=self.failure, back=self._back)
            return False
        self.failure, self.may_back_up = None, True
        if found is not None:
            self.restored_unrestful = found.unrestful
            seconds = round(time.monotonic() - begun, 2)
            log.event("restored", files=found.files, bytes=found.bytes, seconds=seconds, unrestful=found.unrestful)
            self.on_restored()
        return True

    def forgotten(self) -> list[tuple[int, int]]:
        """The times (since, until, in ms) that the person chose to forget by going back to a restore point."""
        try:
            return [(gap.since, gap.until) for gap in self._snapshots.pointer().gaps]
        except RestoreFailed as error:  # told a second time is better than never
            log.event("gaps_unread", reason=str(error))
            return []

    def answer(self, text: str) -> tuple[str, bool]:
        """The reply to a message while the memory is missing, and whether the agent may start now."""
        if text in (RETRY, PREVIOUS):
            if text == PREVIOUS and self._older():
                self._back += 1
            if self.restore():
                return "Your agent's memory is back. Please send your message again.", True
            return self._explanation(), False
        if text == EMPTY:
            self.failure = None  # may_back_up stays off: an empty memory never replaces the saved one
            return (
                "Your agent starts with an empty memory. Nothing of this session is saved; "
                "the next start tries to restore your memory again."
            ), True
        return self._explanation(), False

    def _explanation(self) -> str:
        return (
            f"Your agent's memory could not be restored ({self.failure}), so your message was not given to it. "
            f"Nothing saved was changed.{self._older()}\n\n"
            f"- `{RETRY}` tries once more\n- `{PREVIOUS}` goes back to the snapshot before it\n"
            f"- `{EMPTY}` goes on without memory, and without saving"
        )

    def _older(self) -> str:
        try:
            older = self._snapshots.pointer().snapshots[self._back + 1 :]
        except RestoreFailed:
            return ""
        return f" The snapshot before it is of {_when(older[0])}." if older else ""

    def start(self) -> None:
        threading.Thread(target=self._work, name="backups", daemon=True).start()

    def turn_ended(self) -> None:
        """After a turn: save as soon as the agent is at rest."""
        self._turned.set()

    def _work(self) -> None:
        while not self._closed.is_set():
            if not self._turned.wait(self._look):
                self._save_restless()
                continue
            if self._closed.wait(max(self._due - time.monotonic(), 0)):
                return
            self._turned.clear()
            self._save_at_rest()

    def _save_restless(self) -> None:
        """A turn that goes on for long is saved in the middle, now and then."""
        if self._rest.restless() > RESTLESS_SECONDS and time.monotonic() - self._looked > RESTLESS_SECONDS:
            self._looked = time.monotonic()
            log.event("never_at_rest", what="turn")
            self.save(nullcontext, UNRESTFUL, unrestful=True)

    def _save_at_rest(self) -> None:
        """Try again and again until nothing runs, or for RESTLESS_SECONDS."""
        until = time.monotonic() + RESTLESS_SECONDS
        while not self._closed.is_set():
            try:
                self.save(self._rest.closed, TURN)
                return
            except NotAtRest as error:
                if time.monotonic() > until:
                    log.event("never_at_rest", what=error.what)
                    self.save(nullcontext, UNRESTFUL, unrestful=True)
                    return
                self._closed.wait(error.seconds)

    def save(self, fence: Fence = nullcontext, reason: str = TURN, unrestful: bool = False) -> bool:
        """Write a snapshot if something changed; False if nothing was written. Raises what the fence raises."""
        with self._lock:
            self._failed = False
            try:
                written = self.may_back_up and self._write(fence, reason, unrestful)
                if self.may_back_up:
                    self.on_kept()
                return written
            except NotAtRest:
                raise
            except LeaseLost:
                self.may_back_up = False
                log.event("backup_refused")
            except Exception as error:  # noqa: BLE001  it stops neither the agent nor an orderly end, and is repeated
                log.failure("backup_failed", error)
                self._failed = True
                self._due = time.monotonic() + self._again
                self._turned.set()
            return False

    def _write(self, fence: Fence, reason: str, unrestful: bool) -> bool:
        begun = time.monotonic()
        self._held()
        before = self._snapshots.known
        snapshot = self._snapshots.backup(self._root, fence, reason, unrestful)
        self._due = time.monotonic() + self._every
        if snapshot is None:
            return False
        seconds, still = round(time.monotonic() - begun, 2), round(self._snapshots.copier.still, 2)
        log.event("saved", files=snapshot.files, bytes=snapshot.written, skipped=snapshot.skipped, reason=reason,
                  seconds=seconds, still_seconds=still)  # fmt: skip
        if before.key:
            self.on_changed(before.entries, self._snapshots.known.entries)
        self.on_saved()
        if not self._closed.is_set():
            self._tidying.after_save()
        return True

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing runs, and no save is under way. Raises NotAtRest."""
        with self._lock, self._rest.closed():
            yield

    @contextmanager
    def kept(self) -> Iterator[None]:
        """All is saved, and nothing runs until the end. Raises LeaseLost, and NotAtRest also if the save failed."""
        with self.still():
            try:
                if self.may_back_up:
                    self._write(nullcontext, TURN, False)
                    self.on_kept()
            except LeaseLost:
                raise
            except Exception as error:  # noqa: BLE001  it is tried again, and the agent stays as it is
                log.failure("backup_failed", error)
                raise NotAtRest("save", RETRY_SECONDS) from None
            yield

    def replace(self, reason: str, put: Callable[[], None], stopped: Stopped) -> None:
        """Keep what is there as a restore point, and let `put` make another state directory.

        Raises NotAtRest while a turn runs. After any other error what was there is there again, or `failure` is set.
        """
        if not self.may_back_up:
            raise RestoreFailed("this session is not saved")
        with self._lock, self._rest.closed(fenced=False):
            stopped(lambda: self._replace(reason, put))

    def _replace(self, reason: str, put: Callable[[], None]) -> None:
        self._held()
        self._snapshots.keep(self._root, reason)
        self._user.remove(self._root)
        try:
            put()
        except BaseException:
            self._user.remove(self._root)
            self.restore()
            raise
        finally:
            self.on_replaced()

    def close(self) -> None:
        """The final save, after OpenClaw has exited."""
        self._closed.set()
        self._turned.set()
        begun = time.monotonic()
        for _ in range(CLOSE_TRIES):
            self.save(reason=STOP)
            if not self._failed or time.monotonic() - begun > CLOSE_SECONDS:
                return
            time.sleep(CLOSE_PAUSE)


def _when(snapshot: Snapshot) -> str:
    return datetime.fromtimestamp(snapshot.created_at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")

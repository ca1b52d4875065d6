"""Suspends a MicroVM that nobody has needed for a while, and goes on when it is resumed.

    quiet for long enough -> nothing is taken from the inbox, OpenClaw is fenced, all is saved
    -> the row says Suspended -> the function is asked -> hook `suspend` -> frozen
    -> hook `resume` -> is the row still ours? -> sockets, settings, inbox

Whatever comes in between ends it: a message, a refusal, or no answer. Everything is idempotent: after a thaw, several
threads notice it at the same time.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

from bridge.life.gate import Gate
from bridge.life.heartbeats import Heartbeats
from bridge.link import Link
from bridge.memory.memory import Memory
from bridge.outbox.way_out import WayOut
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.shared.rest import NotAtRest
from bridge.turns.worker import Turns
from chalicelib.agents.tasks import LeaseLost, Tasks
from chalicelib.platform import aws, log
from chalicelib.platform.clock import MINUTE, now_ms

# A message that was accepted for an agent that still ran is in the inbox by then.
SETTLE_SECONDS = 1.0
# Until the hook comes. OpenClaw opens its fence by itself after two minutes.
ASKED_SECONDS = 60.0
AGAIN_SECONDS = 10.0
# AWS ends a MicroVM after 8 h, running and suspended together. In its last half hour a quiet one hands over instead of
# being suspended; a suspended one is given up ten minutes before the end, and a busy one hands over five before it.
LIFE = 8 * 60 * MINUTE
QUIET_END, LEASE_END, LAST_END = LIFE - 30 * MINUTE, LIFE - 10 * MINUTE, LIFE - 5 * MINUTE
# The lease is looked at until AWS answers: the clock of a machine is wrong for a moment, and so are its signatures.
LOOK_SECONDS, LOOK_PAUSE = 20.0, 0.2


class Suspending:
    """`seconds`: how long nobody must have needed it. `stop` ends the task."""

    def __init__(
        self,
        identity: tuple[str, int],
        rows: tuple[Tasks, Gate],
        parts: tuple[Turns, Memory, WayOut, Heartbeats],
        link: Link,
        seconds: float,
        stop: threading.Event,
    ) -> None:
        self._user_id, self._generation = identity
        self._tasks, self._gate = rows
        self._turns, self._memory, self._out, self._heartbeats = parts
        self._link, self._seconds, self._stop = link, seconds, stop
        self._changing = threading.RLock()
        self._still: ExitStack | None = None  # open while it is ready to be frozen
        self._awake = threading.Event()
        self._born = 0
        self._needed = 0.0  # when it last was, on the monotonic clock
        self.on_awake: Callable[[], None] = lambda: None
        # The machine is about to be frozen; it goes on.
        self.on_freeze: Callable[[], None] = lambda: None
        self.on_thaw: Callable[[], None] = lambda: None

    def start(self, born: int) -> None:
        """`born`: when the machine was asked for, in ms."""
        self._born, self._needed = born, time.monotonic()
        threading.Thread(target=self._run, name="suspending", daemon=True).start()

    def _run(self) -> None:
        while not self._stop.wait(min(self._seconds / 4, 5.0)):
            age = now_ms() - self._born
            if not self._quiet():
                if age > LAST_END:
                    self._end(age)
            elif age > QUIET_END:
                self._end(age)
            else:
                self._sleep()

    def _end(self, age: int) -> None:
        log.event("life_over", age_ms=age)
        self._stop.set()

    def _quiet(self) -> bool:
        now = time.monotonic()
        if self._turns.running() or self._heartbeats.used() or not self._out.idle():
            self._needed = now
        return now - self._needed >= self._seconds

    def _sleep(self) -> None:
        if not self._prepare():
            self._needed = time.monotonic() - self._seconds + AGAIN_SECONDS
            return
        if not self._awake.wait(SETTLE_SECONDS) and not self._behind():
            log.event("suspend_asked", user=self._user_id, generation=self._generation)
            self._link.say({"action": "suspend"})
            self._awake.wait(ASKED_SECONDS)
        self.go_on()

    def _behind(self) -> bool:
        try:
            return self._gate.behind(self._user_id)
        except AWS_ERRORS as error:
            log.failure("inbox_unread", error)
            return True

    def _prepare(self) -> bool:
        """Nothing runs, all is saved, and the row says so. False: not now."""
        with self._changing:
            if self._still is not None:
                return True
            still = ExitStack()
            self._gate.close()
            still.callback(self._gate.open)
            self._heartbeats.pause(True)
            still.callback(self._heartbeats.pause, False)
            try:
                if self._turns.running():
                    raise NotAtRest("turn", AGAIN_SECONDS)
                still.enter_context(self._memory.kept())
                self._tasks.suspended(self._user_id, self._generation, self._born + LEASE_END)
            except (NotAtRest, LeaseLost, OSError, *AWS_ERRORS) as error:
                log.event("suspend_not_now", reason=type(error).__name__)
                if isinstance(error, AWS_ERRORS) and not self._ours():  # the row may say Suspended all the same
                    self._heartbeats.lose_for_good()
                still.close()
                self._turns.wake()
                return False
            self._awake.clear()
            self._still = still
            return True

    def may_freeze(self) -> bool:
        """Hook `suspend`: whether all is ready for it. If Lambda was asked by somebody else, it is made ready now."""
        ready = self._prepare()
        if ready:
            self.on_freeze()
        return ready

    def thawed(self) -> None:
        """Hook `resume`: its connections have ended without its knowledge."""
        aws.hang_up()
        self.go_on()
        if not self._stop.is_set():
            self._link.reopen()
            self.on_awake()

    def end(self) -> None:
        """The task hands over: nothing is held back any more, and nothing is looked at."""
        with self._changing:
            still, self._still = self._still, None
            if still is not None:
                still.close()
                self.on_thaw()
                self._awake.set()

    def go_on(self) -> None:
        """It is needed. Returns at once if it goes on already."""
        with self._changing:
            still, self._still = self._still, None
            if still is None:
                return
            if not self._ours():
                self._heartbeats.lose_for_good()
            self.on_thaw()  # its clock is right by now
            self._needed = time.monotonic()
            still.close()
            self._awake.set()
        if not self._stop.is_set():
            self._turns.wake()

    def _ours(self) -> bool:
        """Whether the row still is; it says Running then."""
        deadline = time.monotonic() + LOOK_SECONDS
        while time.monotonic() < deadline:
            try:
                self._tasks.resumed(self._user_id, self._generation)
                return True
            except LeaseLost:
                return False
            except AWS_ERRORS as error:
                log.failure("lease_unread", error)
                time.sleep(LOOK_PAUSE)
        return False

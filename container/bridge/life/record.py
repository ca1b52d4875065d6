"""Writes down how this start went and how it ended, for the person to see. A failure here harms nothing."""

import threading
from collections.abc import Callable

from chalicelib.agents.starts import ASKED, Begun, Starts
from chalicelib.agents.tasks import Status, Task, Tasks
from chalicelib.platform import log
from chalicelib.platform.clock import Clock, now_ms

WAIT_SECONDS = 2.0


class Record:
    """The row of one generation."""

    def __init__(self, user_id: str, generation: int, tasks: Tasks, clock: Clock = now_ms) -> None:
        self._user_id, self._generation = user_id, generation
        self._tasks, self._starts, self._clock = tasks, Starts(clock), clock
        self._suspends = self._slept = self._asleep = 0  # `_asleep`: since when, or 0
        self._pausing = threading.Lock()

    def begun(self, task: Task, begun: Begun) -> None:
        """Beside the first turn, which does not wait for it."""
        threading.Thread(target=self._try, args=(lambda: self._starts.begun(task, begun),), daemon=True).start()

    def failed(self, begun: Begun) -> None:
        """It never became ready."""

        def write() -> None:
            task = self._tasks.get(self._user_id)
            if task.generation == self._generation:  # the next start has taken the row meanwhile
                self._starts.begun(task, begun)

        self._try(write)

    def ended(self, end: str, restarts: int) -> None:
        """Call this before the row says that the container stops: ASKED if it says so already, else `end`.

        Nobody waits long for it: the turns and the memory come first.
        """

        def write() -> None:
            asked = self._tasks.get(self._user_id).status is Status.STOPPING
            self._starts.ended(self._user_id, self._generation, ASKED if asked else end, restarts)

        thread = threading.Thread(target=self._try, args=(write,), daemon=True)
        thread.start()
        thread.join(WAIT_SECONDS)

    def asleep(self) -> None:
        """Its machine is about to be frozen, and costs less from now on. Nobody waits long for it."""
        with self._pausing:
            if self._asleep:
                return
            self._suspends, self._asleep = self._suspends + 1, self._clock()
            me = self._user_id, self._generation, self._suspends
        thread = threading.Thread(target=self._try, args=(lambda: self._starts.asleep(*me),), daemon=True)
        thread.start()
        thread.join(WAIT_SECONDS)

    def awoke(self) -> None:
        """It goes on. If its clock is behind for a moment, the pause counts as shorter than it was, never as longer."""
        with self._pausing:
            if not self._asleep:
                return
            self._slept += max(self._clock() - self._asleep, 0)
            self._asleep = 0
            me = self._user_id, self._generation, self._suspends, self._slept
        threading.Thread(target=self._try, args=(lambda: self._starts.awoke(*me),), daemon=True).start()

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except Exception as error:  # noqa: BLE001  throttled or offline: nothing depends on it
            log.failure("start_unrecorded", error, user=self._user_id, generation=self._generation)

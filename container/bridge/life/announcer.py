"""Tells the task row, the tabs and the chat what the container does."""

import threading

from bridge.telegram.channel import Telegram
from bridge.turns.delivery import Delivery
from chalicelib.agents.tasks import LeaseLost, Task, Tasks
from chalicelib.lifecycle.dispatch import status_frame
from chalicelib.platform import log
from chalicelib.wire.protocol import Frame


class Announcer:
    """Speaks for one container. `stop` is set when its lease turns out to be lost."""

    def __init__(
        self, task: tuple[str, int, str], tasks: Tasks, delivery: Delivery, telegram: Telegram, stop: threading.Event
    ) -> None:
        self._user_id, self._generation, self._task_arn = task
        self._tasks = tasks
        self._delivery = delivery
        self._telegram = telegram
        self._stop = stop

    def phase(self, phase: str) -> threading.Thread:
        """Say how far the start is. It happens in the returned thread, beside the start itself."""
        thread = threading.Thread(target=self._phase, args=(phase,), name="announce", daemon=True)
        thread.start()
        return thread

    def _phase(self, phase: str) -> None:
        try:
            task = self._tasks.phase(self._user_id, self._generation, phase, self._task_arn)
        except LeaseLost:
            self._stop.set()
            return
        self._delivery.refresh()
        self.show(task)

    def show(self, task: Task) -> None:
        self._delivery.everyone(status_frame(task))
        self._telegram.show(task)

    def warn(self, notice: Frame) -> None:
        """Something the user should know on every channel."""
        self._delivery.everyone(notice)
        self._telegram.say(str(notice["message"]))

    def stopping(self) -> None:
        """Say that the container ends. A failure here must not cost the turn and the memory. Raises LeaseLost."""
        try:
            task = self._tasks.stopping(self._user_id, self._generation)
            self._delivery.refresh()  # a tab that was opened since the last turn is told too
            self.show(task)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001  throttled or offline
            log.failure("stopping_untold", error)

    def released(self) -> None:
        """Make the row Idle, and say so. Raises LeaseLost."""
        self.show(self._tasks.released(self._user_id, self._generation))

    def flush(self, seconds: float) -> None:
        """Wait until everything has been sent, on each channel at most that long."""
        self._delivery.flush(seconds)
        self._telegram.flush(seconds)

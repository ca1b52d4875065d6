"""Times the steps of something, for the log."""

import time

from chalicelib.agents.tasks import Task
from chalicelib.platform import metrics
from chalicelib.platform.clock import SECOND


class Steps:
    """How long each step of something took, for the log."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def done(self, step: str) -> None:
        now = time.monotonic()
        self.seconds[step] = round(now - self._since, 2)
        self._since = now


PROCESS_STARTED = time.monotonic()


def measure_start(task: Task, restore_seconds: float, gateway_seconds: float) -> None:
    """The metrics of a start that is over."""
    metrics.emit(
        StartupTotal=task.ready_at - task.started_at,
        StartupS3Restore=restore_seconds * SECOND,
        StartupGatewayWait=gateway_seconds * SECOND,
        StartupClientReady=(time.monotonic() - PROCESS_STARTED) * SECOND,
    )

"""Starts a container before it is needed; the first user who needs one claims it.

A prewarmed container has its own row, `prewarm#<minute>`, without user, workspace or history. A claim is
one transaction on that row and the user's row, so only one user can win. The container learns its user
after the claim.
"""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.agents.runtime import Runtime, StartFailed
from chalicelib.agents.tasks import PREWARM, AlreadyActive, Task
from chalicelib.platform import log, metrics
from chalicelib.platform.clock import MINUTE, Clock, now_ms


class PrewarmTasks(Protocol):
    def prewarmed(self) -> list[Task]: ...
    def begin_start(self, user_id: str, prewarm_until: int = 0) -> Task: ...
    def launched(self, user_id: str, generation: int, task_arn: str) -> Task: ...
    def released(self, user_id: str, generation: int) -> Task: ...


@dataclass(frozen=True)
class Prewarm:
    """The scheduled start; `minutes` is how long the container waits for a user."""

    tasks: PrewarmTasks
    containers: Runtime
    minutes: int
    clock: Clock = now_ms

    def tick(self) -> bool:
        """Start a container unless one already waits. The minute in the row id makes duplicate events harmless."""
        now = self.clock()
        waiting = [task for task in self.tasks.prewarmed() if task.live(now) and task.prewarm_user is None]
        if waiting:
            metrics.emit(PrewarmSkipped=1)
            return False
        try:
            task = self.tasks.begin_start(f"{PREWARM}{now // MINUTE}", now + self.minutes * MINUTE)
        except AlreadyActive:
            metrics.emit(PrewarmSkipped=1)
            return False
        return self._launch(task)

    def _launch(self, task: Task) -> bool:
        try:
            arn = self.containers.start(task.user_id, task.generation)
        except StartFailed as error:
            self.tasks.released(task.user_id, task.generation)
            log.event("prewarm_failed", code=error.code, reason=str(error))
            metrics.emit(StartFailed=1)
            return False
        self.tasks.launched(task.user_id, task.generation, arn)
        metrics.emit(PrewarmTriggered=1)
        return True

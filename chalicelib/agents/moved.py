"""A stage on MicroVMs may have tasks of ECS left from before: each engine is asked for its own, until there are none.

The other way round the functions have no right to MicroVMs any more: what is left of those is known by its row only
(Dispatch.dead), and ends when its row says so, or after eight hours.
"""

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.agents.runtime import Runtime, TaskGone, TaskInfo
from chalicelib.platform import log


@dataclass(frozen=True)
class Moved:
    """Starts on `machines`; `tasks` is ECS."""

    machines: Runtime
    tasks: Runtime

    def start(self, user_id: str, generation: int, spot_only: bool = False) -> str:
        return self.machines.start(user_id, generation, spot_only)

    def follow(self, user_id: str, generation: int) -> None:
        self.machines.follow(user_id, generation)

    def owns(self, task_arn: str) -> bool:
        return True

    def states(self, task_arns: list[str]) -> dict[str, bool]:
        """ECS is not asked when no row names one of its tasks."""
        ours, theirs = self._split(task_arns)
        return (self.machines.states(ours) if ours else {}) | (self.tasks.states(theirs) if theirs else {})

    def stop(self, task_arn: str, reason: str) -> None:
        self._of(task_arn).stop(task_arn, reason)

    def all(self) -> list[str]:
        """If ECS fails, its tasks are looked at in the next round."""
        found = self.machines.all()
        try:
            return found + self.tasks.all()
        except (ClientError, BotoCoreError) as error:
            log.failure("earlier_engine_unread", error)
            return found

    def describe(self, task_arns: list[str]) -> list[TaskInfo]:
        ours, theirs = self._split(task_arns)
        return self.machines.describe(ours) + (self.tasks.describe(theirs) if theirs else [])

    def suspend(self, task_arn: str) -> None:
        if self._of(task_arn) is self.tasks:
            raise TaskGone(task_arn)
        self.machines.suspend(task_arn)

    def resume(self, task_arn: str) -> None:
        if self._of(task_arn) is self.tasks:
            raise TaskGone(task_arn)
        self.machines.resume(task_arn)

    def _of(self, task_arn: str) -> Runtime:
        return self.machines if self.machines.owns(task_arn) else self.tasks

    def _split(self, task_arns: list[str]) -> tuple[list[str], list[str]]:
        ours = [name for name in task_arns if self.machines.owns(name)]
        return ours, [name for name in task_arns if not self.machines.owns(name)]

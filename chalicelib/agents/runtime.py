"""What the system asks of an engine that runs agents: ECS on Fargate (containers.py) or Lambda MicroVMs (microvms.py).

The id of a task is the engine's own: an ARN on ECS, a MicroVM's id there. It is stored in `taskArn` of the user's row.
"""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.platform.settings import ENGINES

FARGATE, MICROVM = ENGINES


class StartFailed(Exception):
    """No task was started; `code` is START_FAILED or CAPACITY."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Unsupported(Exception):
    """The engine cannot suspend a task: it runs or it is gone."""


class TaskGone(Exception):
    """There is nothing left to resume."""


@dataclass(frozen=True)
class TaskInfo:
    """What the engine knows about a task; created_at is in ms. A MicroVM's owner is known to its row only: None."""

    arn: str
    user_id: str | None
    generation: int
    created_at: int


class Runtime(Protocol):
    """One deployment's engine. A repeated `start` of one generation gives the same task."""

    def start(self, user_id: str, generation: int, spot_only: bool = False) -> str:
        """The task's id. Raises StartFailed."""
        ...

    def follow(self, user_id: str, generation: int) -> None:
        """Have the task looked at until its agent has a socket, where nothing else tells of its end."""
        ...

    def owns(self, task_arn: str) -> bool:
        """Whether it is a task of this engine: a stage may have had another one before."""
        ...

    def states(self, task_arns: list[str]) -> dict[str, bool]:
        """Whether each task is alive; a suspended one is. One that the engine does not know is left out."""
        ...

    def stop(self, task_arn: str, reason: str) -> None:
        """Let it save and hand over; no error if it is gone."""
        ...

    def all(self) -> list[str]:
        """Every task of this deployment that should run."""
        ...

    def describe(self, task_arns: list[str]) -> list[TaskInfo]:
        """Tasks that live; the others are left out."""
        ...

    def suspend(self, task_arn: str) -> None:
        """Keep its memory and stop its processors. Raises Unsupported, TaskGone."""
        ...

    def resume(self, task_arn: str) -> None:
        """Let it go on where it was; no error if it runs. Raises Unsupported, TaskGone."""
        ...

"""A task that is suspended between turns: a function does it at the agent's wish, and a message ends it.

    Running --Tasks.suspended--> Suspended --Tasks.resumed--> Running

The agent writes the row, then asks; the row is the truth. A machine that is frozen although its row says Running (a
message came in between) is resumed by whoever froze it. If that one dies, the short lease of Running runs out.
"""

import time
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.agents.runtime import Runtime, TaskGone
from chalicelib.agents.tasks import LeaseLost, Status, Task
from chalicelib.platform import log

# AWS is eventually consistent: a machine that has ended may be called running for a while.
LOOKS, LOOK_SECONDS = 7, 1.0
# A resumed agent has a new socket after half a second.
REACHES, REACH_SECONDS = 50, 0.1


class Rows(Protocol):
    def get(self, user_id: str) -> Task: ...
    def resumed(self, user_id: str, generation: int) -> Task: ...


class Starts(Protocol):
    """What is needed of Dispatch."""

    @property
    def tasks(self) -> Any: ...
    @property
    def containers(self) -> Runtime: ...
    @property
    def inbox(self) -> Any: ...
    def ensure_running(self, user_id: str, seen: Task | None = None) -> Task: ...
    def dead(self, task: Task, states: dict[str, bool]) -> bool: ...
    def lost(self, task: Task) -> None: ...


def wake_up(rows: Rows, engine: Runtime, task: Task) -> Task:
    """Resume a suspended task. Raises TaskGone. If AWS fails, the lease runs out and another one starts."""
    try:
        now = rows.resumed(task.user_id, task.generation)
    except LeaseLost:  # somebody else was faster, or it is another one by now
        return rows.get(task.user_id)
    try:
        engine.resume(str(task.task_arn))
    except (ClientError, BotoCoreError) as error:
        log.failure("resume_failed", error, user=task.user_id, task=task.task_arn)
    else:
        log.event("resumed", user=task.user_id, generation=task.generation)
        engine.follow(task.user_id, task.generation)
    return now


def reached(starts: Starts, task: Task, pause: float = REACH_SECONDS) -> Task:
    """The same task, with a socket again if it was suspended: for what is not in its inbox. Raises StartFailed."""
    if task.status is not Status.SUSPENDED:
        return task
    awake = starts.ensure_running(task.user_id)
    for _ in range(REACHES):
        if awake.agent_connection_id is not None or awake.status is not Status.RUNNING:
            break
        time.sleep(pause)
        awake = starts.tasks.get(task.user_id)
    return awake


def suspend(starts: Starts, user_id: str, generation: int) -> str:
    """The agent asks for it: what was done. Refused unless its row says so: a message may have come meanwhile."""
    task = starts.tasks.get(user_id)
    if task.generation != generation or task.status is not Status.SUSPENDED or task.task_arn is None:
        return "refused"
    try:
        starts.containers.suspend(task.task_arn)
    except TaskGone:
        starts.lost(task)
        return "gone"
    log.event("suspended", user=user_id, generation=generation)
    after = starts.tasks.get(user_id)
    if after.generation != generation:
        return "superseded"
    if after.status is Status.RUNNING:
        starts.containers.resume(task.task_arn)
        return "resumed"
    if after.status is Status.SUSPENDED and starts.inbox.waiting(user_id, limit=1):
        starts.ensure_running(user_id)
        return "resumed"
    return "suspended"


def gone(starts: Starts, user_id: str, generation: int, pause: float = LOOK_SECONDS, looks: int = LOOKS) -> bool:
    """The agent has no socket: whether its task is over. ECS tells us of that; nobody tells of a MicroVM."""
    for _ in range(looks):
        task = starts.tasks.get(user_id)
        if task.generation != generation or task.status is Status.SUSPENDED or task.agent_connection_id is not None:
            return False
        if task.status is Status.IDLE:
            return True
        if task.task_arn is not None and starts.dead(task, starts.containers.states([task.task_arn])):
            starts.lost(task)
            return True
        time.sleep(pause)
    return False

"""The agent's state as a client sees it."""

from chalicelib.agents.task import Status, Task
from chalicelib.platform.clock import Clock, now_ms
from chalicelib.wire.protocol import Frame


def status_frame(task: Task, clock: Clock = now_ms) -> Frame:
    """The agent's state for a client; etaSeconds is the remaining time, estimated from the user's last start."""
    status = Status.RUNNING if task.status is Status.SUSPENDED else task.status  # it answers within a second
    frame: Frame = {"type": "status", "status": str(status)}
    if task.status is Status.STARTING:
        frame["phase"] = task.phase or "starting"
        frame["startedAt"] = task.started_at
        if task.start_ms:
            frame["etaSeconds"] = max(round((task.started_at + task.start_ms - clock()) / 1000), 1)
    if status is Status.RUNNING:
        frame["phase"] = "ready"
    if task.active_runs:
        frame["activeRuns"] = list(task.active_runs)
    return frame

"""Fargate on this machine: each ECS task is a process of the real entry point, killed for real."""

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.ecs.models import ecs_backends

from local.cloud.bridges import Starter, end
from local.cloud.persist import ACCOUNT
from local.processes import kill_below, kill_group

# What ECS gives a container between SIGTERM and SIGKILL (the task definition's stopTimeout).
STOP_SECONDS = 30
EVENT_SECONDS = 5
# Until Fargate has a machine and the image: about 30 s in AWS, nothing here unless asked for.
START_SECONDS = float(os.environ.get("TASK_START_SECONDS", "0"))
Json = dict[str, Any]


@dataclass
class Running:
    arn: str
    process: "subprocess.Popen[bytes]"
    home: Path
    reason: str = ""
    watch: threading.Thread | None = None


class Runner:
    """Starts, watches and stops the processes; `emit` gets ECS's state-change events."""

    def __init__(self, folder: Path, region: str, emit: Callable[[Json], None]) -> None:
        self._folder = folder
        self._region = region
        self._emit = emit
        self._running: dict[str, Running] = {}
        self._jobs: queue.Queue[Callable[[], None]] = queue.Queue()
        self._closing = False
        self.metadata_url = ""
        self.exits: dict[str, int] = {}
        self._starter = Starter("ecs")
        threading.Thread(target=self._work, name="ecs-start", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._jobs.get()()

    def task(self, arn: str) -> Any:
        """moto's record of a task."""
        for tasks in ecs_backends[ACCOUNT][self._region].tasks.values():
            if arn in tasks:
                return tasks[arn]
        return None

    def started(self, arn: str) -> None:
        """RunTask made a task: run it."""
        later = threading.Timer(START_SECONDS, lambda: self._jobs.put(lambda: self._start(arn)))
        later.daemon = True
        later.start()

    def log_of(self, arn: str) -> Path:
        """The file of what a task's process writes."""
        return (self._folder / arn.rsplit("/", 1)[-1]).with_suffix(".log")

    def _start(self, arn: str) -> None:
        if self._closing:
            return  # the next run finds the row and the waiting message
        task = self.task(arn)
        if task.desired_status == "STOPPED":
            return self._report(arn, None, task.stopped_reason)  # while it was provisioned
        definition = ecs_backends[ACCOUNT][self._region].describe_task_definition(task.task_definition_arn)
        container = definition.container_definitions[0]
        home = self._folder / arn.rsplit("/", 1)[-1]
        process = self._starter.start(home, self._environment(task, container, arn))
        running = Running(arn, process, home)
        self._running[arn] = running
        running.watch = threading.Thread(target=self._watch, args=(running,), name="ecs-watch", daemon=True)
        running.watch.start()

    def _environment(self, task: Any, container: Json, arn: str) -> dict[str, str]:
        environment = {entry["name"]: entry["value"] for entry in container.get("environment", [])}
        for override in (task.overrides or {}).get("containerOverrides", []):
            environment |= {entry["name"]: entry["value"] for entry in override.get("environment", [])}
        return environment | {"ECS_CONTAINER_METADATA_URI_V4": f"{self.metadata_url}/{arn.rsplit('/', 1)[-1]}"}

    def _watch(self, running: Running) -> None:
        code = running.process.wait()
        self.exits[running.arn] = code
        end(running.process, running.home)
        self._running.pop(running.arn, None)
        self._report(running.arn, code, running.reason or "Essential container in task exited")

    def _report(self, arn: str, code: int | None, reason: str) -> None:
        """The end of a task: for DescribeTasks, and as EventBridge's event."""
        task = self.task(arn)
        task.status = task.last_status = task.desired_status = "STOPPED"
        task.stopped_reason = reason
        detail = {
            "taskArn": arn,
            "lastStatus": "STOPPED",
            "overrides": task.overrides,
            "startedBy": task.started_by,
            "stoppedReason": task.stopped_reason,
            "containers": [{"name": "agent", "exitCode": code}],
        }
        self._emit({"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": detail})

    def stopped(self, arn: str, reason: str) -> None:
        """StopTask was called: SIGTERM now, SIGKILL after STOP_SECONDS."""
        running, task = self._running.get(arn), self.task(arn)
        if running is None:
            task.desired_status, task.stopped_reason = "STOPPED", reason
            return
        task.status = task.last_status = "STOPPING"
        running.reason = reason
        running.process.send_signal(signal.SIGTERM)
        threading.Thread(target=self._kill_later, args=(running,), name="ecs-stop", daemon=True).start()

    @staticmethod
    def _kill_later(running: Running) -> None:
        try:
            running.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.process.kill()

    def pids(self) -> dict[str, int]:
        """Process id of each running task, for tests that kill them."""
        return {arn: running.process.pid for arn, running in self._running.items()}

    def stop_all(self, seconds: float) -> None:
        """SIGTERM to every task, and SIGKILL to the remaining ones after that time. No other task starts."""
        self._closing = True
        tasks = list(self._running.values())
        for running in tasks:
            running.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        for running in tasks:
            try:
                running.process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                running.process.kill()
                running.process.wait()
            kill_group(running.process.pid)
            kill_below(running.home)
            if running.watch is not None:
                running.watch.join(EVENT_SECONDS)  # the end has been reported

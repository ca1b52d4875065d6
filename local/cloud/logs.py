"""The log driver of a task's container: what a process writes gets into the log group of its task definition."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.ecs.models import ecs_backends
from moto.logs.models import logs_backends

from local.cloud.ecs import Runner
from local.cloud.persist import ACCOUNT

SECONDS = 0.5
# Moto holds it in memory, and all that is read of it are the last lines.
MOST_BYTES = 2_000_000


@dataclass
class _Followed:
    path: Path
    group: str
    stream: str
    offset: int = 0


class Follower:
    """Reads the files of running tasks, twice a second. A line has the time at which it was read."""

    def __init__(self, runner: Runner, region: str) -> None:
        self._runner, self._region = runner, region
        self._known: dict[str, _Followed] = {}

    def keep_following(self, stop: threading.Event) -> None:
        while not stop.wait(SECONDS):
            self.look()

    def look(self) -> None:
        running = set(self._runner.pids())
        for arn in running - set(self._known):
            if (found := self._follow(arn)) is not None:
                self._known[arn] = found
        for arn, task in list(self._known.items()):
            self._read(task)
            if arn not in running:  # it had ended before this look, so all was read
                del self._known[arn]

    def _follow(self, arn: str) -> _Followed | None:
        task = self._runner.task(arn)
        if task is None:
            return None
        definition = ecs_backends[ACCOUNT][self._region].describe_task_definition(task.task_definition_arn)
        (container,) = definition.container_definitions
        options = container["logConfiguration"]["options"]
        stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{arn.rsplit('/', 1)[-1]}"
        logs = logs_backends[ACCOUNT][self._region]
        if options["awslogs-group"] not in logs.groups:
            logs.create_log_group(options["awslogs-group"], {})
        logs.create_log_stream(options["awslogs-group"], stream)
        return _Followed(self._runner.log_of(arn), options["awslogs-group"], stream)

    def _read(self, task: _Followed) -> None:
        with open(task.path, "rb") as file:
            file.seek(task.offset)
            whole, newline, _ = file.read(MOST_BYTES).rpartition(b"\n")
        if not newline:
            return
        task.offset += len(whole) + 1
        at = int(time.time() * 1000)
        lines = [line for line in whole.decode(errors="replace").split("\n") if line]
        events: list[dict[str, Any]] = [{"timestamp": at, "message": line} for line in lines]
        if events:
            logs_backends[ACCOUNT][self._region].put_log_events(task.group, task.stream, events)

"""A container before it has a user: OpenClaw runs on an empty workspace and waits to be claimed.

That serves a new user at once. For a memory it has to start anew: a second process has loaded all that it needs.
"""

import threading
from dataclasses import replace
from typing import Any

from bridge.config import Config
from bridge.link import Link
from bridge.openclaw.process import NotReady, OpenClaw
from chalicelib.agents.tasks import PREWARM, LeaseLost, Status, Task, Tasks
from chalicelib.platform import log
from chalicelib.wire.tickets import Tickets

HEARTBEAT_SECONDS = 30


def is_prewarmed(config: Config) -> bool:
    return config.user_id.startswith(PREWARM)


class Waiting:
    """Holds the row of a prewarmed container until a user claims it or it is told to stop."""

    def __init__(self, config: Config, stop: threading.Event, openclaw: OpenClaw) -> None:
        self._config = config
        self._stop = stop
        self._openclaw = openclaw
        self._tasks = Tasks()
        self._wake = threading.Event()
        self._link = Link(config.websocket_url, config.user_id, config.generation, Tickets(), self._handle)

    def wait(self) -> Config | None:
        """The configuration of the user who claimed us; None when nobody did. Raises LeaseLost."""
        config = self._config
        self._tasks.phase(config.user_id, config.generation, "booting", config.task_arn)
        self._link.start()
        try:
            self._openclaw.start()
            self._tasks.running(config.user_id, config.generation, config.task_arn)
            self._openclaw.load()
            claimed = self._until_claimed()
        except NotReady as error:
            log.event("openclaw_not_ready", reason=str(error))
            claimed = None
        finally:
            self._link.stop()
            self._tasks.released(config.user_id, config.generation)
        if claimed is None or claimed.prewarm_user is None:
            return None
        log.event("claimed", user=claimed.prewarm_user, generation=claimed.prewarm_generation)
        return replace(config, user_id=claimed.prewarm_user, generation=claimed.prewarm_generation)

    def _until_claimed(self) -> Task | None:
        """A lost frame costs one heartbeat: each of them reads the row."""
        while not self._stop.is_set():
            task = self._beat()
            if task is not None and task.prewarm_user is not None:
                return task
            if task is not None and task.status is Status.STOPPING:
                return None
            self._wake.wait(HEARTBEAT_SECONDS)
            self._wake.clear()
        return None

    def _beat(self) -> Task | None:
        """The row as it is now; None when it could not be had: the lease outlasts three beats. Raises LeaseLost."""
        try:
            return self._tasks.heartbeat(self._config.user_id, self._config.generation)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001  throttled or offline
            log.failure("heartbeat_failed", error)
            return None

    def _handle(self, frame: dict[str, Any]) -> None:
        if frame.get("type") in ("claimed", "agentReady"):
            self._wake.set()
        elif frame.get("type") == "leaseLost":
            self._stop.set()
            self._wake.set()

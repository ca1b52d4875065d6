"""Renews the lease and the claims, and restarts an OpenClaw that died."""

import itertools
import threading
from collections.abc import Callable

from bridge.memory.memory import Memory
from bridge.openclaw.process import NotReady, OpenClaw
from bridge.outbox.way_out import WayOut
from bridge.turns.worker import Turns
from chalicelib.agents.tasks import LeaseLost, Status, Tasks
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.platform import log
from chalicelib.platform.clock import SECOND

HEARTBEAT_SECONDS = 30
BUSY_FOR = 100 * SECOND
# Edits of memory files are told; a look at their rows now and then is for a frame that was lost.
EDITS_EVERY = 3


def each_beat(asked: Callable[[], None], *seldom: Callable[[], None]) -> Callable[[], None]:
    """What is done at each beat, and at every third one."""
    beats = itertools.count(1)

    def beat() -> None:
        asked()
        if next(beats) % EDITS_EVERY == 0:
            for work in seldom:
                work()

    return beat


class Heartbeats:
    """Beats until `stop` is set. Only a lost lease on the task row ends the task at once."""

    def __init__(
        self,
        identity: tuple[str, int],
        rows: tuple[Tasks, Inbox],
        parts: tuple[OpenClaw, Memory, Turns, WayOut],
        stop: threading.Event,
    ) -> None:
        self._user_id, self._generation = identity
        self._tasks, self._inbox = rows
        self._openclaw, self._memory, self._turns, self._out = parts
        self._stop = stop
        self.also: Callable[[], None] = lambda: None  # at each beat
        self.used: Callable[[], bool] = lambda: False  # whether a person works in the Control UI
        self._beating = threading.Lock()
        self._paused = False  # a machine that is ready to be frozen renews nothing
        self._gone = False
        self.over = False  # nothing is left to do in a container to which nobody wrote

    def run(self) -> None:
        while not self._stop.wait(self._out.pause(HEARTBEAT_SECONDS)) and not self._turns.lost.is_set():
            with self._beating:
                if self._paused:
                    continue
                self.beat()
            self.also()
            if not self.used() and self._out.finished():
                self.over = True
                self._stop.set()
            # Without its memory, OpenClaw would start on an empty one.
            if not self._openclaw.alive() and not self._turns.running() and self._memory.failure is None:
                self._revive()

    def beat(self) -> None:
        messages = self._turns.running()
        try:
            used = self.used()
            busy = BUSY_FOR if self._out.working(messages) or used else 0
            # OpenClaw's heartbeat must end, but it is nobody's use: else one every half hour keeps the agent awake.
            active = used or bool(messages) or not self._out.beating()
            task = self._tasks.heartbeat(self._user_id, self._generation, busy, active)
            self._out.early(task.early_until)
            if task.status is Status.STOPPING:
                self._stop.set()  # ECS's signal may still come, or it was lost
        except LeaseLost:
            self.lose()
            return
        except Exception as error:  # noqa: BLE001  throttled or offline: the lease outlasts three beats
            log.failure("heartbeat_failed", error)
        for message in messages:
            self._keep_claim(message)

    def lose(self) -> None:
        """Another container works for this user now: nothing may be written any more."""
        log.event("lease_lost", user=self._user_id, generation=self._generation)
        self._turns.lost.set()
        self._stop.set()

    def pause(self, paused: bool) -> None:
        """No beat is under way once this returns."""
        with self._beating:
            self._paused = paused

    def lose_for_good(self) -> None:
        """After a suspension: all was saved before it, and the row is not ours any more."""
        self._gone = True
        self.lose()

    def still_ours(self) -> bool:
        """A claim is also refused when the row says Stopping. Without a newer generation we must save the memory."""
        return not self._gone and self._tasks.get(self._user_id).generation == self._generation

    def _keep_claim(self, message: Message) -> None:
        try:
            self._inbox.renew(self._user_id, message.id, self._generation)
        except LeaseLost:
            # Only the lease on the task row counts. Here the turn has ended since we looked.
            log.event("claim_ended", message_id=message.id)
        except Exception as error:  # noqa: BLE001  throttled or offline: the claim outlasts three beats
            log.failure("heartbeat_failed", error)

    def _revive(self) -> None:
        try:
            self._openclaw.reconnect()
        except NotReady as error:
            log.event("openclaw_not_ready", reason=str(error))
            self._stop.set()

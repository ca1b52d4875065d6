"""The life of one task: restore, start OpenClaw, work, save and hand over."""

import threading
import time
from collections.abc import Callable
from typing import Any

from bridge.config import Config
from bridge.life.gate import Gate
from bridge.life.parts import Parts, assemble
from bridge.life.record import Record
from bridge.life.suspending import Suspending
from bridge.link import Link
from bridge.openclaw.process import NotReady, OpenClaw
from bridge.provider.budget import Budget
from bridge.provider.catalog import publish
from bridge.provider.servers import Servers
from bridge.server import Server
from bridge.turns.steps import Steps, measure_start
from chalicelib.agents.starts import ASKED, CLAIMED, COLD, CRASHED, DONE, EARLY, NO_MEMORY, NO_OPENCLAW, TOLD, Begun
from chalicelib.agents.tasks import LeaseLost, Task
from chalicelib.messages.inbox import Message, from_wire
from chalicelib.platform import log
from chalicelib.platform.clock import SECOND, now_ms
from chalicelib.wire.protocol import SendMessage
from chalicelib.wire.tickets import Tickets

# What can wait does so for the first words of a turn that runs already, for three seconds at most.
LOOK_SECONDS, SETTLE_LOOKS = 0.15, 20


class Agent:
    """Runs the parts of one task in their order. Signals, /shutdown and a lost lease set `stop`."""

    suspending: Suspending | None = None  # only in a MicroVM

    def __init__(
        self, config: Config, stop: threading.Event, openclaw: OpenClaw, budget: Budget, servers: Servers
    ) -> None:
        self._config = config
        self._servers = servers
        servers.serve(config.user_id)
        self._stop = stop
        self._openclaw = openclaw
        self._parts = assemble(config, stop, openclaw, budget)
        self._record = Record(config.user_id, config.generation, self._parts.tasks)
        self._claimed = openclaw.alive()  # a prewarmed container's
        self._asked = False  # to sleep, by the person
        self._ready = False
        self._settling = threading.Thread(target=self._settle, name="settle", daemon=True)
        self._link = Link(config.websocket_url, config.user_id, config.generation, Tickets(), self._handle)
        self.suspending = self._suspending(self._parts)
        where = config.http_host, config.http_port
        self._server = Server(where, config.http_token, self.status, self._put, stop.set)
        turns, out = self._parts.turns, self._parts.out
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "wake": self._wake,
            "agentReady": lambda _: self._reachable(),
            "answer": self._parts.asked.look,
            "allowed": self._parts.asked.revoked,
            "conversation": lambda frame: self._parts.own_models.forget(str(frame["conversationId"])),
            "reaction": lambda _: self._parts.reactions.noticed(),
            "resume": turns.resume,
            "settings": self._follow_settings,
            "automations": lambda _: out.follow(),
            "stop": lambda frame: turns.abort(frame.get("runId"), frame.get("conversationId")),
            "steer": lambda frame: turns.steer(str(frame["conversationId"]), frame.get("id")),
            "sleep": self._sleep,
            "console": self._parts.consoles.handle,
            "request": self._parts.requested.handle,
            "mcp": lambda _: self._follow_servers(),
            "memory": lambda _: self._parts.chores.wake(),
            "edits": lambda _: self._parts.edits.wake(),
            "skills": lambda _: self._parts.skills.wake(),
            "leaseLost": lambda _: self._parts.heartbeats.lose(),
        }

    def _suspending(self, parts: Parts) -> Suspending | None:
        config, inbox = self._config, parts.inbox
        if not isinstance(inbox, Gate):
            return None
        me, works = (config.user_id, config.generation), (parts.turns, parts.memory, parts.out, parts.heartbeats)
        found = Suspending(me, (parts.tasks, inbox), works, self._link, config.suspend_seconds, self._stop)
        found.on_awake = lambda: self._follow_settings({})
        found.on_freeze, found.on_thaw = self._record.asleep, self._record.awoke
        return found

    def run(self) -> int:
        """0 after an orderly end, 1 when OpenClaw could not be started."""
        threading.Thread(target=self._server.serve_forever, name="http", daemon=True).start()
        try:
            return self._live()
        except LeaseLost:
            log.event("not_our_turn", user=self._config.user_id, generation=self._config.generation)
            return 0
        finally:
            self._openclaw.stop()
            self._link.stop()
            self._server.shutdown()

    def _live(self) -> int:
        restored, seconds = self._restore()
        task = self._start(restored, seconds)
        if task is None:
            return self._leave_early()
        self._work(task)
        self._parts.heartbeats.run()
        if not self._parts.turns.lost.is_set() or self._parts.heartbeats.still_ours():
            self._hand_over()
        return 0

    def _restore(self) -> tuple[bool, float]:
        """Bring the memory back: whether that worked, and its seconds."""
        announcing = self._parts.announcer.phase("restoring")
        reading = threading.Thread(target=self._servers.refresh, name="servers", daemon=True)
        reading.start()
        self._link.start()
        self._config.agent.own(self._config.home)
        self._parts.choices.refresh()
        self._parts.reactions.noticed()  # the first turn tells of them
        begun = time.monotonic()
        self._parts.chores.before_restore()
        restored = self._parts.memory.restore()
        seconds = time.monotonic() - begun
        announcing.join()
        reading.join()
        return restored, seconds

    def _start(self, restored: bool, restore_seconds: float) -> Task | None:
        """Start OpenClaw unless a prewarmed one runs already. None when it did not start, or is not wanted now."""
        begun = time.monotonic()
        announcing = self._parts.announcer.phase("booting")
        try:
            if restored and not self._openclaw.alive():
                self._openclaw.start()
        except NotReady as error:
            log.event("openclaw_not_ready", reason=str(error))
            if not self._stop.is_set():
                spent = _ms(restore_seconds), _ms(time.monotonic() - begun)
                self._record.failed(Begun(self._kind(), *spent, NO_OPENCLAW))
            return None
        finally:
            announcing.join()
            self._openclaw.unload()
        if self._stop.is_set():
            return None
        self._openclaw.not_wanted = lambda: False  # from here on a turn may need it to its end
        task = self._parts.tasks.running(self._config.user_id, self._config.generation, self._config.task_arn)
        gateway_seconds = time.monotonic() - begun
        measure_start(task, restore_seconds, gateway_seconds)
        failure = "" if restored else NO_MEMORY
        self._record.begun(task, Begun(self._kind(task), _ms(restore_seconds), _ms(gateway_seconds), failure))
        return task

    def _kind(self, task: Task | None = None) -> str:
        return CLAIMED if self._claimed else EARLY if task is not None and task.early_until else COLD

    def _end(self) -> str:
        """Why this container ends, if nobody asked for it."""
        if self._asked or self._parts.heartbeats.over:
            return ASKED if self._asked else DONE
        return TOLD if self._openclaw.alive() or self._parts.memory.failure is not None else CRASHED

    def _leave_early(self) -> int:
        """Free the row of a container that never became ready. It is no failed start if it was told to stop."""
        if self._stop.is_set():
            self._record.ended(ASKED if self._asked else TOLD, 0)
        self._parts.announcer.released()
        if not self._stop.is_set():
            return 1
        self._parts.tasks.forgive(self._config.user_id, self._config.generation)
        return 0

    def _work(self, task: Task) -> None:
        parts = self._parts
        self._ready = True
        parts.out.early(task.early_until)
        parts.memory.start()
        parts.turns.start()
        parts.turns.wake()
        parts.announcer.show(task)
        parts.telegram.recover()
        parts.asked.start(self._openclaw.gateway)
        self._settling.start()
        if self.suspending is not None:
            self.suspending.start(self._config.born)
        parts.user_settings.follow()  # a prewarmed OpenClaw was started for nobody yet

    def _settle(self) -> None:
        """What else a start does comes behind the first words to whoever waits for them.

        OpenClaw has one thread, and the container may have one CPU or less.
        """
        parts = self._parts
        for _ in range(SETTLE_LOOKS):
            if self._stop.wait(LOOK_SECONDS) or not parts.turns.unheard():
                break
        parts.out.start()
        if self._stop.is_set():
            return  # the rest is for the next container
        parts.asked.settle()
        parts.chores.wake()
        parts.edits.wake()
        parts.skills.start()
        publish(self._config.routes, self._config.model)

    def _hand_over(self) -> None:
        """SIGTERM or /shutdown: no new claims, the turns end or go back, the memory is saved, the row is Idle."""
        clock = Steps()
        if self.suspending is not None:
            self.suspending.end()
        self._record.ended(self._end(), self._openclaw.restarts)
        self._parts.announcer.stopping()
        clock.done("told")
        self._parts.asked.close(5)
        clock.done("questions")
        self._parts.turns.stop(self._config.turn_grace_seconds)
        clock.done("turn")
        self._settling.join()
        self._parts.out.close(5)
        self._parts.edits.close()
        self._parts.skills.close()
        clock.done("outbox")
        self._parts.consoles.close()
        self._openclaw.stop()
        clock.done("openclaw")
        self._parts.memory.close()
        clock.done("memory")
        self._parts.announcer.released()
        self._parts.announcer.flush(2)
        clock.done("released")
        log.event("handed_over", **clock.seconds)

    def _handle(self, frame: dict[str, Any]) -> None:
        """A frame from the gateway. A frame of a newer version is ignored."""
        if handle := self._handlers.get(str(frame.get("type"))):
            handle(frame)

    def _reachable(self) -> None:
        """Frames come from now on; what came before may have been missed."""
        self._parts.own_models.forget()
        self._parts.turns.wake()
        self._parts.edits.wake()
        self._parts.skills.wake()
        self._follow_servers()
        self._parts.asked.look()

    def _wake(self, frame: dict[str, Any]) -> None:
        if self.suspending is not None:
            self.suspending.go_on()
        body = frame.get("message")
        self._parts.turns.wake(from_wire(self._config.user_id, body) if body else None)

    def _sleep(self, _: dict[str, Any]) -> None:
        self._asked = True
        self._parts.out.sleep()

    def _follow_settings(self, _: dict[str, Any]) -> None:
        self._parts.choices.refresh()
        self._parts.user_settings.follow()
        self._parts.out.follow()  # the hours of the heartbeat decide when to wake

    def _follow_servers(self) -> None:
        self._servers.refresh()
        self._parts.user_settings.follow()

    def _put(self, sent: SendMessage) -> bool:
        message = Message(self._config.user_id, sent.id, sent.text, sent.conversation_id, now_ms(), "bridge")
        new = self._parts.inbox.put(message)
        self._parts.turns.wake()
        return new

    def status(self) -> dict[str, Any]:
        gateway = self._openclaw.gateway
        return {
            "ready": self._ready and gateway is not None and not gateway.closed.is_set(),
            "busy": bool(self._parts.turns.running()),
            "generation": self._config.generation,
            "openclaw": gateway.version if gateway is not None else None,
        }


def _ms(seconds: float) -> int:
    return round(seconds * SECOND)

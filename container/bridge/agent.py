"""The life of one task: register, start OpenClaw, work, hand everything back, go."""

import threading
import time
from collections.abc import Callable
from typing import Any

from bridge.config import Config
from bridge.link import Link
from bridge.memory.errands import Chores
from bridge.memory.memory import Memory
from bridge.memory.snapshots import Snapshots
from bridge.openclaw.process import NotReady, OpenClaw
from bridge.openclaw.suspension import suspended
from bridge.outbox.way_out import WayOut
from bridge.provider.budget import Budget
from bridge.provider.catalog import publish
from bridge.provider.routes import small_model
from bridge.server import Server
from bridge.telegram.channel import Telegram
from bridge.turns.budgeted import Budgeted
from bridge.turns.choices import Choices
from bridge.turns.claims import Identity
from bridge.turns.commanded import Commanded
from bridge.turns.delivery import Delivery
from bridge.turns.guarded import Guarded
from bridge.turns.remembering import remembering
from bridge.turns.steps import Steps, measure_start
from bridge.turns.time_zone import TimeZone
from bridge.turns.titles import Titled, Titles
from bridge.turns.worker import Turns
from chalicelib.agents.tasks import LeaseLost, Status, Task, Tasks
from chalicelib.lifecycle.dispatch import status_frame
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Inbox, Message, from_wire
from chalicelib.platform import log
from chalicelib.platform.clock import SECOND, now_ms
from chalicelib.wire.connections import Connections
from chalicelib.wire.protocol import Frame, SendMessage
from chalicelib.wire.tickets import Tickets

HEARTBEAT_SECONDS = 30
BUSY_FOR = 100 * SECOND


class Agent:
    """Owns all parts of the Bridge; `stop` is set by signals, /shutdown and a lost lease."""

    def __init__(self, config: Config, stop: threading.Event, openclaw: OpenClaw, budget: Budget) -> None:
        self._config = config
        self._stop = stop
        self._tasks = Tasks()
        self._inbox = Inbox()
        self._delivery = Delivery(config.user_id, Connections())
        self._openclaw = openclaw
        self._choices = Choices(config.user_id)
        me = Identity(config.user_id, config.generation)
        self._telegram = Telegram(config.user_id, config.telegram_token, config.telegram_url)
        self._time_zone = TimeZone(self._choices, openclaw, self._telegram)
        snapshots = Snapshots(config.data_bucket, config.user_id, config.generation, config.agent)
        kept = config.state_dir, config.agent, self._renew, config.backup_seconds
        self._memory = Memory(snapshots, *kept, clear=openclaw.stop, fence=lambda: suspended(openclaw))
        self._answerer = remembering(config, openclaw, self._inbox, self._choices.model, self._memory)
        self._chores = Chores(config.user_id, self._memory, openclaw.replace_files, self._delivery.everyone)
        budget.serve(config.user_id, lambda: self._choices.current, self._warn)
        budgeted = Budgeted(self._answerer, budget)
        gates = Guarded(Commanded(Titled(budgeted, self._titles())), self._memory, openclaw)
        self._turns = Turns(me, self._inbox, Conversations(), self._delivery, gates, self._telegram, self._turn_ended)
        self._turns.expect = budgeted.expect
        self._turns.on_lost = stop.set
        self._turns.expires_at(self._choices.expires_at)
        self._out = self._way_out()
        self._link = Link(config.websocket_url, config.user_id, config.generation, Tickets(), self._handle)
        where = config.http_host, config.http_port
        self._server = Server(where, config.http_token, self.status, self._put, self._stop.set)
        self._ready = False
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "wake": self._wake,
            "agentReady": lambda _: self._turns.wake(),
            "resume": self._turns.resume,
            "settings": self._follow_settings,
            "automations": lambda _: self._out.follow(),
            "stop": lambda frame: self._turns.abort(frame.get("runId"), frame.get("conversationId")),
            "steer": lambda frame: self._turns.steer(str(frame["conversationId"]), frame.get("id")),
            "memory": lambda _: self._chores.wake(),
            "leaseLost": self._lease_lost,
        }

    def _titles(self) -> Titles:
        small = small_model(self._config.routes, self._config.model)
        show = self._delivery.everyone
        return Titles(small, Conversations(), lambda: self._openclaw.gateway, show, self._choices.auto_title)

    def _way_out(self) -> WayOut:
        me, shown = (self._config.user_id, self._config.generation), (self._delivery, self._telegram)
        out = WayOut(*me, self._openclaw, *shown, self._choices.expires_at, self._config.rest_seconds)
        out.on_work = self._memory.turn_ended
        return out

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
        announcing = self._announce("restoring")
        self._link.start()
        self._config.agent.own(self._config.home)
        self._choices.refresh()
        begun = time.monotonic()
        self._chores.before_restore()
        remembered = self._memory.restore()
        restored = time.monotonic()
        announcing.join()
        announcing = self._announce("booting")
        try:
            if remembered and not self._openclaw.alive():  # a prewarmed one runs already
                self._openclaw.start()
        except NotReady as error:
            log.event("openclaw_not_ready", reason=str(error))
            announcing.join()
            return self._leave_early(1)
        announcing.join()
        if self._stop.is_set():
            return self._leave_early(0)
        self._openclaw.not_wanted = lambda: False  # from here on a turn may need it to its end
        task = self._tasks.running(self._config.user_id, self._config.generation, self._config.task_arn)
        measure_start(task, restored - begun, time.monotonic() - restored)
        self._ready = True
        self._memory.start()
        self._turns.start()
        self._turns.wake()
        self._show(task)
        self._telegram.recover()
        self._out.start()
        self._chores.wake()
        threading.Thread(target=publish, args=(self._config.routes,), name="models", daemon=True).start()
        self._time_zone.follow()  # a prewarmed OpenClaw was started for nobody yet
        self._heartbeats()
        if not self._turns.lost.is_set() or self._still_ours():
            self._hand_over()
        return 0

    def _leave_early(self, status: int) -> int:
        """Never became ready: the row is free again. Told to stop meanwhile, that was no failed start."""
        self._release()
        if self._stop.is_set():
            self._tasks.forgive(self._config.user_id, self._config.generation)
        return 0 if self._stop.is_set() else status

    def _still_ours(self) -> bool:
        """A claim is refused too when the row says Stopping: without a newer generation there is a memory to save."""
        return self._tasks.get(self._config.user_id).generation == self._config.generation

    def _announce(self, phase: str) -> threading.Thread:
        """Tell state and tabs how far we are, beside the work itself."""
        thread = threading.Thread(target=self._tell, args=(phase,), name="announce", daemon=True)
        thread.start()
        return thread

    def _turn_ended(self) -> None:
        self._out.turn()
        self._memory.turn_ended()
        threading.Thread(target=self._choices.used, name="activity", daemon=True).start()

    def _tell(self, phase: str) -> None:
        """A lost lease stops the task."""
        try:
            task = self._tasks.phase(self._config.user_id, self._config.generation, phase, self._config.task_arn)
        except LeaseLost:
            self._stop.set()
            return
        self._delivery.refresh()
        self._show(task)

    def _warn(self, notice: Frame) -> None:
        """Something the user should know, wherever they are."""
        self._delivery.everyone(notice)
        self._telegram.say(str(notice["message"]))

    def _show(self, task: Task) -> None:
        self._delivery.everyone(status_frame(task))
        self._telegram.show(task)

    def _heartbeats(self) -> None:
        while not self._stop.wait(self._out.pause(HEARTBEAT_SECONDS)) and not self._turns.lost.is_set():
            self._beat()
            if self._out.finished():
                self._stop.set()
            if not self._openclaw.alive() and not self._turns.running() and self._memory.failure is None:
                self._revive()

    def _renew(self) -> Task:
        return self._tasks.heartbeat(self._config.user_id, self._config.generation)

    def _beat(self) -> None:
        config, messages = self._config, self._turns.running()
        try:
            busy = BUSY_FOR if self._out.working(bool(messages)) else 0
            if self._tasks.heartbeat(config.user_id, config.generation, busy).status is Status.STOPPING:
                self._stop.set()  # ECS's signal may be on its way, or lost
        except LeaseLost:
            log.event("lease_lost", user=config.user_id, generation=config.generation)
            self._turns.lost.set()
            self._stop.set()
            return
        except Exception as error:  # noqa: BLE001  throttled or offline: the lease outlasts three beats
            log.failure("heartbeat_failed", error)
        for message in messages:
            self._keep_claim(message)

    def _keep_claim(self, message: Message) -> None:
        try:
            self._inbox.renew(self._config.user_id, message.id, self._config.generation)
        except LeaseLost:
            # The lease on the task says whose turn it is. Here the turn has ended since we looked.
            log.event("claim_ended", message_id=message.id)
        except Exception as error:  # noqa: BLE001  as above
            log.failure("heartbeat_failed", error)

    def _revive(self) -> None:
        try:
            self._openclaw.reconnect()
        except NotReady as error:
            log.event("openclaw_not_ready", reason=str(error))
            self._stop.set()

    def _hand_over(self) -> None:
        """SIGTERM or /shutdown: no new claims, the turn ends or goes back, the row becomes Idle."""
        clock = Steps()
        self._tell_stopping()
        clock.done("told")
        self._turns.stop(self._config.turn_grace_seconds)
        clock.done("turn")
        self._out.close(5)
        clock.done("outbox")
        self._openclaw.stop()
        clock.done("openclaw")
        self._memory.close()
        clock.done("memory")
        self._release()
        self._delivery.flush(2)
        self._telegram.flush(2)
        clock.done("released")
        log.event("handed_over", **clock.seconds)

    def _tell_stopping(self) -> None:
        """What fails here must not cost the turn and the memory. Raises LeaseLost."""
        try:
            task = self._tasks.stopping(self._config.user_id, self._config.generation)
            self._delivery.refresh()  # a tab that was opened since the last turn is told too
            self._show(task)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001  throttled or offline
            log.failure("stopping_untold", error)

    def _release(self) -> None:
        self._show(self._tasks.released(self._config.user_id, self._config.generation))

    def _handle(self, frame: dict[str, Any]) -> None:
        """A frame from the gateway; one that this version does not know is none of our business."""
        if handle := self._handlers.get(str(frame.get("type"))):
            handle(frame)

    def _wake(self, frame: dict[str, Any]) -> None:
        body = frame.get("message")
        self._turns.wake(from_wire(self._config.user_id, body) if body else None)

    def _follow_settings(self, _: dict[str, Any]) -> None:
        self._choices.refresh()
        self._time_zone.follow()

    def _lease_lost(self, _: dict[str, Any]) -> None:
        self._turns.lost.set()
        self._stop.set()

    def _put(self, sent: SendMessage) -> bool:
        message = Message(self._config.user_id, sent.id, sent.text, sent.conversation_id, now_ms(), "bridge")
        new = self._inbox.put(message)
        self._turns.wake()
        return new

    def status(self) -> dict[str, Any]:
        gateway = self._openclaw.gateway
        return {
            "ready": self._ready and gateway is not None and not gateway.closed.is_set(),
            "busy": bool(self._turns.running()),
            "generation": self._config.generation,
            "openclaw": gateway.version if gateway is not None else None,
        }

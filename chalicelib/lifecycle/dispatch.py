"""The one path of a message: into the inbox, then wake the agent or start one.

    accept:  inbox.put || tasks.get || rate  ->  wake            (warm: two round trips)
                                             ->  start           (no task)
                                             ->  nothing         (starting: it drains when ready)

A wake may be lost and a start may fail: the message is already in the inbox, the agent drains it
when it becomes ready, on each wake and every 30 s, and `ensure_running` runs again whenever a
task stops and on every watchdog tick.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.agents.runtime import Runtime, StartFailed, TaskGone
from chalicelib.agents.tasks import AlreadyActive, LeaseLost, NotClaimed, Status, Task
from chalicelib.lifecycle.first_words import wanted
from chalicelib.lifecycle.refusals import refusal
from chalicelib.lifecycle.services import (
    ConnectionService,
    ConversationService,
    FirstWordsService,
    InboxService,
    PostService,
    RateService,
    TaskService,
)
from chalicelib.lifecycle.shown import status_frame as status_frame
from chalicelib.lifecycle.suspending import wake_up
from chalicelib.lifecycle.texts import GIVEN_UP_TEXT, START_FAILED_TEXT
from chalicelib.messages.inbox import Message
from chalicelib.platform import log, metrics
from chalicelib.platform.clock import SECOND, Clock, now_ms
from chalicelib.platform.parallel import both, each
from chalicelib.wire.connections import Connection, Gone
from chalicelib.wire.protocol import Frame, ProtocolError, encode, error_frame

# A wake includes the message if both fit one WebSocket frame.
WAKE_LIMIT = 24_000
# After this many containers in a row died before they were ready, the waiting messages are given up.
MAX_FAILED_STARTS = 4
# How long ECS's DescribeTasks may not know a task that RunTask has named (it is eventually consistent).
UNKNOWN_FOR = 60 * SECOND


@dataclass(frozen=True)
class Accepted:
    """The result of accepting a message; the sender gets the state of `task`."""

    task: Task
    duplicate: bool
    error: ProtocolError | None = None
    started: bool = False  # whether a task was started for it


@dataclass(frozen=True)
class Dispatch:
    """Accepts messages and ensures that a task runs while messages wait."""

    inbox: InboxService
    tasks: TaskService
    containers: Runtime
    connections: ConnectionService
    conversations: ConversationService
    post: PostService
    rate: RateService
    clock: Clock = now_ms
    tell_chat: Callable[[Message, str], None] = lambda message, text: None
    # Asks for a first answer while the agent wakes up; None: the deployment has none.
    first_words: FirstWordsService | None = None
    claim_prewarmed: bool = False  # only a deployment with prewarming needs the extra read

    def accept(self, message: Message, alongside: Callable[[], Any] | None = None) -> Accepted:
        """Accept a message and ensure that it will be answered.

        `alongside` (the ack) runs in parallel with the wake. Raises ProtocolError RATE_LIMITED, FORBIDDEN.
        """
        (new, task), limited = both(
            lambda: both(lambda: self.inbox.put(message), lambda: self.tasks.get(message.user_id)),
            lambda: self.rate.exceeded(message.user_id),
        )
        if (refused := refusal(task, limited)) and new and self.inbox.take_back(message.user_id, message.id):
            raise ProtocolError(*refused, message.id)
        outcome: list[Accepted] = []
        calls: list[Callable[[], Any]] = [lambda: outcome.append(self._deliver(message, task, not new))]
        if alongside is not None:
            calls.append(alongside)
        if new:
            calls.append(lambda: self.conversations.save_question(message))
            named = message.user_id, message.conversation_id, message.text
            calls.append(lambda: self.conversations.touch(*named, title=message.cause))
        errors = each(calls)
        for error in errors[1:]:
            if error is not None:  # the message is stored; the answer will also write it to the history
                log.failure("accept_alongside_failed", error, message_id=message.id)
        if errors[0] is not None:
            raise errors[0]
        return outcome[0]

    def _deliver(self, message: Message, task: Task, duplicate: bool) -> Accepted:
        if task.wakeable(self.clock()) and self._wake(task, message):
            return Accepted(task, duplicate)
        try:
            now, started = self._start_for(message, task, duplicate)
            return Accepted(now, duplicate, started=started)
        except StartFailed as error:
            log.event("start_failed", user=message.user_id, code=error.code, reason=str(error))
            return Accepted(task, duplicate, ProtocolError(error.code, START_FAILED_TEXT[error.code], message.id))

    def _start_for(self, message: Message, task: Task, duplicate: bool) -> tuple[Task, bool]:
        """Start the agent, and ask for first words meanwhile if the person would have to wait for it."""
        asking = self.first_words
        if asking is None or duplicate or not wanted(message, task, self.clock()):
            return self._ensure(message.user_id, task)
        if asking.alone(message, task):
            return task, False
        return both(lambda: self._ensure(message.user_id, task), lambda: asking.ask(message))[0]

    def _wake(self, task: Task, message: Message) -> bool:
        """Tell the agent that a message waits; False if its socket is closed."""
        frame: Frame = {"type": "wake", "message": message.wire()}
        if len(encode(frame)) > WAKE_LIMIT:
            del frame["message"]
        try:
            self.post.to(str(task.agent_connection_id), str(task.agent_endpoint), frame)
        except Gone:
            self.tasks.agent_gone(task.user_id, task.generation, str(task.agent_connection_id))
            return False
        except (ClientError, BotoCoreError) as error:  # the wake is lost, but the agent polls its inbox
            log.failure("wake_failed", error, message_id=message.id)
        return True

    def forward(self, task: Task, frame: Frame) -> bool:
        """Forward a tab's request (stop, resume) to the agent; False if no agent is connected."""
        if not task.wakeable(self.clock()):
            return False
        try:
            self.post.to(str(task.agent_connection_id), str(task.agent_endpoint), frame)
        except Gone:
            return False
        except (ClientError, BotoCoreError) as error:  # what it tells of is stored: nobody's request fails for it
            log.failure("forward_failed", error, frame=frame["type"])
            return False
        return True

    def ensure_running(self, user_id: str, seen: Task | None = None) -> Task:
        """Start a task unless one is alive. Raises StartFailed; the message stays in the inbox."""
        return self._ensure(user_id, seen)[0]

    def _ensure(self, user_id: str, seen: Task | None) -> tuple[Task, bool]:
        """The task, and whether this call has started it."""
        before = seen if seen is not None and not seen.live(self.clock()) else self.tasks.get(user_id)
        if before.live(self.clock()) and before.status is Status.SUSPENDED:
            with contextlib.suppress(TaskGone):
                return self._resume(before), False
            self.lost(before)
        elif before.live(self.clock()):
            if before.task_arn is None or not self.dead(before, self.containers.states([before.task_arn])):
                return before, False
            self.lost(before)
        try:
            task = self.tasks.begin_start(user_id)
        except AlreadyActive:
            return self.tasks.get(user_id), False
        return self._launch(before, task), True

    def _resume(self, task: Task) -> Task:
        """Raises TaskGone. Its socket may still be open: then it was not frozen yet, and this frame is faster."""
        awake = wake_up(self.tasks, self.containers, task)
        self.forward(awake, {"type": "wake"})
        return awake

    def start_early(self, seen: Task, until: int, receipt: dict[str, Any]) -> Task:
        """Start a task to which nobody has written, on Spot only. Raises AlreadyActive, StartFailed."""
        return self._launch(seen, self.tasks.begin_start(seen.user_id, early=(until, receipt)))

    def dead(self, task: Task, states: dict[str, bool]) -> bool:
        """Whether a task's container is gone, according to its engine."""
        lives = states.get(str(task.task_arn))
        if lives is None and not self.containers.owns(str(task.task_arn)):
            # Of the engine that the stage had before: its lease tells of it. One that is suspended has saved,
            # and nobody can resume it. The task of a removed user is refused each write.
            return task.status in (Status.SUSPENDED, Status.REMOVED)
        # ECS may not know a task for some seconds after it has started it.
        return lives is False or (lives is None and self.clock() - task.started_at > UNKNOWN_FOR)

    def _launch(self, before: Task, task: Task) -> Task:
        if before.task_arn is not None and not before.live(self.clock()):
            self._stop_expired(before)
        if self.claim_prewarmed and task.early is None and self._claim(task):
            return self.tasks.get(task.user_id)
        try:
            arn = self.containers.start(task.user_id, task.generation, spot_only=task.early is not None)
        except StartFailed as error:
            if task.early is None or error.code != "CAPACITY":  # nobody waits for one that Spot has no room for
                metrics.emit(StartFailed=1)
            self.lost(task)
            with contextlib.suppress(LeaseLost):  # somebody else has begun the next start
                # It cost nothing, so it does not count and is retried on every tick.
                self.tasks.forgive(task.user_id, task.generation)
            raise
        try:
            return self.tasks.launched(task.user_id, task.generation, arn)
        except LeaseLost:  # a newer generation started while we waited for ECS: stop this task
            self.containers.stop(arn, "superseded")
            return self.tasks.get(task.user_id)

    def _claim(self, task: Task) -> bool:
        """Claim a prewarmed container if one waits. It learns of the claim by a frame or at its next heartbeat."""
        for waiting in self.tasks.prewarmed():
            if waiting.prewarm_user is not None or not waiting.wakeable(self.clock()):
                continue
            try:
                self.tasks.claim_prewarmed(waiting, task.user_id, task.generation)
            except NotClaimed:
                continue
            except LeaseLost:
                return True  # a newer start owns the row; this one has nothing left to do
            self.forward(waiting, {"type": "claimed"})
            return True
        return False

    def lost(self, task: Task) -> None:
        """Free the row of a task that is gone; no effect if a newer generation owns the row."""
        with contextlib.suppress(LeaseLost):
            self.tasks.released(task.user_id, task.generation)

    def _stop_expired(self, task: Task) -> None:
        """A task with an expired lease may still run: stop it. If this fails, the watchdog retries."""
        try:
            self.containers.stop(str(task.task_arn), "lease expired")
        except (ClientError, BotoCoreError) as error:
            log.failure("stop_failed", error, user=task.user_id, task=task.task_arn)

    def restart_if_waiting(self, user_id: str, patient: bool = False) -> Task | None:
        """After a task ended, start the next one if messages wait. Raises StartFailed.

        If a container dies before it is ready, it is restarted once immediately, then on watchdog ticks
        (`patient`). After that the messages are given up, because each start costs money.
        """
        if not self.inbox.waiting(user_id, limit=1):
            return None
        task = self.tasks.get(user_id)
        if not task.live(self.clock()):
            if task.failed_starts >= MAX_FAILED_STARTS:
                return self._give_up(task)
            if task.failed_starts > 1 and not patient:
                return None
        return self.ensure_running(user_id)

    def _give_up(self, task: Task) -> Task:
        """Give up all waiting messages because the agent does not start. A new message starts over."""
        metrics.emit(StartFailed=1)
        log.event("start_given_up", user=task.user_id, failed_starts=task.failed_starts)
        for message in self.inbox.waiting(task.user_id):
            if self.inbox.give_up(message, "START_FAILED"):
                metrics.emit(DeadLetter=1)
                self._tell_given_up(message)
        try:
            return self.tasks.forgive(task.user_id, task.generation)
        except LeaseLost:
            return self.tasks.get(task.user_id)

    def _tell_given_up(self, message: Message) -> None:
        """Tell the sender in every place: the open tabs, the history, and the chat of the message."""
        failure = {"code": "START_FAILED", "message": GIVEN_UP_TEXT}
        # Write the history first, because a tab reads it when it gets the frame.
        errors = each([lambda: self.conversations.save_failure(message, failure)])
        errors += each(
            [
                lambda: self.tell(message.user_id, error_frame("MESSAGE_DEAD", GIVEN_UP_TEXT, message.id)),
                lambda: self.tell_chat(message, GIVEN_UP_TEXT),
            ]
        )
        for error in errors:
            if error is not None:
                log.failure("tell_failed", error, message_id=message.id)

    def tell(self, user_id: str, frame: Frame, except_id: str | None = None) -> None:
        """Send a frame to all of the user's tabs in parallel; remove closed ones."""

        def send(tab: Connection) -> None:
            try:
                self.post.to(tab.id, tab.endpoint, frame)
            except Gone:
                self.connections.remove(tab.id)

        tabs = [tab for tab in self.connections.of_user(user_id) if tab.id != except_id]
        for error in each([lambda tab=tab: send(tab) for tab in tabs]):  # type: ignore[misc]
            if error is not None:
                log.failure("tell_failed", error, user=user_id)

"""Actions that a user can take by WebSocket and by REST."""

import contextlib

from chalicelib import wiring
from chalicelib.agents.anew import Anew
from chalicelib.agents.runtime import StartFailed
from chalicelib.agents.tasks import LeaseLost, Status, Task
from chalicelib.lifecycle.dispatch import status_frame
from chalicelib.lifecycle.refusals import NOT_STARTED_TEXT
from chalicelib.lifecycle.texts import START_FAILED_TEXT
from chalicelib.messages.attachments import keep
from chalicelib.messages.conversations import echo_frame
from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms
from chalicelib.wire.connections import Connection, Gone
from chalicelib.wire.protocol import Frame, ProtocolError, SendMessage


def reply(connection: Connection, frame: Frame) -> None:
    """Send a frame to one connection; remove the connection if it is closed."""
    try:
        wiring.dispatch().post.to(connection.id, connection.endpoint, frame)
    except Gone:
        wiring.connections().remove(connection.id)


def accept(user_id: str, sent: SendMessage, tab: Connection | None = None) -> tuple[Frame, Task]:
    """Accept a user's message; returns the ack for its sender and the agent's task."""
    dispatch = wiring.dispatch()
    queued = Message(user_id, sent.id, sent.text, sent.conversation_id, now_ms())
    queued = keep(queued, sent.attachments, wiring.settings())
    ack: Frame = {"type": "ack", "id": sent.id, "conversationId": sent.conversation_id}
    done = dispatch.accept(queued, (lambda: reply(tab, ack)) if tab is not None else None)
    if not done.duplicate:
        dispatch.tell(user_id, echo_frame(queued), except_id=tab.id if tab else None)  # the user's other tabs
    if done.task.status is not Status.RUNNING:
        dispatch.tell(user_id, status_frame(done.task))
    if done.error is not None:
        raise done.error
    return ack | ({"duplicate": True} if done.duplicate else {}), done.task


def stop_agent(user_id: str) -> Frame:
    """Stop the user's container at the user's own request: it finishes its turn, saves and exits.

    What works in the background is cut off, and not begun again.
    """
    return status_frame(_stop(wiring.dispatch().tasks.get(user_id), "stopped by the user"))


def _stop(task: Task, why: str) -> Task:
    dispatch = wiring.dispatch()
    arn, suspended = task.task_arn, task.status is Status.SUSPENDED
    if arn is not None and task.live(now_ms()):
        with contextlib.suppress(LeaseLost):  # it only starts, or stops already
            # The row first: the container finds there who stops it, whatever reaches it before: ECS or the frame.
            task = dispatch.tasks.put_to_sleep(task)
        dispatch.forward(task, {"type": "sleep"})
        dispatch.containers.stop(arn, why)
        if suspended:  # it saved before, and nobody is there to hand over
            dispatch.lost(task)
            task = dispatch.tasks.get(task.user_id)
    return task


def restart_agent(user_id: str) -> Frame:
    """Begin anew: a container that is there saves and ends, and the next one starts; a sleeping agent just starts.

    What waits is kept. The wish is stored first: the end of the container finds it (handlers.task_stopped).
    """
    dispatch = wiring.dispatch()
    task = dispatch.tasks.get(user_id)
    if task.task_arn is not None and task.live(now_ms()):
        Anew().ask(user_id, task.generation)
        _stop(task, "begun anew by the user")
    return _started(user_id)


def wake(user_id: str) -> Frame:
    """Start an agent that sleeps, with no message for it. One that is there goes on; one that ends starts again."""
    task = wiring.dispatch().tasks.get(user_id)
    if task.status is Status.STOPPING and task.live(now_ms()):
        Anew().ask(user_id, task.generation)
    return _started(user_id)


def _started(user_id: str) -> Frame:
    """A start that no message waits for."""
    dispatch = wiring.dispatch()
    try:
        frame = status_frame(dispatch.ensure_running(user_id))
        dispatch.tell(user_id, frame)
        return frame
    except StartFailed as error:
        log.event("start_failed", user=user_id, code=error.code, reason=str(error))
        raise ProtocolError(error.code, NOT_STARTED_TEXT) from None


def wake_for_errand(user_id: str) -> None:
    """Something is to be done with the memory: a running agent is told, a sleeping one is started."""
    dispatch = wiring.dispatch()
    task = dispatch.tasks.get(user_id)
    if not dispatch.forward(task, {"type": "memory"}):
        try:
            dispatch.ensure_running(user_id, task)
        except StartFailed as error:
            log.event("start_failed", user=user_id, code=error.code, reason=str(error))
            raise ProtocolError(error.code, START_FAILED_TEXT[error.code]) from None

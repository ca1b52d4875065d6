"""A person wanted a new container in the place of theirs: the next one starts when that has ended."""

from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.agents.runtime import StartFailed
from chalicelib.agents.tasks import Task
from chalicelib.lifecycle.dispatch import Dispatch, status_frame
from chalicelib.lifecycle.refusals import NOT_STARTED_TEXT
from chalicelib.platform import log, metrics
from chalicelib.platform.clock import Clock, now_ms


class Wishes(Protocol):
    def take(self, user_id: str, generation: int) -> bool: ...
    def overdue(self) -> list[tuple[str, int]]: ...


def begin_anew(dispatch: Dispatch, wishes: Wishes, user_id: str, generation: int) -> Task | None:
    """The container of that generation has ended. None: nobody wanted a new one, or it could not be started."""
    if not wishes.take(user_id, generation):
        return None
    try:
        return dispatch.ensure_running(user_id)
    except StartFailed as error:
        log.event("restart_failed", user=user_id, code=error.code)
        dispatch.tell(user_id, {"type": "notice", "code": error.code, "message": NOT_STARTED_TEXT})
        return None


def tick(dispatch: Dispatch, wishes: Wishes, clock: Clock = now_ms) -> int:
    """For the watchdog: containers that have ended without a word of ECS. How many are followed by another one now."""
    started = 0
    for user_id, generation in wishes.overdue():
        try:
            started += _look_at(dispatch, wishes, user_id, generation, clock())
        except (ClientError, BotoCoreError, PynamoDBException) as error:
            log.failure("restart_failed", error, user=user_id)
            metrics.emit(HandlerFailed=1)
    return started


def _look_at(dispatch: Dispatch, wishes: Wishes, user_id: str, generation: int, now: int) -> bool:
    task = dispatch.tasks.get(user_id)
    if task.generation > generation:
        wishes.take(user_id, generation)  # somebody has started it since
        return False
    if task.live(now):
        return False  # it has not ended yet
    begun = begin_anew(dispatch, wishes, user_id, generation)
    if begun is None:
        return False
    log.event("begun_anew_late", user=user_id, generation=begun.generation)
    dispatch.tell(user_id, status_frame(begun))
    return True

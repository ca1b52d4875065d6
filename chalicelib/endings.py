"""What follows the end of a task, whoever tells of it: ECS's event, or the socket of a MicroVM's agent."""

from chalicelib import wiring
from chalicelib.agents.anew import Anew
from chalicelib.agents.runtime import StartFailed
from chalicelib.lifecycle.anew import begin_anew
from chalicelib.lifecycle.dispatch import status_frame
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms


def ended(user_id: str, generation: int) -> None:
    """A task is over: start the next one if messages wait or an automation is due."""
    try:
        task = wiring.dispatch().restart_if_waiting(user_id)
    except StartFailed as error:
        log.event("restart_failed", user=user_id, code=error.code)  # the watchdog tries again
        return
    task = begin_anew(wiring.dispatch(), Anew(), user_id, generation) or task
    task = task or wiring.owed().bring_forward(wiring.dispatch().tasks.get(user_id))
    if task.wake_at and not task.live(now_ms()):
        wake_agent(user_id)
        task = wiring.dispatch().tasks.get(user_id)
    wiring.dispatch().tell(user_id, status_frame(task))


def wake_agent(user_id: str) -> None:
    """For its automations."""
    try:
        wiring.wake().fire(user_id)
    except StartFailed as error:
        log.event("wake_failed", user=user_id, code=error.code)  # the watchdog tries again

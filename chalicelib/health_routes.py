"""The REST routes of the agent's health: wake it, begin anew, and what its own container has logged."""

from typing import Any

from chalice import Blueprint, Response

from chalicelib import actions, wiring
from chalicelib.rest import PAGE, answer, signed_in

routes = Blueprint(__name__)


@routes.route("/restart-agent", methods=["POST"], cors=PAGE)
def restart_agent() -> Response:
    return signed_in(lambda user: answer(202, actions.restart_agent(user)))


@routes.route("/wake-agent", methods=["POST"], cors=PAGE)
def wake_agent() -> Response:
    return signed_in(lambda user: answer(202, actions.wake(user)))


@routes.route("/log", methods=["GET"], cors=PAGE)
def log_lines() -> Response:
    return signed_in(_lines)


def _lines(user_id: str) -> dict[str, Any]:
    """Of the container that runs, or ran last: the task is always that of the caller's own rows."""
    from chalicelib.agents.own_log import last_lines  # for the cold start: few instances need it
    from chalicelib.agents.starts import Starts

    task = wiring.dispatch().tasks.get(user_id)
    return {"lines": last_lines(task.task_arn or Starts().last_task(user_id))}

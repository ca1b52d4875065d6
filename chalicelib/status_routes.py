"""The REST routes of what Status explains: the last starts, and what the month was spent for."""

from typing import Any

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.rest import PAGE, signed_in

routes = Blueprint(__name__)


@routes.route("/starts", methods=["GET"], cors=PAGE)
def starts() -> Response:
    return signed_in(_starts)


def _starts(user_id: str) -> dict[str, Any]:
    from chalicelib.agents.starts import Starts  # for the cold start: few instances need it

    return {"starts": Starts().last(wiring.dispatch().tasks.get(user_id))}


@routes.route("/costs", methods=["GET"], cors=PAGE)
def costs() -> Response:
    return signed_in(_costs)


def _costs(user_id: str) -> dict[str, Any]:
    from chalicelib.lifecycle.costs import explained

    return explained(user_id)

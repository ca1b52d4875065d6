"""The REST route of the agent's last starts."""

from typing import Any

from chalice import Blueprint, Response

from chalicelib.rest import PAGE, signed_in

routes = Blueprint(__name__)


@routes.route("/starts", methods=["GET"], cors=PAGE)
def starts() -> Response:
    return signed_in(_last)


def _last(user_id: str) -> dict[str, Any]:
    from chalicelib.agents.starts import Starts  # for the cold start: few instances need it

    return {"starts": Starts().last(user_id)}

"""The REST routes of a person's MCP servers. A token that is sent here is never sent back."""

from typing import Any

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.platform import log
from chalicelib.rest import PAGE, answer, body, request, signed_in

routes = Blueprint(__name__)


def _servers() -> Any:
    from chalicelib.people.servers import McpServers  # for the cold start: few instances need it

    return McpServers(wiring.settings().need("PARAMETER_PATH"))


@routes.route("/mcp", methods=["GET", "POST"], cors=PAGE)
def servers() -> Response:
    if request().method == "GET":
        return signed_in(_listed)
    return signed_in(_add)


@routes.route("/mcp/{name}", methods=["DELETE"], cors=PAGE)
def server(name: str) -> Response:
    return signed_in(lambda user: _remove(user, name))


def _listed(user_id: str) -> dict[str, Any]:
    return {"servers": [server.public() for server in _servers().of(user_id)]}


def _add(user_id: str) -> Response:
    _servers().add(user_id, body())
    _tell(user_id)
    return answer(201, _listed(user_id))


def _remove(user_id: str, name: str) -> dict[str, Any]:
    _servers().remove(user_id, name)
    _tell(user_id)
    return _listed(user_id)


def _tell(user_id: str) -> None:
    try:
        dispatch = wiring.dispatch()
        dispatch.forward(dispatch.tasks.get(user_id), {"type": "mcp"})  # a sleeping agent finds it when it starts
    except Exception as error:  # noqa: BLE001  the server is stored; a running agent learns of it when it starts next
        log.failure("server_not_told", error)

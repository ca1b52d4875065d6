"""The REST routes of the agent's memory files: read, searched and edited, awake or asleep."""

from functools import cache
from typing import Any

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.platform import log
from chalicelib.rest import PAGE, answer, body, request, signed_in

routes = Blueprint(__name__)


@cache
def _notebooks(bucket: str) -> Any:
    from chalicelib.agents.notebook import Notebook  # for the cold start: few instances need it
    from chalicelib.agents.notes import Changes, Edits
    from chalicelib.agents.workspace import Workspace

    return Notebook(Workspace(bucket), Edits(), Changes())


def _notebook() -> Any:
    return _notebooks(wiring.settings().need("DATA_BUCKET"))


def _query() -> dict[str, Any]:
    return dict(routes.current_request.query_params or {})


@routes.route("/notes", methods=["GET"], cors=PAGE)
def notes() -> Response:
    """The list; with `q` the lines that hold it."""
    words = _query().get("q")
    if words is not None:
        return signed_in(lambda user: _notebook().search(user, words))
    return signed_in(lambda user: _notebook().listed(user))


@routes.route("/notes/one", methods=["GET", "PUT", "DELETE"], cors=PAGE)
def note() -> Response:
    """A file by its `name`: read it, keep an edit of it, drop the edit that waits."""
    return signed_in({"GET": _read, "PUT": _edit, "DELETE": _discard}[request().method])


def _read(user_id: str) -> dict[str, Any]:
    found: dict[str, Any] = _notebook().note(user_id, _query().get("name"))
    return found


def _edit(user_id: str) -> Response:
    from chalicelib.agents.notes import version_of

    edit = _notebook().edit(user_id, body())
    try:
        dispatch = wiring.dispatch()
        dispatch.forward(dispatch.tasks.get(user_id), {"type": "edits"})  # a sleeping agent finds it when it starts
    except Exception as error:  # noqa: BLE001  the edit is stored, and a running agent looks for it now and then
        log.failure("edit_not_told", error)
    return answer(202, edit.public() | {"version": version_of(edit.text)})


def _discard(user_id: str) -> Response:
    _notebook().discard(user_id, _query().get("name"), _query().get("id"))
    return answer(204, "")

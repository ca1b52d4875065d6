"""The REST routes of files: those that the agent gave in a conversation, and those of its workspace."""

from functools import cache
from typing import Any

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.rest import PAGE, signed_in

routes = Blueprint(__name__)


def _bucket() -> str:
    return wiring.settings().need("DATA_BUCKET")


@cache
def _workspaces(bucket: str) -> Any:
    from chalicelib.agents.workspace import Workspace  # for the cold start: few instances need it

    return Workspace(bucket)


def _workspace() -> Any:
    return _workspaces(_bucket())


@routes.route("/files/{file_id}", methods=["GET"], cors=PAGE)
def file(file_id: str) -> Response:
    """A signed address of the caller's own file."""
    from chalicelib.messages.files import Files

    return signed_in(lambda user: Files(_bucket()).link(user, file_id))


@routes.route("/workspace", methods=["GET"], cors=PAGE)
def workspace() -> Response:
    return signed_in(lambda user: _workspace().listed(user, None))


@routes.route("/workspace/{entry_id}", methods=["GET", "POST"], cors=PAGE)
def workspace_entry(entry_id: str) -> Response:
    """GET lists a folder. POST makes a file ready and returns its signed address."""
    if routes.current_request.method == "GET":
        return signed_in(lambda user: _workspace().listed(user, entry_id))
    return signed_in(lambda user: _ready(user, entry_id))


def _ready(user_id: str, entry_id: str) -> dict[str, Any]:
    from chalicelib.messages.files import Files

    files = Files(_bucket())
    content = _workspace().content(user_id, entry_id)
    return files.link(user_id, files.lend(user_id, content.name, content.key, content.body))

"""The REST routes of an agent's memory: restore points, export and import."""

from typing import Any

from chalice import Blueprint, Response

from chalicelib import actions, wiring
from chalicelib.rest import PAGE, answer, body, signed_in
from chalicelib.wire import protocol

routes = Blueprint(__name__)


def _memories() -> Any:
    from chalicelib.agents.memory import Memories  # for the cold start: few instances need it

    return Memories(wiring.settings())


@routes.route("/memory", methods=["GET"], cors=PAGE)
def memory() -> Response:
    return signed_in(_memory)


def _memory(user_id: str) -> dict[str, Any]:
    from chalicelib.agents.memory import Errands

    memories, errand = _memories(), Errands().get(user_id)
    link = memories.download(user_id, errand) if errand is not None else None
    last = errand.public() | ({"downloadUrl": link} if link else {}) if errand is not None else None
    return {"points": memories.points(user_id), "last": last}


@routes.route("/memory/restore", methods=["POST"], cors=PAGE)
def restore_memory() -> Response:
    return signed_in(lambda user: _errand(user, "restore", _memories().find(user, body().get("id"))))


@routes.route("/memory/export", methods=["POST"], cors=PAGE)
def export_memory() -> Response:
    return signed_in(lambda user: _errand(user, "export", ""))


@routes.route("/memory/upload", methods=["POST"], cors=PAGE)
def upload_memory() -> Response:
    return signed_in(lambda user: _memories().upload(user))


@routes.route("/memory/import", methods=["POST"], cors=PAGE)
def import_memory() -> Response:
    return signed_in(lambda user: _errand(user, "import", protocol.upload_id(body())))


def _errand(user_id: str, kind: str, subject: str) -> Response:
    """Ask it of the container: one that runs, or a new one."""
    from chalicelib.agents.memory import Errands

    errand = Errands().ask(user_id, kind, subject)
    actions.wake_for_errand(user_id)
    return answer(202, errand.public())

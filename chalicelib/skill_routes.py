"""The REST routes of an agent's skills: read, switched, uploaded and deleted, awake or asleep."""

from functools import cache
from typing import Any

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.people.rate import Rate
from chalicelib.platform import log
from chalicelib.rest import PAGE, answer, body, request, signed_in
from chalicelib.wire.protocol import ProtocolError

routes = Blueprint(__name__)
UPLOADS_PER_MINUTE = 10


@cache
def _kept(bucket: str) -> Any:
    from chalicelib.agents.skills import Skills  # for the cold start: few instances need it

    return Skills(bucket)


def _skills() -> Any:
    return _kept(wiring.settings().need("DATA_BUCKET"))


@routes.route("/skills", methods=["GET", "POST"], cors=PAGE)
def skills() -> Response:
    """GET lists them. POST takes a folder or a zip."""
    if request().method == "GET":
        return signed_in(lambda user: _skills().listed(user))
    return signed_in(_upload)


def _upload(user_id: str) -> Response:
    from chalicelib.agents.skill_files import from_wire

    if Rate(UPLOADS_PER_MINUTE, name="skills").exceeded(user_id):
        raise ProtocolError("RATE_LIMITED", "too many uploads in a short time, please wait a minute")
    wanted = body()
    wish = _skills().upload(user_id, from_wire(wanted), wanted.get("replace") is True)
    _tell(user_id)
    return answer(202, wish.public())


@routes.route("/skills/{name}", methods=["PUT", "DELETE"], cors=PAGE)
def skill(name: str) -> Response:
    """PUT switches a skill on or off, by its key. DELETE removes its folder."""
    return signed_in({"PUT": _switch, "DELETE": _delete}[request().method](name))


def _switch(name: str) -> Any:
    return lambda user: _done(user, _skills().switch(user, name, body().get("enabled")))


def _delete(name: str) -> Any:
    return lambda user: _done(user, _skills().delete(user, name))


def _done(user_id: str, _: object) -> Response:
    _tell(user_id)
    return answer(202, _skills().listed(user_id))


def _tell(user_id: str) -> None:
    try:
        dispatch = wiring.dispatch()
        dispatch.forward(dispatch.tasks.get(user_id), {"type": "skills"})  # a sleeping agent finds it when it starts
    except Exception as error:  # noqa: BLE001  the wish is stored, and a running agent looks for it now and then
        log.failure("wish_not_told", error)

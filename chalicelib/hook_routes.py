"""The REST routes of hooks: the owner's, and the address to which a program posts."""

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.platform import log, metrics
from chalicelib.rest import HTTP_STATUS, PAGE, answer, body, request, signed_in
from chalicelib.wire.protocol import ProtocolError

routes = Blueprint(__name__)


@routes.route("/hooks", methods=["GET", "POST"], cors=PAGE)
def hooks() -> Response:
    from chalicelib.people.hooks import Hooks

    if request().method == "GET":
        return signed_in(lambda user: {"hooks": [hook.public() for hook in Hooks().list(user)]})
    return signed_in(_new_hook)


def _new_hook(user_id: str) -> Response:
    """The only time that its token is shown."""
    from chalicelib.people.hooks import Hooks

    hook, token = Hooks().create(user_id, body())
    return answer(201, {"hook": hook.public(), "token": token})


@routes.route("/hooks/{hook}", methods=["POST", "DELETE"], cors=PAGE, content_types=["*/*"])
def hook(hook: str) -> Response:
    """DELETE revokes the caller's hook of that id. POST is for everybody who knows a hook's token."""
    if request().method == "DELETE":
        return signed_in(lambda user: _revoke_hook(user, hook))
    try:
        headers = {name.lower(): value for name, value in request().headers.items()}
        return answer(202, wiring.hook_posts().receive(hook, headers, request().raw_body))
    except ProtocolError as error:
        refused = answer(HTTP_STATUS.get(error.code, 400), {"code": error.code, "message": error.message})
        if (seconds := getattr(error, "seconds", None)) is not None:
            refused.headers["Retry-After"] = str(seconds)
        return refused
    except Exception as error:  # noqa: BLE001  the sender gets a code and tries again; the log has no path
        log.failure("hook_failed", error)
        metrics.emit(HandlerFailed=1)
        return answer(500, {"code": "INTERNAL", "message": "not accepted, post it again"})


def _revoke_hook(user_id: str, hook_id: str) -> Response:
    from chalicelib.people.hooks import Hooks

    Hooks().revoke(user_id, hook_id)
    return answer(204, "")

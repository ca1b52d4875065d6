"""The REST routes. The user is always the token's; no path or body names one."""

import os
from typing import Any

from chalice import Blueprint, CORSConfig, Response

from chalicelib import actions, wiring
from chalicelib.agents.removed import is_removed
from chalicelib.agents.runtime import StartFailed
from chalicelib.lifecycle import automations as jobs
from chalicelib.lifecycle.dispatch import status_frame
from chalicelib.lifecycle.texts import START_FAILED_TEXT
from chalicelib.messages import allowed
from chalicelib.messages.conversations import Change, Conversations
from chalicelib.messages.folders import folder_name
from chalicelib.people.early import summary as early_summary
from chalicelib.people.identity import Unauthorized, bearer
from chalicelib.people.linking import Linking
from chalicelib.people.preferences import Preferences, model_name
from chalicelib.people.spending import summary
from chalicelib.platform import log, metrics
from chalicelib.platform.parallel import both
from chalicelib.wire import protocol
from chalicelib.wire.protocol import ProtocolError
from chalicelib.wire.tickets import TICKET_LIFE, Ticket, Tickets

routes = Blueprint(__name__)
# Who may read an answer in a browser. At package time this is an SSM reference, which CloudFormation resolves.
PAGE = CORSConfig(
    allow_origin=os.environ.get("ALLOWED_ORIGINS", "").partition(",")[0].strip() or "https://unset.invalid"
)

HTTP_STATUS = {
    "NOT_FOUND": 404,
    "RATE_LIMITED": 429,
    "START_FAILED": 503,
    "CAPACITY": 503,
    "FORBIDDEN": 403,
    "TOO_MANY": 409,
    "TOO_LARGE": 413,
    "UNSUPPORTED_TYPE": 415,
    "WAKE_LIMIT": 429,
    "BUDGET_REACHED": 429,
    "MEMORY_BUSY": 409,
    "NOTE_CHANGED": 409,
    "NOTE_APPLIED": 409,
    "SKILL_EXISTS": 409,
    "SERVER_EXISTS": 409,
    "TOO_MANY_DEVICES": 409,
    "ATTACHMENT_TOO_LARGE": 413,
    "ATTACHMENT_GONE": 404,
    "OWNER_ONLY": 403,
    **dict.fromkeys(("OWNER_SELF", "LAST_OWNER", "OWNER_BUSY", "HAS_ACCOUNT"), 409),
    "MAIL_FAILED": 503,
    "REMOVAL_UNFINISHED": 503,
    "INTERNAL": 500,
}
MAX_TITLE = 200


def answer(status: int, body: object) -> Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    origins = wiring.settings().items("ALLOWED_ORIGINS")
    origin = request().headers.get("origin")
    if origin in origins:
        headers |= {"Access-Control-Allow-Origin": str(origin), "Vary": "Origin"}
    return Response(body=body, status_code=status, headers=headers)


def request() -> Any:
    return routes.current_request


def signed_in(work: Any) -> Response:
    """Run work(user_id) for the caller; every refusal is a JSON body with a code."""
    try:
        user_id = wiring.identity().user_id(bearer(request().headers.get("authorization")))
    except Unauthorized as error:
        return answer(401, {"code": "UNAUTHORIZED", "message": str(error)})
    try:
        if request().method != "GET" and is_removed(user_id):  # a removed user's token is good for an hour yet
            return answer(401, {"code": "UNAUTHORIZED", "message": "this account was removed"})
        result = work(user_id)
    except ProtocolError as error:
        return answer(HTTP_STATUS.get(error.code, 400), {"code": error.code, "message": error.message})
    except Exception as error:  # noqa: BLE001  the caller gets a code, the log the place
        log.failure("rest_failed", error, path=request().context.get("resourcePath"))  # a hook's path is a secret
        metrics.emit(HandlerFailed=1)
        return answer(500, {"code": "INTERNAL", "message": "Something went wrong here. Please try again."})
    return result if isinstance(result, Response) else answer(200, result)


def body() -> dict[str, Any]:
    return protocol.parse_body(request().raw_body.decode(errors="replace"))


def _query(name: str) -> str | None:
    value = (request().query_params or {}).get(name)
    return str(value) if value is not None else None


@routes.route("/status", methods=["GET"], cors=PAGE)
def status() -> Response:
    return signed_in(_status)


def _status(user: str) -> dict[str, Any]:
    (task, early), (link, cost) = both(
        lambda: both(lambda: wiring.dispatch().tasks.get(user), lambda: early_summary(user, wiring.early_usd())),
        lambda: both(lambda: Linking("").of_user(user), lambda: summary(user)),
    )
    return status_frame(task) | {"telegramLinked": link is not None, "cost": cost, "early": early}


@routes.route("/ws-ticket", methods=["POST"], cors=PAGE)
def ws_ticket() -> Response:
    return signed_in(lambda user: {"ticket": Tickets().issue(Ticket(user)), "expiresInSeconds": TICKET_LIFE // 1000})


@routes.route("/messages", methods=["POST"], cors=PAGE)
def send_message() -> Response:
    return signed_in(lambda user: answer(202, actions.accept(user, protocol.parse_message(body()))[0]))


@routes.route("/stop-agent", methods=["POST"], cors=PAGE)
def stop_agent() -> Response:
    return signed_in(lambda user: answer(202, actions.stop_agent(user)))


@routes.route("/conversations", methods=["GET"], cors=PAGE)
def conversations() -> Response:
    return signed_in(lambda user: {"conversations": Conversations().list(user)})


@routes.route("/conversations/{conversation_id}", methods=["GET", "PUT", "DELETE"], cors=PAGE)
def conversation(conversation_id: str) -> Response:
    work = {"GET": _page, "PUT": _change, "DELETE": _delete}[request().method]
    return signed_in(lambda user: work(user, protocol.conversation_id({"conversationId": conversation_id})))


def _page(user_id: str, conversation_id: str) -> dict[str, Any]:
    asked = {"limit": protocol.number_in(_query("limit") or "50")}
    count = protocol.whole_number(asked, "limit", 50, 1, protocol.MAX_PAGE)
    page = Conversations().page(user_id, conversation_id, _query("before"), count)
    return {"conversationId": conversation_id, "messages": page.messages, "before": page.before}


def _change(user_id: str, conversation_id: str) -> dict[str, Any]:
    change = _wanted(body())
    changed = Conversations().change(user_id, conversation_id, change)
    if change.model is not None:
        _tell_agent(user_id, conversation_id)
    wiring.dispatch().tell(user_id, changed)
    return changed


def _wanted(fields: dict[str, Any]) -> Change:
    title, pinned = fields.get("title"), fields.get("pinned")
    if not {"title", "model", "pinned", "folder"} & set(fields):
        raise ProtocolError("BAD_FIELD", "name at least one of title, model, pinned and folder")
    if "title" in fields and not (isinstance(title, str) and 1 <= len(title.strip()) <= MAX_TITLE):
        raise ProtocolError("BAD_FIELD", f"title must have 1 to {MAX_TITLE} characters")
    if "pinned" in fields and not isinstance(pinned, bool):
        raise ProtocolError("BAD_FIELD", "pinned must be true or false")
    model = (model_name(fields["model"]) or "") if "model" in fields else None
    folder = folder_name(fields["folder"]) if "folder" in fields else None
    return Change(protocol.storable(title.strip()) if title else None, model, pinned, folder)


def _tell_agent(user_id: str, conversation_id: str) -> None:
    """A running agent reads a conversation's row once, and again when it is told so."""
    frame = {"type": "conversation", "conversationId": conversation_id}
    wiring.dispatch().forward(wiring.dispatch().tasks.get(user_id), frame)


def _delete(user_id: str, conversation_id: str) -> Response:
    files = Conversations().files(user_id, conversation_id)
    if files:
        from chalicelib.messages.files import Files

        Files(wiring.settings().need("DATA_BUCKET")).delete(user_id, files)
    Conversations().delete(user_id, conversation_id)
    _tell_agent(user_id, conversation_id)
    gone = {"type": "conversation", "conversationId": conversation_id, "deleted": True, "title": "", "updatedAt": 0}
    wiring.dispatch().tell(user_id, gone)
    return answer(204, "")


@routes.route("/settings", methods=["GET", "PUT"], cors=PAGE)
def preferences() -> Response:
    if request().method == "GET":
        return signed_in(lambda user: Preferences().get(user).public())
    return signed_in(_change_settings)


def _change_settings(user_id: str) -> dict[str, Any]:
    """Store them and let a running agent know. For a heartbeat that is switched on a sleeping one is woken."""
    wanted = body()
    changed = Preferences().change(user_id, wanted)
    told = wiring.dispatch().forward(wiring.dispatch().tasks.get(user_id), {"type": "settings"})
    if not told and wanted.get("heartbeatMinutes"):
        try:
            wiring.dispatch().ensure_running(user_id)
        except StartFailed as error:
            log.event("start_failed", user=user_id, code=error.code)  # it begins when the agent is awake next
    return changed.public()


def _devices() -> Any:
    from chalicelib.people.devices import Devices  # for the cold start: few instances need it

    return Devices(wiring.settings().optional("PUSH_LOCAL_URL"))


@routes.route("/push", methods=["GET", "POST"], cors=PAGE)
def push() -> Response:
    if request().method == "GET":
        return signed_in(_listed)
    return signed_in(lambda user: {"id": _devices().add(user, body()).id} | _listed(user))


@routes.route("/push/{device_id}", methods=["DELETE"], cors=PAGE)
def push_off(device_id: str) -> Response:
    return signed_in(lambda user: _devices().remove(user, device_id) or _listed(user))


def _listed(user_id: str) -> dict[str, Any]:
    return {"devices": [device.public() for device in _devices().of(user_id)]}


@routes.route("/automations", methods=["GET"], cors=PAGE)
def automations() -> Response:
    return signed_in(lambda user: jobs.doing(user).public())


@routes.route("/automations/{automation_id}", methods=["POST"], cors=PAGE)
def automation(automation_id: str) -> Response:
    return signed_in(lambda user: _change_automation(user, automation_id))


def _change_automation(user_id: str, automation_id: str) -> dict[str, Any]:
    try:
        return jobs.change(wiring.dispatch(), user_id, automation_id, body().get("action")).public()
    except StartFailed as error:
        raise ProtocolError(error.code, START_FAILED_TEXT[error.code]) from None


@routes.route("/allowed", methods=["GET"], cors=PAGE)
def allowed_commands() -> Response:
    return signed_in(lambda user: {"commands": allowed.listed(user)})


@routes.route("/allowed/{command_id}", methods=["DELETE"], cors=PAGE)
def allowed_command(command_id: str) -> Response:
    return signed_in(lambda user: {"commands": _revoke(user, command_id)})


def _revoke(user_id: str, command_id: str) -> list[dict[str, Any]]:
    """It ends now, or as soon as the agent is awake."""
    if not allowed.revoke(user_id, command_id):
        raise ProtocolError("NOT_FOUND", "there is no such command in the list")
    wiring.dispatch().forward(wiring.dispatch().tasks.get(user_id), {"type": "allowed"})
    return allowed.listed(user_id)


def _links() -> Any:
    # Imported here for the cold start: the Telegram modules take 30 ms, and only these routes need them.
    from chalicelib.telegram.links import Links

    return Links(wiring.dispatch(), wiring.settings())


@routes.route("/link/generate-otp", methods=["POST"], cors=PAGE)
def link_code() -> Response:
    return signed_in(lambda user: _links().code(user))


@routes.route("/link/status", methods=["GET"], cors=PAGE)
def link_status() -> Response:
    return signed_in(lambda user: _links().status(user))


@routes.route("/link/unlink", methods=["POST"], cors=PAGE)
def unlink() -> Response:
    return signed_in(lambda user: _links().unlink(user))


@routes.route("/telegram", methods=["POST"])
def telegram() -> Response:
    """The webhook. Telegram signs in with the secret header; a 5xx makes it send the update again."""
    try:
        header = request().headers.get("x-telegram-bot-api-secret-token")
        return answer(*_links().webhook(wiring.intent).receive(header, request().raw_body))
    except Exception as error:  # noqa: BLE001  nothing was lost: Telegram keeps the update
        log.failure("telegram_failed", error)
        metrics.emit(HandlerFailed=1)
        return answer(500, {"code": "INTERNAL", "message": "not handled, send it again"})

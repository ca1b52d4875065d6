"""The WebSocket handlers and schedules that app.py registers."""

from contextlib import suppress
from typing import Any

from chalicelib import wiring
from chalicelib.actions import accept, reply
from chalicelib.agents.activity import Activity
from chalicelib.agents.anew import Anew
from chalicelib.agents.containers import owner
from chalicelib.agents.removed import is_removed
from chalicelib.agents.runtime import MICROVM, StartFailed
from chalicelib.agents.tasks import PREWARM, LeaseLost, Task, Tasks
from chalicelib.endings import ended, wake_agent
from chalicelib.lifecycle import anew
from chalicelib.lifecycle.answers import answer
from chalicelib.lifecycle.dispatch import status_frame
from chalicelib.lifecycle.first_words import stopped
from chalicelib.lifecycle.prewarm import Prewarm
from chalicelib.lifecycle.suspending import gone, reached, suspend
from chalicelib.lifecycle.watchdog import Watchdog
from chalicelib.lifecycle.watching import FOLLOWED
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Inbox
from chalicelib.people.identity import Unauthorized
from chalicelib.people.preferences import Preferences
from chalicelib.platform import log, metrics
from chalicelib.wire import console, protocol, requests
from chalicelib.wire.connections import AGENT, Connection, Gone, endpoint_of
from chalicelib.wire.protocol import ProtocolError
from chalicelib.wire.room import SOCKET
from chalicelib.wire.tickets import BadTicket, Ticket, Tickets

OK = {"statusCode": 200}


def connect(event: dict[str, Any]) -> dict[str, Any]:
    """Admit a client by ticket or token, or refuse it with 401 or 403."""
    context = event["requestContext"]
    query = event.get("queryStringParameters") or {}
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    origin, allowed = headers.get("origin"), wiring.settings().items("ALLOWED_ORIGINS")
    if origin is not None and allowed and origin not in allowed:
        return {"statusCode": 403}
    try:
        caller = _caller(query)
    except BadTicket as error:
        log.event("connect_refused", reason=str(error))
        return {"statusCode": 401}
    endpoint = endpoint_of(context, wiring.settings().optional("CALLBACK_URL"))
    wiring.connections().add(
        Connection(context["connectionId"], caller.user_id, endpoint, caller.role, caller.generation)
    )
    return OK


def _caller(query: dict[str, str]) -> Ticket:
    if "ticket" in query:
        return Tickets().redeem(query["ticket"])
    try:
        user_id = wiring.identity().user_id(query.get("token", ""))
    except Unauthorized as error:
        raise BadTicket(str(error)) from None
    if is_removed(user_id):
        raise BadTicket("the account was removed")
    return Ticket(user_id)


def disconnect(event: dict[str, Any]) -> dict[str, Any]:
    """Remove a connection. If it is an agent's, wakes no longer go there."""
    connection = wiring.connections().owner(event["requestContext"]["connectionId"])
    if connection is not None:
        wiring.connections().remove(connection.id)
        if connection.role == AGENT:
            wiring.dispatch().tasks.agent_gone(connection.user_id, connection.generation, connection.id)
            if wiring.settings().runtime == MICROVM and gone(
                wiring.dispatch(), connection.user_id, connection.generation
            ):
                ended(connection.user_id, connection.generation)
    return OK


def message(event: dict[str, Any]) -> dict[str, Any]:
    """Handle one frame from a client. Every error is answered with an error frame."""
    context = event["requestContext"]
    connection = wiring.connections().owner(context["connectionId"])
    if connection is None:
        log.event("frame_from_unknown_connection")
        nobody = Connection(
            context["connectionId"], "", endpoint_of(context, wiring.settings().optional("CALLBACK_URL"))
        )
        reply(nobody, protocol.error_frame("CONNECTION_UNKNOWN", "This connection is not known here: open a new one."))
        return OK
    try:
        body = protocol.parse_body(event.get("body"))
        action = body.get("action")
        actions = AGENT_ACTIONS if connection.role == AGENT else USER_ACTIONS
        if not isinstance(action, str) or action not in actions:
            raise ProtocolError("UNKNOWN_ACTION", "action must be one of " + ", ".join(sorted(actions)))
        actions[action](connection, body)
    except ProtocolError as error:
        reply(connection, error.frame())
    except Exception as error:  # noqa: BLE001  the last resort: tell the client, log the place
        log.failure("handler_failed", error, connection=connection.id)
        metrics.emit(HandlerFailed=1)
        reply(connection, protocol.error_frame("INTERNAL", "Something went wrong here. Please try again."))
    return OK


def _send_message(connection: Connection, body: dict[str, Any]) -> None:
    accept(connection.user_id, protocol.parse_message(body), connection)


def _get_status(connection: Connection, body: dict[str, Any]) -> None:
    reply(connection, status_frame(wiring.dispatch().tasks.get(connection.user_id)))


def _get_history(connection: Connection, body: dict[str, Any]) -> None:
    conversation = protocol.conversation_id(body)
    before = body.get("before")
    if before is not None and not isinstance(before, str):
        raise ProtocolError("BAD_FIELD", "before must be a cursor from an earlier page")
    limit = protocol.whole_number(body, "limit", 20, 1, protocol.MAX_PAGE)
    page = Conversations().page(connection.user_id, conversation, before, limit, SOCKET)
    frame = {"type": "history", "conversationId": conversation, "messages": page.messages, "before": page.before}
    reply(connection, frame)


def _stop(connection: Connection, body: dict[str, Any]) -> None:
    run_id = body.get("runId")
    if run_id is not None and not isinstance(run_id, str):
        raise ProtocolError("BAD_FIELD", "runId must be a string")
    conversation = protocol.conversation_id(body) if "conversationId" in body else None
    task = wiring.dispatch().tasks.get(connection.user_id)
    ended = stopped(connection.user_id, conversation)
    for frame in ended:
        wiring.dispatch().tell(connection.user_id, frame)
    request = {"type": "stop", "runId": run_id, "conversationId": conversation}
    if ended or not wiring.dispatch().forward(task, request):  # no run is stopped, and the tab waits for one
        reply(connection, protocol.run_unknown(run_id, conversation))


def _steer(connection: Connection, body: dict[str, Any]) -> None:
    """ "Send now": a waiting message goes to the turn that runs in its conversation."""
    conversation, message_id = protocol.conversation_id(body), protocol.message_id(body)
    task = wiring.dispatch().tasks.get(connection.user_id)
    if not wiring.dispatch().forward(task, {"type": "steer", "id": message_id, "conversationId": conversation}):
        reply(connection, protocol.run_unknown(None, conversation))


def _answer(connection: Connection, body: dict[str, Any]) -> None:
    """A button or a text for a question of the agent. The person's tabs see what became of it."""
    name, answers = protocol.question_id(body), protocol.parse_answers(body)
    answer(wiring.dispatch(), connection.user_id, name, answers, "web")


def _resume(connection: Connection, body: dict[str, Any]) -> None:
    run_id = body.get("runId")
    if run_id is not None and not isinstance(run_id, str):
        raise ProtocolError("BAD_FIELD", "runId must be a string")
    last = protocol.whole_number(body, "lastSeq", 0, 0, 10_000_000)
    conversation = protocol.conversation_id(body)
    task = wiring.dispatch().tasks.get(connection.user_id)
    request = {"type": "resume", "runId": run_id, "lastSeq": last, "conversationId": conversation}
    request |= {"connectionId": connection.id, "endpoint": connection.endpoint}
    if not wiring.dispatch().forward(task, request):
        reply(connection, protocol.run_unknown(run_id, conversation))


def _visible(connection: Connection, body: dict[str, Any]) -> None:
    """A tab became visible or hidden: while one is visible, no push is sent. There is no answer."""
    if not isinstance(body.get("visible"), bool):
        raise ProtocolError("BAD_FIELD", "visible must be true or false")
    with suppress(Gone):  # it has left meanwhile
        wiring.connections().show(connection.id, body["visible"])


def _intent(connection: Connection, body: dict[str, Any]) -> None:
    """The page was opened, or its user begins to type: the agent may start before the message. There is no answer."""
    wiring.intent(connection.user_id)


def _console(connection: Connection, body: dict[str, Any]) -> None:
    """OpenClaw's own Control UI: a piece of one of its messages, for the gateway in this user's container."""
    frame = console.parse(body)
    task = wiring.dispatch().tasks.get(connection.user_id)
    with suppress(StartFailed):  # then it is asleep
        task = reached(wiring.dispatch(), task) if frame["kind"] != console.CLOSE else task
    place = {"connectionId": connection.id, "endpoint": connection.endpoint}
    if not wiring.dispatch().forward(task, frame | place) and frame["kind"] in (console.OPEN, console.DATA):
        reply(connection, console.closed(str(frame["tunnel"]), console.ASLEEP, "the agent is asleep"))


def _request(connection: Connection, body: dict[str, Any]) -> None:
    """Something for the running agent outside any conversation: its container answers this tab."""
    frame = requests.parse(body)
    task = wiring.dispatch().tasks.get(connection.user_id)
    with suppress(StartFailed):  # then it is asleep
        task = reached(wiring.dispatch(), task)
    place = {"connectionId": connection.id, "endpoint": connection.endpoint}
    if not wiring.dispatch().forward(task, frame | place):
        reply(connection, requests.refused(str(frame["id"]), requests.ASLEEP, "Your agent is asleep."))


def _ping(connection: Connection, body: dict[str, Any]) -> None:
    reply(connection, {"type": "pong"})


def _agent_ready(connection: Connection, body: dict[str, Any]) -> None:
    """The agent's socket is open in both directions: wakes go there from now on."""
    tasks = wiring.dispatch().tasks
    try:
        tasks.agent_connected(connection.user_id, connection.generation, connection.id, connection.endpoint)
    except LeaseLost:
        reply(connection, {"type": "leaseLost"})
        return
    reply(connection, {"type": "agentReady"})


def _suspend(connection: Connection, body: dict[str, Any]) -> None:
    """The agent is still, has saved and wants to be suspended. It hears if that was not done."""
    outcome = suspend(wiring.dispatch(), connection.user_id, connection.generation)
    if outcome == "suspended":  # API Gateway notices only after ten minutes that nobody is there: no frame goes there
        wiring.dispatch().tasks.agent_gone(connection.user_id, connection.generation, connection.id)
    if outcome not in ("suspended", "gone"):
        log.event("not_suspended", user=connection.user_id, generation=connection.generation, outcome=outcome)
        reply(connection, {"type": "wake"})


def task_stopped(event: dict[str, Any]) -> None:
    """ECS reports the end of a task: free its row, and start the next task if messages wait."""
    detail = event["detail"]
    user_id, generation = owner(detail)
    if user_id is None:
        return
    if user_id.startswith(PREWARM):
        waiting = wiring.dispatch().tasks.get(user_id)
        wiring.dispatch().lost(Task(user_id, generation=generation))
        if waiting.prewarm_user is None:
            return
        user_id, generation = waiting.prewarm_user, waiting.prewarm_generation
    wiring.dispatch().lost(Task(user_id, generation=generation))
    ended(user_id, generation)


def wake(event: dict[str, Any]) -> None:
    """A user's schedule: start their agent in time for its next automation. With a generation: follow that start."""
    user_id = str(event["userId"])
    if "generation" not in event:
        wake_agent(user_id)
    elif gone(wiring.dispatch(), user_id, int(event["generation"]), looks=FOLLOWED):
        ended(user_id, int(event["generation"]))


def prewarm() -> None:
    """Scheduled: start a container in advance; the first user who needs one claims it."""
    Prewarm(Tasks(), wiring.runtime(), int(wiring.settings().optional("PREWARM_MINUTES", "60"))).tick()


def first_words(event: dict[str, Any]) -> None:
    """Called for a message while its agent sleeps: a first answer, from the model directly."""
    from chalicelib.first_words.speaking import run  # no other function needs it, and each import is a cold start

    run(event, wiring.settings(), _start_for_message)


def _start_for_message(user_id: str) -> None:
    """Small talk was not all that a message needs: its agent starts now."""
    try:
        task = wiring.dispatch().restart_if_waiting(user_id, patient=True)
    except StartFailed as error:
        log.event("start_failed", user=user_id, code=error.code)  # the watchdog tries again
        return
    if task is not None:
        wiring.dispatch().tell(user_id, status_frame(task))


def watchdog() -> None:
    """Scheduled every five minutes: stop, free and restart tasks."""
    Watchdog(wiring.dispatch(), Tasks(), Inbox(), wiring.runtime(), Preferences(), Activity()).tick()
    log.event("wakes", started=wiring.wake().tick())
    log.event("habits", **wiring.early().tick())
    log.event("anew", started=anew.tick(wiring.dispatch(), Anew()))


USER_ACTIONS = {
    "sendMessage": _send_message,
    "getStatus": _get_status,
    "getHistory": _get_history,
    "stop": _stop,
    "steer": _steer,
    "answer": _answer,
    "resume": _resume,
    "visible": _visible,
    "intent": _intent,
    "console": _console,
    "request": _request,
    "ping": _ping,
}
AGENT_ACTIONS = {"agentReady": _agent_ready, "suspend": _suspend, "ping": _ping}

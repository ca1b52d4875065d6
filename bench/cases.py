"""The calls of our Lambda functions that are measured: what each needs first, and its event."""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from bench import events
from bench.cloud import Cloud
from bench.events import Json
from chalicelib.people.linking import Linking
from chalicelib.telegram.webhook import SECRET, TOKEN, USERNAME
from chalicelib.wire.tickets import Ticket, Tickets
from local.resources import Builder

WEBHOOK_SECRET = "the-bench-webhook-secret"  # noqa: S105  of a bot that is not there
TELEGRAM_ID = 4711


@dataclass(frozen=True)
class Case:
    """`prepare` makes what must be there and returns the maker of one event a call."""

    name: str
    function: str  # of app.py
    prepare: Callable[[Cloud], Callable[[], Json]]
    until: str | None = None  # the operation that puts a message on its way


def _warm(cloud: Cloud) -> Callable[[], Json]:
    _, tab = events.warm_user(cloud.stubs)
    return lambda: events.message(tab)


def _cold(cloud: Cloud) -> Callable[[], Json]:
    return lambda: events.message(events.tab(uuid.uuid4().hex, cloud.stubs))


def _action(name: str) -> Callable[[Cloud], Callable[[], Json]]:
    def prepare(cloud: Cloud) -> Callable[[], Json]:
        _, tab = events.warm_user(cloud.stubs)
        return lambda: events.socket(tab, {"action": name})

    return prepare


def _by_ticket(cloud: Cloud) -> Callable[[], Json]:
    return lambda: events.socket(uuid.uuid4().hex, query={"ticket": Tickets().issue(Ticket(uuid.uuid4().hex))})


def _by_token(cloud: Cloud) -> Callable[[], Json]:
    token = cloud.token()
    return lambda: events.socket(uuid.uuid4().hex, query={"token": token})


def _disconnect(cloud: Cloud) -> Callable[[], Json]:
    return lambda: events.socket(events.tab(uuid.uuid4().hex, cloud.stubs))


def _rest(method: str, path: str) -> Callable[[Cloud], Callable[[], Json]]:
    def prepare(cloud: Cloud) -> Callable[[], Json]:
        headers = {"authorization": f"Bearer {cloud.token()}"}
        return lambda: events.rest(method, path, headers)

    return prepare


def _telegram(cloud: Cloud) -> Callable[[], Json]:
    """A paired person's message while the agent runs."""
    values = {TOKEN: "1:bench", SECRET: WEBHOOK_SECRET, USERNAME: "bench_bot"}
    Builder(cloud.url, cloud.data).parameters(values)
    numbers, linking = itertools.count(1), Linking(WEBHOOK_SECRET)
    user = uuid.uuid4().hex
    if linking.of_telegram(TELEGRAM_ID) is None:
        linking.redeem_code(TELEGRAM_ID, "Ann", linking.issue(user).code)
        events.warm_user(cloud.stubs, user)
    chat = {"id": TELEGRAM_ID, "type": "private"}
    sender = {"id": TELEGRAM_ID, "is_bot": False, "first_name": "Ann"}

    def event() -> Json:
        number = next(numbers)
        body = {"message_id": number, "chat": chat, "from": sender, "text": "hello"}
        header = {"x-telegram-bot-api-secret-token": WEBHOOK_SECRET}
        update = {"update_id": number + uuid.uuid4().int % 10**9 * 1000, "message": body}
        return events.rest("POST", "/telegram", header, update)

    return event


def _schedule(cloud: Cloud) -> Callable[[], Json]:
    return events.schedule


def _stopped(cloud: Cloud) -> Callable[[], Json]:
    def event() -> Json:
        user, _ = events.warm_user(cloud.stubs)
        identity = [{"name": "USER_ID", "value": user}, {"name": "GENERATION", "value": "1"}]
        overrides = {"containerOverrides": [{"name": "agent", "environment": identity}]}
        return events.schedule({"taskArn": "arn:bench:1", "lastStatus": "STOPPED", "overrides": overrides})

    return event


# The watchdog first: later cases leave rows for it.
CASES = (
    Case("watchdog, nothing runs", "watchdog", _schedule),
    Case("prewarm", "prewarm", _schedule),
    Case("web message, agent warm", "websocket_message", _warm, "PostToConnection"),
    Case("web message, agent cold (RunTask)", "websocket_message", _cold, "RunTask"),
    Case("getStatus", "websocket_message", _action("getStatus")),
    Case("getHistory", "websocket_message", _action("getHistory")),
    Case("ping", "websocket_message", _action("ping")),
    Case("connect by ticket", "websocket_connect", _by_ticket),
    Case("connect by token", "websocket_connect", _by_token),
    Case("disconnect", "websocket_disconnect", _disconnect),
    Case("Telegram message, agent warm", "api_handler", _telegram, "PostToConnection"),
    Case("GET /status", "api_handler", _rest("GET", "/status")),
    Case("GET /conversations", "api_handler", _rest("GET", "/conversations")),
    Case("POST /ws-ticket", "api_handler", _rest("POST", "/ws-ticket")),
    Case("task_stopped", "task_stopped", _stopped),
)

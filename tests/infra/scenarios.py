"""What leads every function to every AWS call it can make. Events are the smallest that do."""

import base64
import json
import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.infra.given import files
from tests.infra.rooms import devices, memory

if TYPE_CHECKING:
    from tests.infra.drive import Drive

LARGE = base64.b64encode(os.urandom(240_000)).decode()
PICTURE = {"mimeType": "image/png", "fileName": "a.png", "content": LARGE}


def new_id() -> str:
    return uuid.uuid4().hex


def sign_in(drive: "Drive") -> None:
    """Connect by token, by ticket, by a used ticket; leave, as a tab and as an agent."""
    from chalicelib.wire.tickets import Ticket, Tickets

    user = drive.user()
    drive.connect({"token": user}, "tab-1")
    ticket = Tickets().issue(Ticket(user))
    drive.connect({"ticket": ticket}, "tab-2")
    drive.connect({"ticket": ticket}, "tab-3")
    drive.call("websocket_disconnect", _leaving("tab-1"))
    drive.call("websocket_disconnect", _leaving("never-seen"))
    drive.agent(user)
    drive.call("websocket_disconnect", _leaving(f"agent-{user}"))


def _leaving(connection: str) -> dict[str, Any]:
    from tests.infra.drive import socket_event

    return socket_event(connection)


def talk(drive: "Drive") -> None:
    """Messages to no agent, a starting one, a running one, and one without its socket or task."""
    user = drive.user()
    for tab in (f"tab-a-{user}", f"tab-b-{user}", f"gone-{user}"):
        drive.connect({"token": user}, tab)
    tab = f"tab-a-{user}"
    message = new_id()
    drive.send(tab, "sendMessage", id=message, text="cold")
    drive.send(tab, "sendMessage", id=message, text="cold")
    drive.send(tab, "sendMessage", id=new_id(), text="starting")
    drive.agent(user)
    drive.send(tab, "sendMessage", id=new_id(), text="warm", attachments=[PICTURE])
    for action in ("getStatus", "ping", "stop"):
        drive.send(tab, action)
    drive.send(tab, "getHistory", conversationId="main")
    drive.send(tab, "resume", conversationId="main", lastSeq=0)
    drive.send(tab, "visible", visible=True)
    drive.send(tab, "nonsense")
    lose_task(user)
    drive.send(tab, "sendMessage", id=new_id(), text="the task has died")
    wake_lost(drive)
    too_many(drive)
    expired_lease(drive)
    superseded(drive)


def wake_lost(drive: "Drive") -> None:
    user = drive.user()
    drive.connect({"token": user}, f"tab-{user}")
    drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="cold")
    drive.agent(user, connection=f"gone-agent-{user}")
    drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="nobody hears this wake")
    # The same by REST.
    drive.agent(user, connection=f"gone-agent2-{user}")
    drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "nor this"})


def too_many(drive: "Drive") -> None:
    from chalicelib import wiring
    from chalicelib.people.rate import Rate

    user = drive.user()
    drive.connect({"token": user}, f"tab-{user}")
    strict = wiring.dispatch()
    object.__setattr__(strict, "rate", Rate(0))
    drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="over the limit")
    drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "over the limit"})
    object.__setattr__(strict, "rate", Rate(1000))


def expired_lease(drive: "Drive") -> None:
    """A task that no longer renews its lease is stopped before its successor starts."""
    user = drive.user()
    drive.connect({"token": user}, f"tab-{user}")
    for way in ("socket", "rest", "restart"):
        drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="cold")
        _expire(user)
        if way == "socket":
            drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="again")
        elif way == "rest":
            drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "again"})


def superseded(drive: "Drive") -> None:
    """While ECS answered, somebody started a newer generation: the late task is stopped."""
    from chalicelib import wiring
    from chalicelib.agents.tasks import LeaseLost

    tasks = wiring.dispatch().tasks
    kept = type(tasks).launched

    def lost(self: Any, user_id: str, generation: int, task_arn: str) -> Any:
        raise LeaseLost(user_id)

    type(tasks).launched = lost  # type: ignore[method-assign]
    for way in ("socket", "rest", "stopped", "watchdog"):
        user = drive.user()
        drive.connect({"token": user}, f"tab-{user}")
        if way == "socket":
            drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="cold")
        elif way == "rest":
            drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "cold"})
        else:
            wait_in_inbox(user)
            drive.call(*(("task_stopped", stopped(user, 0)) if way == "stopped" else ("watchdog", _tick())))
    type(tasks).launched = kept  # type: ignore[method-assign]


def rest(drive: "Drive") -> None:
    """Every route, and a container to stop."""
    user = drive.user()
    for tab in (f"tab-{user}", f"gone-{user}"):
        drive.connect({"token": user}, tab)
    drive.rest(user, "POST", "/ws-ticket")
    drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "cold", "attachments": [PICTURE]})
    drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "starting"})
    place = drive.rest(user, "POST", "/attachments", {"fileName": "a.pdf", "bytes": 9})
    sent = {"fileName": "a.pdf", "uploadId": json.loads(place["body"])["id"]}
    drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "read this", "attachments": [sent]})
    drive.agent(user)
    drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="read this", attachments=[sent])
    drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "warm"})
    drive.rest(user, "GET", "/status")
    drive.rest(user, "GET", "/conversations")
    files(drive, user)
    one = "/conversations/{conversation_id}"
    change = {"title": "new", "model": "a/b", "pinned": True, "folder": "Work"}
    for method, body in (("GET", None), ("PUT", change), ("DELETE", None)):
        drive.rest(user, method, "/conversations/main", body, one)
    drive.rest(user, "GET", "/settings")
    drive.rest(user, "PUT", "/settings", {"timeZone": "Asia/Seoul"})
    memory(drive, user)
    devices(drive, user)
    drive.rest(user, "POST", "/stop-agent")


def task_stopped(drive: "Drive") -> None:
    """A task ends: with nothing waiting, with a message waiting, and when it was not ours."""
    user = drive.user()
    for tab in (f"tab-{user}", f"gone-{user}"):
        drive.connect({"token": user}, tab)
    drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="cold")
    drive.connect({"token": user}, f"gone-again-{user}")
    drive.call("task_stopped", stopped(user, 1))
    drive.call("task_stopped", stopped(user, 0))  # an old task's end, while the next one lives
    _expire(user)
    drive.call("task_stopped", stopped(user, 0))
    lose_task(user)
    drive.call("task_stopped", stopped(user, 0))
    drive.call("task_stopped", stopped(drive.user(), 1))


def stopped(user: str, generation: int) -> dict[str, Any]:
    names = [{"name": "USER_ID", "value": user}, {"name": "GENERATION", "value": str(generation)}]
    detail = {"overrides": {"containerOverrides": [{"name": "agent", "environment": names}]}}
    return event(detail)


def event(detail: dict[str, Any]) -> dict[str, Any]:
    keys = ("version", "account", "region", "id", "source", "time")
    return dict.fromkeys(keys, "x") | {"detail-type": "x", "resources": [], "detail": detail}


def _tick() -> dict[str, Any]:
    return event({})


def watchdog(drive: "Drive") -> None:
    """An idle agent, a dead task, an expired lease, an orphan, a stranded message."""
    from chalicelib.agents.containers import Containers
    from chalicelib.platform.settings import Settings

    idle, dead, stale, stranded = (drive.user() for _ in range(4))
    for user in (idle, dead, stale):
        drive.connect({"token": user}, f"tab-{user}")
        drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="cold")
    drive.agent(idle)
    _age(idle)
    lose_task(dead)
    _expire(stale)
    wait_in_inbox(stranded)
    Containers(Settings.from_env()).start("nobody", 7)
    drive.call("watchdog", _tick())
    lose_task(stranded)
    drive.call("watchdog", _tick())


def given_up(drive: "Drive") -> None:
    """No container gets ready: what waits is given up, and its sender told on the page and in the chat."""
    from chalicelib.lifecycle.dispatch import MAX_FAILED_STARTS
    from chalicelib.telegram import links as telegram_links
    from chalicelib.telegram.rows import Statuses

    for function in ("task_stopped", "watchdog"):
        user = drive.user()
        for tab in (f"tab-{user}", f"gone-{user}"):
            drive.connect({"token": user}, tab)
        Statuses().claim(user, "p1", {"chatId": 1})
        Statuses().sent(user, "p1", {"chatId": 1}, 2)
        wait_in_inbox(user, {"telegram": {"chat": "p1", "chatId": 1, "userId": 1, "messageId": 1}})
        _set(user, "failedStarts", MAX_FAILED_STARTS)
        telegram_links._secrets.cache_clear()  # each function is a process of its own
        drive.call(function, stopped(user, 0) if function == "task_stopped" else _tick())
    telegram_links._secrets.cache_clear()


def wait_in_inbox(user: str, route: dict[str, Any] | None = None) -> None:
    from chalicelib.messages.inbox import Inbox, Message
    from chalicelib.platform.clock import now_ms

    Inbox().put(Message(user, new_id(), "waiting", "main", now_ms(), route=route))


def _expire(user: str) -> None:
    _set(user, "leaseUntil", 1)


def _age(user: str) -> None:
    _set(user, "lastActivity", 1)


def _set(user: str, name: str, value: int) -> None:
    from chalicelib.platform import aws

    aws.client("dynamodb").update_item(
        TableName="serverless-openclaw-dev-TaskState",
        Key={"userId": {"S": user}},
        UpdateExpression="SET #n = :v",
        ExpressionAttributeNames={"#n": name},
        ExpressionAttributeValues={":v": {"N": str(value)}},
    )


def lose_task(user: str) -> None:
    """ECS no longer runs the user's task."""
    from chalicelib.agents.tasks import Tasks
    from chalicelib.platform import aws

    arn = Tasks().get(user).task_arn
    if arn is not None:
        with suppress(Exception):
            aws.client("ecs").stop_task(cluster=os.environ["ECS_CLUSTER"], task=arn)


ALL = (sign_in, talk, rest, task_stopped, watchdog, given_up)

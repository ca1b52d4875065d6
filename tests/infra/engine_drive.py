"""The second engine's calls: `python -m tests.infra.engine_drive` drives the handlers with RUNTIME=microvm.

Only what differs from ECS is driven: starts, ends, suspending and resuming. Lambda is a few states in a dictionary.
"""

import json
import os
import sys
import time
from typing import Any

NAME = "serverless-openclaw-dev"
IMAGE = f"arn:aws:lambda:us-east-1:123456789012:microvm-image:{NAME}"
os.environ |= {
    "RUNTIME": "microvm",
    "MICROVM_IMAGE": IMAGE,
    "MICROVM_ROLE": f"arn:aws:iam::123456789012:role/{NAME}-microvm",
    "MICROVM_LOG_GROUP": "/serverless-openclaw/dev/agent",
}

from botocore.awsrequest import AWSRequest, AWSResponse  # noqa: E402  the environment comes first
from moto import mock_aws  # noqa: E402

from tests.infra.drive import Drive, Fakes, World, socket_event  # noqa: E402
from tests.infra.scenarios import _age, _expire, _set, _tick, new_id, superseded, wait_in_inbox  # noqa: E402

states: dict[str, str] = {}


class Raw:
    """A body that is read once."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Any:
        yield self._body


def answered(request: AWSRequest, **_: Any) -> AWSResponse:
    """In the place of Lambda; what a machine is asked for it does at once."""
    parts = request.url.split("/2025-09-09/")[1].partition("?")[0].split("/")
    status, body = 200, {}
    if request.method == "POST" and parts == ["microvms"]:
        name = f"microvm-{len(states)}"
        states[name] = "RUNNING"
        body = whole(name)
    elif request.method == "GET" and parts == ["microvms"]:
        body = {"items": [whole(name) for name in states]}
    elif request.method == "GET":
        body = whole(parts[1])
    elif request.method == "DELETE":
        states[parts[1]] = "TERMINATED"
    elif states[parts[1]] == "TERMINATED" or (parts[2] == "resume" and states[parts[1]] == "RUNNING"):
        status, body = 409, {"message": "not in this state"}
    else:
        states[parts[1]] = {"suspend": "SUSPENDED", "resume": "RUNNING"}[parts[2]]
    headers = {"x-amzn-errortype": "ConflictException"} if status == 409 else {}
    return AWSResponse(request.url, status, headers, Raw(json.dumps(body).encode()))


def whole(name: str) -> dict[str, Any]:
    image = {"imageArn": IMAGE, "imageVersion": "1.0", "endpoint": "https://x", "maximumDurationInSeconds": 28_800}
    return {"microvmId": name, "state": states[name], "startedAt": time.time() - 3600, **image}


def end(user: str) -> None:
    from chalicelib.agents.tasks import Tasks

    states[str(Tasks().get(user).task_arn)] = "TERMINATED"


def suspended(drive: Drive, user: str) -> None:
    from chalicelib.agents.tasks import Tasks
    from chalicelib.platform.clock import now_ms

    Tasks().suspended(user, Tasks().get(user).generation, now_ms() + 3_600_000)
    drive.send(f"agent-{user}", "suspend")


def begun(drive: Drive) -> str:
    """A user with an agent that runs."""
    user = drive.user()
    drive.connect({"token": user}, f"tab-{user}")
    drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="cold")
    drive.agent(user)
    _clear(user)
    return user


def _clear(user: str) -> None:
    from chalicelib.messages.inbox import Inbox

    for message in Inbox().waiting(user):
        Inbox().take_back(user, message.id)


def pauses(drive: Drive) -> None:
    """Suspended, and resumed by a message in a tab, by REST, by a message that came meanwhile; gone while it slept."""
    user = begun(drive)
    for how in ("socket", "rest", "meanwhile", "restart", "stop"):
        suspended(drive, user)
        if how == "socket":
            drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="again")
        elif how == "rest":
            drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "again"})
        elif how == "meanwhile":
            wait_in_inbox(user)
            drive.send(f"agent-{user}", "suspend")
        else:
            drive.rest(user, "POST", f"/{how}-agent")
        _clear(user)
        drive.agent(user)
    suspended(drive, user)
    end(user)
    drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="its machine is gone")


def ends(drive: Drive) -> None:
    """Told by a socket, by the function that follows a start, and by the watchdog; with a message that waits."""
    for way in ("websocket_disconnect", "wake", "watchdog", "api_handler"):
        user = begun(drive)
        wait_in_inbox(user)
        end(user)
        if way == "websocket_disconnect":
            drive.call(way, socket_event(f"agent-{user}"))
        elif way == "wake":
            _gone(user)
            drive.call(way, {"userId": user, "generation": _generation(user)})
        elif way == "watchdog":
            drive.call(way, _tick())
        else:
            drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "again"})


def _gone(user: str) -> None:
    from chalicelib.agents.tasks import Tasks

    Tasks().agent_gone(user, _generation(user), f"agent-{user}")


def _generation(user: str) -> int:
    from chalicelib.agents.tasks import Tasks

    return Tasks().get(user).generation


def old_leases(drive: Drive) -> None:
    """Whoever starts the next one ends the last one's machine first."""
    for way in ("websocket_message", "api_handler", "websocket_disconnect", "wake", "first_words", "watchdog"):
        user = begun(drive)
        wait_in_inbox(user)
        generation = _generation(user)
        _expire(user)
        if way == "websocket_message":
            drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="again")
        elif way == "api_handler":
            drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "again"})
        elif way == "wake":
            _set(user, "wakeAt", int(time.time() * 1000))
            drive.call(way, {"userId": user})
        elif way == "websocket_disconnect":
            _set(user, "generation", generation)
            _idle(user)
            drive.call(way, socket_event(f"agent-{user}"))
        elif way == "first_words":
            drive.call(way, {"userId": user, "messageId": new_id(), "alone": True})
        else:
            drive.call(way, _tick())


def _idle(user: str) -> None:
    from chalicelib.platform import aws

    aws.client("dynamodb").update_item(
        TableName=f"{NAME}-TaskState",
        Key={"userId": {"S": user}},
        UpdateExpression="SET #s = :i",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":i": {"S": "Idle"}},
    )


def rounds(drive: Drive) -> None:
    """The watchdog with more machines than it asks for one by one, an idle agent and an orphan; a prewarmed one."""
    from chalicelib import wiring

    idle = [begun(drive) for _ in range(5)]
    _age(idle[0])
    wiring.runtime().start("nobody", 7)
    drive.call("watchdog", _tick())
    drive.call("prewarm", _tick())


ALL = (pauses, ends, old_leases, rounds, superseded)


def main() -> int:
    from chalicelib.lifecycle import suspending, watching
    from chalicelib.platform import aws

    with mock_aws():
        world = World()
        Fakes.install()
        aws.session().register("before-send.lambda-microvms", answered)
        aws.session().register("before-send.lambda", lambda request, **_: AWSResponse(request.url, 202, {}, Raw(b"")))
        suspending.LOOKS, watching.FOLLOWED = 1, 1
        drive = Drive(world.recorder)
        out, sys.stdout = sys.stdout, sys.stderr
        for scenario in ALL:
            scenario(drive)
        sys.stdout = out
    calls = {name: sorted(made) for name, made in world.recorder.calls.items()}
    print(json.dumps({"calls": calls, "sites": {name: sorted(seen) for name, seen in world.recorder.sites.items()}}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

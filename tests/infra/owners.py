"""What leads to the AWS calls of the owner's room, and of an agent that begins anew."""

import json
import os
from typing import TYPE_CHECKING, Any

from tests.infra.scenarios import _tick, lose_task, new_id, stopped

if TYPE_CHECKING:
    from tests.infra.drive import Drive

EMAIL = "friend@example.com"
ONE = "/people/{person_id}"


def people(drive: "Drive") -> None:
    """Listed, invited twice, limited, and removed with everything."""
    from chalicelib.platform import aws

    cognito = aws.client("cognito-idp")
    pool = cognito.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]
    os.environ["COGNITO_ISSUER"] = f"https://issuer.example/{pool}"
    me, friend = (_account(cognito, pool, email) for email in ("owner@example.com", "known@example.com"))
    cognito.admin_add_user_to_group(UserPoolId=pool, Username="owner@example.com", GroupName="owner")
    for _ in range(2):
        drive.rest(me, "POST", "/people", {"email": EMAIL})
    drive.rest(me, "GET", "/people")
    for cap in (2, None):
        drive.rest(me, "PUT", f"/people/{friend}", {"capUsd": cap}, ONE)
    _live(drive, friend)
    body = {"email": "known@example.com"}
    drive.rest(me, "DELETE", f"/people/{friend}", body, ONE)
    lose_task(friend)
    answer = drive.rest(me, "DELETE", f"/people/{friend}", body, ONE)
    assert json.loads(answer["body"]) == {"state": "done"}, answer
    other = _account(cognito, pool, "second@example.com")
    cognito.admin_add_user_to_group(UserPoolId=pool, Username="second@example.com", GroupName="owner")
    drive.rest(me, "DELETE", f"/people/{other}", {"email": "second@example.com"}, ONE)
    drive.rest(friend, "POST", "/ws-ticket")
    drive.connect({"token": friend}, "too-late")


def _account(cognito: Any, pool: str, email: str) -> str:
    made = cognito.admin_create_user(UserPoolId=pool, Username=email, MessageAction="SUPPRESS")
    return str(made["User"]["Username"])


def _live(drive: "Drive", user: str) -> None:
    """A person of whom every table and prefix holds something."""
    from chalicelib.agents.habits import Habits
    from chalicelib.lifecycle.erasing import PREFIXES
    from chalicelib.people.linking import Linking
    from chalicelib.platform import aws

    Habits().project(user, None)
    linking = Linking("secret")
    linking.redeem_token(9001, "F", linking.issue(user).token)
    linking.issue(user)
    drive.connect({"token": user}, f"tab-{user}")
    drive.rest(user, "POST", "/hooks", {"name": "a"})
    drive.rest(user, "POST", "/mcp", {"name": "a", "url": "https://mcp.example.com/a", "token": "abc"})
    drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "hello"})
    for prefix in PREFIXES:
        aws.client("s3").put_object(Bucket=os.environ["DATA_BUCKET"], Key=f"{prefix}/{user}/a", Body=b"a")


def anew(drive: "Drive") -> None:
    """Woken, and begun anew: asleep, awake with its end, and twice for the same end. The log of what ran."""
    from chalicelib.agents.tasks import Tasks

    user = drive.user()
    drive.connect({"token": user}, f"tab-{user}")
    drive.rest(user, "POST", "/restart-agent")
    drive.agent(user)
    drive.rest(user, "POST", "/wake-agent")
    drive.rest(user, "POST", "/restart-agent")
    drive.rest(user, "POST", "/wake-agent")
    drive.rest(user, "GET", "/log")
    generation = Tasks().get(user).generation
    lose_task(user)
    for _ in range(2):
        drive.call("task_stopped", stopped(user, generation))
    _unheard(drive)


def _unheard(drive: "Drive") -> None:
    """A container has ended without a word, and its user wanted the next one."""
    from chalicelib.agents.anew import LATE, Anew
    from chalicelib.agents.tasks import Tasks
    from chalicelib.platform.clock import now_ms

    user = drive.user()
    drive.agent(user)
    generation = Tasks().get(user).generation
    Anew(lambda: now_ms() - LATE).ask(user, generation)
    lose_task(user)
    Tasks().released(user, generation)
    drive.call("watchdog", _tick())


ALL = (people, anew)

"""Somebody of whom every table and every prefix of the bucket holds something, and the REST routes with a token."""

import itertools
import json
import uuid
from typing import Any

from chalicelib.agents.habits import Habits
from chalicelib.agents.tasks import Tasks
from chalicelib.lifecycle.erasing import PREFIXES
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.people.hooks import Hooks
from chalicelib.people.identity import OWNER, Caller, Unauthorized
from chalicelib.people.linking import Linking
from chalicelib.people.preferences import Preferences
from chalicelib.people.servers import McpServers
from chalicelib.people.spending import Charge, Spending
from chalicelib.platform import aws
from chalicelib.platform.clock import now_ms
from chalicelib.platform.models import TABLES, SettingItem
from chalicelib.wire.connections import Connection, Connections

ONE = "/people/{person_id}"
BUCKET, PATH = "people-test", "/people-test/"
_telegram = itertools.count(77_000)


def account(pool: str, email: str, owner: bool = False) -> str:
    """Its id."""
    cognito = aws.client("cognito-idp")
    made = cognito.admin_create_user(UserPoolId=pool, Username=email, MessageAction="SUPPRESS")["User"]
    if owner:
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName=OWNER)
    return str(made["Username"])


def live(user: str) -> str:
    """Leave something everywhere; the token of a hook."""
    task = Tasks().begin_start(user)
    Tasks().running(user, task.generation, f"arn:task/{user}")
    Habits().project(user, None)
    linking, telegram = Linking("secret"), next(_telegram)
    linking.redeem_token(telegram, "F", linking.issue(user).token)
    linking.issue(user)
    SettingItem(f"telegram#{telegram}", "chat#7", value={"conversationId": "main"}).save()
    _, token = Hooks().create(user, {"name": "a"})
    McpServers(PATH).add(user, {"name": "a", "url": "https://mcp.example.com/a", "token": "abc"})
    Preferences().change(user, {"budgetUsd": 3})
    Spending().add(user, "UTC", Charge(nano_usd=1_250_000_000))
    message = Message(user, uuid.uuid4().hex, "hello", "main", now_ms())
    Inbox().put(message)
    for number in range(3):
        Conversations().save_question(Message(user, f"{uuid.uuid4().hex}{number}", "hello", "main", now_ms()))
    Conversations().touch(user, "main", "hello")
    Connections().add(Connection(f"tab-{user}", user, "https://api"))
    for prefix in PREFIXES:
        aws.client("s3").put_object(Bucket=BUCKET, Key=f"{prefix}/{user}/a/b", Body=b"a")
    return token


def rows_of(user: str) -> list[str]:
    """Every row of every table that has the user's id in it, as `table row`.

    Without link codes that were used: nothing leads to them, and they expire five minutes after they were made.
    """
    found: list[tuple[str, str]] = []
    for name in (model.Meta.table_name for model in TABLES):
        # As they are stored: other tests' rows are among them, and not all of those are whole.
        for page in aws.client("dynamodb").get_paginator("scan").paginate(TableName=name):
            rows = [row for row in page["Items"] if not _used_code(row)]
            found += [(name.rpartition("-")[2], json.dumps(row, sort_keys=True, default=repr)) for row in rows]
    return sorted(f"{table} {row}" for table, row in found if user in row)


def _used_code(row: dict[str, Any]) -> bool:
    return row.get("userId", {}).get("S", "").startswith("link-code#") and "tally" in row


def parameters() -> list[str]:
    """The names of everything in the parameter store, whichever test put it there."""
    pages = aws.client("ssm").get_paginator("describe_parameters").paginate()
    return [entry["Name"] for page in pages for entry in page["Parameters"]]


class Tokens:
    """Identity for `<user>` and `<user>!`, who is an owner."""

    def user_id(self, token: str) -> str:
        return self.caller(token).user_id

    def caller(self, token: str) -> Caller:
        if token == "bad":
            raise Unauthorized("bad")
        return Caller(token.rstrip("!"), frozenset({OWNER} if token.endswith("!") else ()))


def call(token: str, method: str, path: str, body: Any = None, resource: str = "") -> tuple[int, Any]:
    """Status and body of a REST call, through the whole application."""
    import app

    event = {
        "httpMethod": method,
        "path": path,
        "headers": {"authorization": f"Bearer {token}", "content-type": "application/json"},
        "multiValueHeaders": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": {"person_id": path.rpartition("/")[2]} if resource else None,
        "stageVariables": None,
        "body": json.dumps(body) if body is not None else None,
        "isBase64Encoded": False,
        "requestContext": {"resourcePath": resource or path, "httpMethod": method, "stage": "api"},
    }
    answer = app.app(event, None)
    return answer["statusCode"], json.loads(answer["body"] or "null")

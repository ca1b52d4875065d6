"""Events as API Gateway and EventBridge give them to our functions, and the rows behind them."""

import base64
import json
import uuid
from typing import Any

from chalicelib.agents.tasks import Tasks
from chalicelib.wire.connections import AGENT, Connection, Connections

Json = dict[str, Any]


class Context:
    """What Chalice reads of a Lambda context."""

    function_name = "bench"
    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def socket(connection_id: str, body: Json | None = None, query: dict[str, str] | None = None) -> Json:
    """A WebSocket event."""
    context = {"connectionId": connection_id, "apiId": "a", "stage": "api", "domainName": "d", "routeKey": "$default"}
    return {"requestContext": context, "body": json.dumps(body or {}), "queryStringParameters": query, "headers": {}}


def message(tab: str) -> Json:
    return socket(tab, {"action": "sendMessage", "id": uuid.uuid4().hex, "text": "hello"})


def rest(method: str, path: str, headers: dict[str, str], body: Json | None = None) -> Json:
    """A REST event of API Gateway, as Chalice reads it."""
    raw = json.dumps(body).encode() if body is not None else b""
    headers = headers | {"content-type": "application/json"}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": base64.b64encode(raw).decode(),
        "isBase64Encoded": True,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "path": f"/api{path}",
            "stage": "api",
            "apiId": "local",
            "identity": {"sourceIp": "127.0.0.1"},
        },
    }


def schedule(detail: Json | None = None) -> Json:
    """An event of EventBridge."""
    empty = {"version": "0", "account": "123456789012", "region": "us-east-1", "time": "", "id": "local"}
    return empty | {"source": "aws.events", "detail-type": "bench", "detail": detail or {}, "resources": []}


def tab(user: str, callback: str) -> str:
    """An open tab; its connection id."""
    connection_id = uuid.uuid4().hex
    Connections().add(Connection(connection_id, user, callback))
    return connection_id


def warm_user(callback: str, user: str = "") -> tuple[str, str]:
    """A user with an open tab and a running agent; user and connection id."""
    user, tasks = user or uuid.uuid4().hex, Tasks()
    Connections().add(Connection(f"agent-{user}", user, callback, AGENT, 1))
    tasks.begin_start(user)
    tasks.agent_connected(user, 1, f"agent-{user}", callback)
    tasks.launched(user, 1, f"arn:bench:{user}")
    tasks.running(user, 1, f"arn:bench:{user}")
    return user, tab(user, callback)

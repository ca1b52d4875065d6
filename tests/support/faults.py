"""What the tests of the fault matrix share."""

from collections.abc import Iterator

import requests

from chalicelib.agents.runtime import MICROVM
from local.stack import Stack
from tests.support.client import Client, Frame, eventually
from tests.support.stacks import ENGINE
from tests.support.tables import dynamodb, table, waiting_ids


def new_user(stack: Stack) -> Iterator[Client]:
    """A new user. Their task and waiting messages are removed afterwards; a waiting message would start a task."""
    client = Client(stack)
    yield client
    client.close()
    eventually(lambda: not waiting_ids(stack, client.user_id), 90)
    client.rest("POST", "/stop-agent")
    eventually(lambda: not stack.pids(), 40)


def answers(client: Client) -> dict[str, list[str]]:
    """The saved answers by the message they answer."""
    found: dict[str, list[str]] = {}
    for row in client.history():
        if row["role"] == "assistant":
            found.setdefault(row["replyTo"], []).append(row["content"])
    return found


def first_chunk(client: Client, message_id: str) -> Frame:
    return client.until(lambda f: f["type"] == "stream_chunk" and f["replyTo"] == message_id, 90)


# More than any test lets happen: until somebody ends it.
ENDLESS = 1_000


def fault(stack: Stack, operation: str, code: str, message: str = "", times: int = 1, status: int = 400) -> None:
    """The next calls of that operation fail so."""
    body = {"__type": code, "message": message}
    faults = [{"operation": operation, "status": status, "body": body}] * times
    requests.post(f"{stack.cloud_url}/_local/faults", json=faults, timeout=5).raise_for_status()


def no_start(stack: Stack) -> None:
    """The next start fails, for another reason than room."""
    if ENGINE == MICROVM:
        fault(stack, "RunMicrovm", "ValidationException", "The image is being deleted")
    else:
        fault(stack, "RunTask", "ClientException", "The task definition is inactive")


def no_room(stack: Stack) -> None:
    """The next start finds none, on Spot or on demand."""
    if ENGINE == MICROVM:
        fault(stack, "RunMicrovm", "ServiceQuotaExceededException", "The memory of all MicroVMs", status=402)
    else:
        fault(stack, "RunTask", "ClientException", "Capacity is unavailable at this time", times=2)


def tick(stack: Stack) -> None:
    """Run the watchdog as its schedule does."""
    requests.post(f"{stack.internal_url}/events", json={"function": "watchdog"}, timeout=30).raise_for_status()


def make_due(stack: Stack, user_id: str, message_id: str) -> None:
    """Make a waiting message due for its retry now."""
    key = {"userId": {"S": user_id}, "messageId": {"S": message_id}}
    change = {"UpdateExpression": "SET notBefore = :now", "ExpressionAttributeValues": {":now": {"N": "0"}}}
    dynamodb(stack).update_item(TableName=table("PendingMessages"), Key=key, **change)

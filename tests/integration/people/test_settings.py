"""What a user sets reaches the running agent."""

import pytest

from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.tables import dynamodb, table

pytestmark = pytest.mark.timeout(120)


def test_settings_are_stored_and_reach_a_running_agent(stack: Stack) -> None:
    client = Client(stack)
    changed = client.rest("PUT", "/settings", {"timeZone": "Asia/Seoul", "idleTimeoutMinutes": 45})
    assert (changed.status_code, changed.json()["timeZone"]) == (200, "Asia/Seoul")
    assert client.rest("GET", "/settings").json() == changed.json()
    client.ask("What is 1+1?")
    assert "expiresAt" not in rows(stack, client)[0]
    client.rest("PUT", "/settings", {"retentionDays": 30, "model": "custom/demo"})
    client.rest("PUT", "/conversations/main", {"title": "kept"})
    eventually(lambda: "= 4" in client.ask("What is 2+2?"))
    conversations_have_models_of_their_own(client)
    kept = [row for row in rows(stack, client) if row["itemKey"]["S"].startswith("c#")]
    assert "expiresAt" in kept[-1], "the retention setting is the row's TTL"
    eventually(lambda: sum(activity(stack, client)) >= 6)
    assert sum(activity(stack, client)) == 6, "each turn counts for its hour of the week"
    assert "Asia/Seoul" in client.ask("/status"), "OpenClaw was started with the user's time zone"
    client.rest("PUT", "/settings", {"timeZone": "Europe/Berlin"})
    eventually(lambda: "Europe/Berlin" in client.ask("/status"), 30)
    client.rest("POST", "/stop-agent")
    client.close()


def conversations_have_models_of_their_own(client: Client) -> None:
    """The running agent takes the change for the next message, and every other conversation keeps its model."""
    own = client.rest("PUT", "/conversations/main", {"model": "custom/own", "pinned": True})
    assert (own.status_code, own.json()["model"], own.json()["pinned"]) == (200, "custom/own", True)
    assert model_of_answer(client, "main") == "custom/own"
    assert model_of_answer(client, "c-other") == "custom/demo"
    listed = {
        one["conversationId"]: one.get("model") for one in client.rest("GET", "/conversations").json()["conversations"]
    }
    assert listed == {"main": "custom/own", "c-other": None}
    client.rest("PUT", "/conversations/c-other", {"model": "gone/x"})
    assert model_of_answer(client, "c-other") == "custom/demo", "a provider that this deployment does not have"
    [notice] = [frame for frame in client.frames if frame["type"] == "notice"]
    assert (notice["code"], "gone/x" in notice["message"]) == ("MODEL_REMOVED", True)
    client.rest("PUT", "/conversations/main", {"model": None})
    assert model_of_answer(client, "main") == "custom/demo", "as in the settings"


def model_of_answer(client: Client, conversation: str) -> str | None:
    client.answer(client.send("What is 3+3?", conversationId=conversation))
    model: str | None = client.frames[-1].get("model")
    return model


def rows(stack: Stack, client: Client) -> list[dict[str, dict[str, str]]]:
    values = {":u": {"S": client.user_id}}
    found: list[dict[str, dict[str, str]]] = dynamodb(stack).query(
        TableName=table("Conversations"), KeyConditionExpression="userId = :u", ExpressionAttributeValues=values
    )["Items"]
    return found


def activity(stack: Stack, client: Client) -> list[int]:
    values = {":u": {"S": client.user_id}, ":p": {"S": "activity#"}}
    found = dynamodb(stack).query(
        TableName=table("Settings"),
        KeyConditionExpression="userId = :u AND begins_with(#k, :p)",
        ExpressionAttributeNames={"#k": "key"},
        ExpressionAttributeValues=values,
    )["Items"]
    return [int(row["tally"]["N"]) for row in found]

"""Reads a stack's tables as an operator would."""

import contextlib
import time
import uuid
from collections.abc import Iterator
from typing import Any

import botocore.session

from chalicelib.people.preferences import KEY
from chalicelib.people.spending import NANO, month_name
from chalicelib.platform.clock import now_ms
from chalicelib.platform.models import ConversationItem, SettingItem, SpendingItem
from local.resources import REGION, STAGE
from local.stack import Stack


def dynamodb(stack: Stack) -> Any:
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    return session.create_client("dynamodb", region_name=REGION, endpoint_url=stack.cloud_url)


def table(noun: str) -> str:
    return f"serverless-openclaw-{STAGE}-{noun}"


def task_row(stack: Stack, user_id: str) -> dict[str, Any]:
    item = dynamodb(stack).get_item(TableName=table("TaskState"), Key={"userId": {"S": user_id}}).get("Item", {})
    return {name: next(iter(value.values())) for name, value in item.items()}


def update_task(stack: Stack, user_id: str, **values: int) -> None:
    """Change numbers of a row, as if time had passed."""
    dynamodb(stack).update_item(
        TableName=table("TaskState"),
        Key={"userId": {"S": user_id}},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
        ExpressionAttributeNames={f"#{name}": name for name in values},
        ExpressionAttributeValues={f":{name}": {"N": str(value)} for name, value in values.items()},
    )


def message_row(stack: Stack, user_id: str, message_id: str) -> dict[str, Any]:
    key = {"userId": {"S": user_id}, "messageId": {"S": message_id}}
    item = dynamodb(stack).get_item(TableName=table("PendingMessages"), Key=key, ConsistentRead=True).get("Item", {})
    return {name: next(iter(value.values())) for name, value in item.items()}


def waiting_ids(stack: Stack, user_id: str) -> list[str]:
    """The user's messages that are neither answered nor dead."""
    mine = {":user": {"S": user_id}}
    found = dynamodb(stack).query(
        TableName=table("PendingMessages"),
        IndexName="waiting-by-user-index",
        KeyConditionExpression="userId = :user",
        ExpressionAttributeValues=mine,
        ConsistentRead=True,
    )
    return [item["messageId"]["S"] for item in found["Items"]]


def put_unseen(stack: Stack, user_id: str, text: str) -> str:
    """Put a message into the inbox without a wake."""
    message_id, now = uuid.uuid4().hex, int(time.time() * 1000)
    item: dict[str, Any] = {
        "userId": {"S": user_id},
        "messageId": {"S": message_id},
        "status": {"S": "queued"},
        "text": {"S": text},
        "conversationId": {"S": "main"},
        "channel": {"S": "web"},
        "queuedAt": {"N": str(now)},
        "waiting": {"S": "1"},
        "waitingSince": {"S": f"{now:013d}-{message_id}"},
        "attempts": {"N": "0"},
        "claims": {"N": "0"},
    }
    dynamodb(stack).put_item(TableName=table("PendingMessages"), Item=item)
    return message_id


def put_rows(stack: Stack, *rows: ConversationItem) -> None:
    """Write messages and titles as if they were old."""
    client = dynamodb(stack)
    for row in rows:
        client.put_item(TableName=table("Conversations"), Item=row.serialize())


def prefer(stack: Stack, user_id: str, **choice: Any) -> None:
    """A user's settings, also such as the API does not accept."""
    row = SettingItem(user_id, KEY, value=choice)
    dynamodb(stack).put_item(TableName=table("Settings"), Item=row.serialize())


def keys_of(stack: Stack, user_id: str, prefix: str) -> list[str]:
    """The keys of a user's rows in Settings that begin so."""
    found = dynamodb(stack).query(
        TableName=table("Settings"),
        KeyConditionExpression="userId = :user AND begins_with(#key, :prefix)",
        ExpressionAttributeNames={"#key": "key"},
        ExpressionAttributeValues={":user": {"S": user_id}, ":prefix": {"S": prefix}},
        ConsistentRead=True,
    )
    return [item["key"]["S"] for item in found["Items"]]


def conversation_rows(stack: Stack, user_id: str) -> list[dict[str, Any]]:
    """All that is stored of a user's conversations, by key."""
    mine = {":user": {"S": user_id}}
    pages = dynamodb(stack).get_paginator("query")
    query = {"KeyConditionExpression": "userId = :user", "ExpressionAttributeValues": mine, "ConsistentRead": True}
    return [row for page in pages.paginate(TableName=table("Conversations"), **query) for row in page["Items"]]


def spend(stack: Stack, user_id: str, usd: int) -> None:
    """Set the cost of a user's model calls this month."""
    row = SpendingItem(user_id, f"spending#{month_name(now_ms(), 'UTC')}", nano_usd=usd * NANO)
    dynamodb(stack).put_item(TableName=table("Settings"), Item=row.serialize())


@contextlib.contextmanager
def no_container(stack: Stack, *user_ids: str) -> Iterator[None]:
    """Messages of these users wait, because their rows show a start that never ends. Removed afterwards."""
    client, until = dynamodb(stack), str(int(time.time() * 1000) + 600_000)
    for user_id in user_ids:
        starting = {"status": {"S": "Starting"}, "generation": {"N": "1"}, "leaseUntil": {"N": until}}
        client.put_item(TableName=table("TaskState"), Item={"userId": {"S": user_id}} | starting)
    try:
        yield
    finally:
        for user_id in user_ids:
            for message_id in waiting_ids(stack, user_id):
                key = {"userId": {"S": user_id}, "messageId": {"S": message_id}}
                client.delete_item(TableName=table("PendingMessages"), Key=key)
            client.delete_item(TableName=table("TaskState"), Key={"userId": {"S": user_id}})

"""Looks into a stack's tables as an operator would."""

import time
import uuid
from typing import Any

import botocore.session

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
    """A message in the inbox whose wake nobody heard."""
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

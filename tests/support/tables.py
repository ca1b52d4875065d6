"""Looks into a stack's tables as an operator would."""

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

"""A DynamoDB table of a test's own, asked without our models."""

import uuid
from typing import Any

from tests.support.judges import active

Json = dict[str, Any]
TYPES = {"user": "S", "id": "S", "kind": "S", "due": "N"}


class Table:
    """A table of its own with a global index, and short ways to ask for things."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.name = f"Rows-{uuid.uuid4().hex}"
        client.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in TYPES.items()],
            KeySchema=_keys("user", "id"),
            GlobalSecondaryIndexes=[
                {"IndexName": "due", "KeySchema": _keys("kind", "due"), "Projection": {"ProjectionType": "KEYS_ONLY"}}
            ],
        )
        active(client, self.name)

    def put(self, row: str, /, **values: Json) -> Any:
        return self._client.put_item(TableName=self.name, Item=key(row) | values)

    def get(self, row: str) -> Json:
        found: Json = self._client.get_item(TableName=self.name, Key=key(row), ConsistentRead=True).get("Item", {})
        return found

    def update(self, row: str, change: str, value: Json, condition: str | None = None) -> Any:
        return self._client.update_item(**self.step(row, change, value, condition), ReturnValues="UPDATED_NEW")

    def step(self, row: str, change: str, value: Json, condition: str | None = None) -> Json:
        values = {"UpdateExpression": change, "ExpressionAttributeValues": {":v": value}}
        return {"TableName": self.name, "Key": key(row)} | values | _if(condition)

    def check(self, row: str, condition: str) -> Json:
        return {"ConditionCheck": {"TableName": self.name, "Key": key(row), "ConditionExpression": condition}}

    def transact(self, *items: Json, **more: str) -> Any:
        return self._client.transact_write_items(TransactItems=list(items), **more)

    def query(self, condition: str = "", **more: Any) -> Any:
        values = {":u": {"S": "u"}} | more.pop("values", {})
        wanted = "#u = :u" + (f" AND {condition}" if condition else "")
        named = {"ExpressionAttributeNames": {"#u": "user"}, "ExpressionAttributeValues": values}
        return self._client.query(TableName=self.name, KeyConditionExpression=wanted, **named, **more)

    def delete_many(self, count: int) -> Any:
        requests = [{"DeleteRequest": {"Key": key(str(number))}} for number in range(count)]
        return self._client.batch_write_item(RequestItems={self.name: requests})


def key(row: str) -> Json:
    return {"user": {"S": "u"}, "id": {"S": row}}


def _keys(*names: str) -> list[Json]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=True)]


def _if(condition: str | None) -> Json:
    return {"ConditionExpression": condition} if condition else {}


def text(value: str) -> Json:
    return {"S": value}


def number(value: object) -> Json:
    return {"N": str(value)}

"""Reduces moto's memory use: it keeps every object that it ever created, and copies whole tables.

* Every model instance, so every row that a query ever returned, stays in a list of its class. Only
  moto's dashboard reads that list.
* TransactWriteItems copies each table that it touches, to put it back if a condition fails. Here only
  the rows that the transaction names are copied. DynamoDB's backups, which nothing here uses, would
  need the whole copy.
"""

import copy
from collections.abc import Callable
from typing import Any

from moto.core.common_models import BaseModel
from moto.dynamodb.models import DynamoDBBackend, Table
from moto.dynamodb.models.dynamo_type import DynamoType

Json = dict[str, Any]

_transact_write_items = DynamoDBBackend.transact_write_items


def install() -> None:
    """Change moto in this process."""
    BaseModel.__new__ = lambda cls, *_, **__: object.__new__(cls)
    Table.__deepcopy__ = lambda table, _: table
    DynamoDBBackend.transact_write_items = _transact_and_undo


def _transact_and_undo(backend: Any, items: list[Json]) -> None:
    undo = [step for item in items for step in _undo(backend, *next(iter(item.items())))]
    try:
        _transact_write_items(backend, items)
    except Exception:
        for step in undo:
            step()
        raise


def _undo(backend: Any, kind: str, operation: Json) -> list[Callable[[], None]]:
    """Returns a function that restores one row; it does nothing for a request that moto will refuse."""
    table = backend.tables.get(operation.get("TableName"))
    key = operation.get("Item" if kind == "Put" else "Key") or {}
    if table is None or any(name not in key for name in table.table_key_attrs):
        return []
    hash_key, *rest = [DynamoType(key[name]) for name in table.table_key_attrs]
    range_key = rest[0] if rest else None
    before = copy.deepcopy(table.get_item(hash_key, range_key))

    def put_back() -> None:
        table.delete_item(hash_key, range_key)
        if before is not None and range_key is not None:
            table.items[hash_key][range_key] = before
        elif before is not None:
            table.items[hash_key] = before

    return [put_back]

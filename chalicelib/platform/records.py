"""Rows of Settings that hold one record each, as a map."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from chalicelib.platform import log
from chalicelib.platform.models import SettingItem

T = TypeVar("T")


def known(cls: type[Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass, without those that a later version may have added."""
    names = {one.name for one in fields(cls)}
    return {name: value for name, value in row.items() if name in names}


def readable(user_id: str, prefix: str, read: Callable[[Mapping[str, Any]], T]) -> list[T]:
    """What a user's rows with that prefix hold; strongly consistent. `read` raises TypeError for an odd one.

    One odd row does not hide the others.
    """
    found: list[T] = []
    for row in SettingItem.query(user_id, SettingItem.key.startswith(prefix), consistent_read=True):
        try:
            found.append(read(row.value))
        except (TypeError, AttributeError) as error:
            log.failure("row_unreadable", error, kind=prefix)
    return found

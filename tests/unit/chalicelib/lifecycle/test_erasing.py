"""What a removal deletes is all there is: held against the models, the IAM policies and the source."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cdk.synthesized import Deployment
from chalicelib.lifecycle import erasing
from chalicelib.platform import models
from chalicelib.platform.models import ConnectionItem, TaskRow, _Table

ROOT = Path(__file__).resolve().parents[4]
# Not in the bucket for a person: `make deploy` writes there, no function and no task may.
RELEASES = "releases"
# Rows with another key than the user's id (as written in the source), and what becomes of them.
OTHER_KEYS = {
    "EVERYBODY": "the deployment's own",
    "DEPLOYMENT": "the deployment's own",
    "OWNERS": "the claim to remove an owner: Removal releases it",
    "f'{PREFIX}{user_id}'": "habit# and anew#: erase_rows",
    "ANEW + user_id": "erase_rows itself",
    "f'{PREFIX}{habit.user_id}'": "habit#: erase_rows",
    "HABIT + user_id": "erase_rows itself",
    "PREFIX + digest": "hook#: erase_links",
    "PREFIX + _digest(token)": "hook#: erase_links",
    "PREFIX + row.value['digest']": "hook#: erase_links",
    "_code_key(stale)": "link-code#: Linking.forget",
    "_code_key(sibling)": "link-code#: Linking.forget",
    "_code_key(hashed)": "link-code#: Linking.forget",
    "key": "link-code#: Linking.forget",
    "f'telegram#{telegram_id}'": "Linking.forget",
    "f'telegram#{link.telegram_id}'": "Linking.forget",
    "f'telegram-update#{update_id}'": "only the number of an update; expires",
    "f'telegram-chat#{key(move.old)}'": "the new number of a group, no person",
    "f'telegram-chat#{key(move.new)}'": "the new number of a group, no person",
    "name": "telegram-chat#: the new number of a group, no person",
    "_key(secret)": "ticket#: expires in two minutes",
    "connection_id": "erase_rows, by the index",
    "connection.id": "erase_rows, by the index",
    "tab.connection_id": "erase_rows itself",
    "owner": "tries of a Telegram account or of all: a count, expires; Linking.forget",
}
OF_USER = re.compile(r"(\w+\.)*_?user_id")


def test_every_table_is_covered() -> None:
    """A new table belongs to erasing.OF_USER, or is deleted from by name."""
    assert {*erasing.OF_USER, TaskRow, ConnectionItem} == set(models.TABLES)
    for model in erasing.OF_USER:
        (key,) = (each.attr_name for each in model.get_attributes().values() if each.is_hash_key)
        assert key == "userId", model


def test_every_prefix_is_covered() -> None:
    """Where functions and tasks may write is what is deleted."""
    documents = [json.loads(path.read_text()) for path in (ROOT / ".chalice").glob("policy-*.json")]
    documents += [entry["PolicyDocument"] for _, entry in Deployment("dev").resources("compute", "AWS::IAM::Policy")]
    assert set(_prefixes(documents)) - {RELEASES} == set(erasing.PREFIXES)


def _prefixes(documents: list[Any]) -> Iterator[str]:
    for document in documents:
        for statement in document["Statement"]:
            where = statement["Resource"]
            for resource in [where] if isinstance(where, str) else where:
                if ":s3:::" in resource and "/" in resource:
                    yield resource.partition("/")[2].partition("/")[0]


def test_every_row_with_another_key_is_accounted_for() -> None:
    """A row that is not under the user's id is found by nothing that looks for the user: say here what deletes it."""
    found = set(_keys())
    assert found - set(OTHER_KEYS) == set(), "a row of a new kind: delete it in erasing.py, then name it here"
    assert set(OTHER_KEYS) - found == set(), "there are no such rows any more"


def _keys() -> Iterator[str]:
    """The first arguments of models, and of what reads them, that are no user's id."""
    items = {name for name, kind in vars(models).items() if isinstance(kind, type) and issubclass(kind, _Table)}
    for folder in ("chalicelib", "container/bridge"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call) or not node.args or isinstance(node.args[0], ast.Starred):
                    continue
                called = node.func.value if isinstance(node.func, ast.Attribute) else node.func
                method = node.func.attr if isinstance(node.func, ast.Attribute) else "get"
                if isinstance(called, ast.Name) and called.id in items and method in ("get", "query"):
                    key = ast.unparse(node.args[0])
                    if not OF_USER.fullmatch(key):
                        yield key

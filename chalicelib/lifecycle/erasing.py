"""Deletes what the tables and the bucket hold of one user. Every step is safe to repeat.

Tables: `OF_USER` have the user id as their key; the others are named one by one below. `PREFIXES` are all that a
function or a task may write to in the bucket. Tests hold both against the models and the IAM policies.
"""

from collections.abc import Callable
from typing import Any

from pynamodb.models import Model

from chalicelib.agents.anew import PREFIX as ANEW
from chalicelib.agents.habits import PREFIX as HABIT
from chalicelib.people.hooks import Hooks
from chalicelib.people.linking import Linking
from chalicelib.people.servers import McpServers
from chalicelib.platform import aws
from chalicelib.platform.models import ConnectionItem, ConversationItem, PendingMessage, SettingItem, TaskRow
from chalicelib.wire.protocol import ProtocolError

OF_USER: tuple[type[Model], ...] = (ConversationItem, PendingMessage, SettingItem)
PREFIXES = ("attachments", "exports", "files", "imports", "skills", "workspaces")
SLICE = 100  # rows between two looks at the clock


class NotFinished(Exception):
    """The time is up. The next call goes on."""


def erase_links(user_id: str, servers: McpServers) -> None:
    """What is under another key, rows and tokens: first, because only the user's own rows name it."""
    servers.forget_tokens(user_id)
    for server in servers.of(user_id):
        servers.remove(user_id, server.name)
    for hook in Hooks().list(user_id):
        try:
            Hooks().revoke(user_id, hook.id)
        except ProtocolError as error:
            if error.code != "NOT_FOUND":
                raise
    Linking("").forget(user_id)


def erase_rows(user_id: str, in_time: Callable[[], bool]) -> None:
    """All rows of the user but the fence in TaskState. Raises NotFinished."""
    for tab in ConnectionItem.by_user.query(user_id):
        ConnectionItem(tab.connection_id).delete()
    TaskRow(HABIT + user_id).delete()
    TaskRow(ANEW + user_id).delete()
    for model in OF_USER:
        while _erase_slice(model, user_id):
            if not in_time():
                raise NotFinished


def _erase_slice(model: type[Model], user_id: str) -> bool:
    """Delete some rows of a table; False when none was left."""
    every = model.get_attributes().values()
    keys = [attribute.attr_name for attribute in every if attribute.is_hash_key or attribute.is_range_key]
    rows = list(model.query(user_id, consistent_read=True, attributes_to_get=keys, limit=SLICE))
    with model.batch_write() as batch:
        for row in rows:
            batch.delete(row)
    return bool(rows)


def erase_objects(bucket: str, user_id: str, in_time: Callable[[], bool]) -> None:
    """All versions of all objects of the user. Raises NotFinished."""
    s3 = aws.client("s3")
    for prefix in PREFIXES:
        while True:
            found = s3.list_object_versions(Bucket=bucket, Prefix=f"{prefix}/{user_id}/")
            versions = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
            if not versions:
                break
            names = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in versions]
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": names, "Quiet": True})
            if answer.get("Errors") or not in_time():
                raise NotFinished


def left(bucket: str, user_id: str, servers: McpServers) -> list[Any]:
    """What is still there, for a last look: keys of rows and objects, names of tokens."""
    found: list[Any] = servers.tokens(user_id)
    found += [row for model in OF_USER for row in model.query(user_id, consistent_read=True, limit=1)]
    for prefix in PREFIXES:
        answer = aws.client("s3").list_object_versions(Bucket=bucket, Prefix=f"{prefix}/{user_id}/", MaxKeys=1)
        found += [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
    return found

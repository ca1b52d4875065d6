"""A user's hooks: addresses to which programs post, and what the agent is to do with that.

Rows in Settings: `hook#<id>` of the user (what the page lists, with the count of uses), `hook#<digest>` (finds the
hook by its token), and the user's counter `hooks`. Of the token only a SHA-256 digest is stored; it has 128 random
bits, so no slower hash is needed.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from chalicelib.platform.clock import Clock, now_ms
from chalicelib.platform.models import SettingItem
from chalicelib.platform.writes import commit, transaction
from chalicelib.wire import protocol
from chalicelib.wire.protocol import ProtocolError

PREFIX, COUNTER, TOKEN_KEY = "hook#", "hooks", "hook"
MOST = 20
MAX_NAME, MAX_INSTRUCTION = 60, 2_000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_LINE = re.compile(r"[^\x00-\x1f\x7f\u2028\u2029]+")


class _Full(Exception):
    """The user has as many hooks as are allowed."""


class _Gone(Exception):
    """There is no such hook (any more)."""


@dataclass(frozen=True)
class Hook:
    """`uses` and `used_at` (ms) are known only where the user's own rows were read."""

    user_id: str
    id: str
    name: str
    instruction: str
    conversation_id: str
    created_at: int = 0
    uses: int = 0
    used_at: int = 0

    def public(self) -> dict[str, Any]:
        entry = {
            "id": self.id,
            "name": self.name,
            "instruction": self.instruction,
            "conversationId": self.conversation_id,
            "createdAt": self.created_at,
            "uses": self.uses,
        }
        return entry | ({"usedAt": self.used_at} if self.used_at else {})


class Hooks:
    """Raises ProtocolError for what is refused."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def list(self, user_id: str) -> list[Hook]:
        """Oldest first."""
        rows = SettingItem.query(user_id, SettingItem.key.startswith(PREFIX), consistent_read=True)
        return sorted((_of_row(row) for row in rows), key=lambda hook: (hook.created_at, hook.id))

    def create(self, user_id: str, body: Mapping[str, Any]) -> tuple[Hook, str]:
        """A new hook and its token, which is never known again."""
        hook_id, token = secrets.token_hex(8), secrets.token_urlsafe(16)
        named = {"conversationId": body.get("conversationId") or f"hook-{hook_id}"}
        hook = Hook(user_id, hook_id, _name(body), _instruction(body), protocol.conversation_id(named), self._clock())
        about = {"name": hook.name, "instruction": hook.instruction, "conversationId": hook.conversation_id}
        digest = _digest(token)
        mine: dict[str, Any] = about | {"digest": digest, "createdAt": hook.created_at}
        room = SettingItem.tally.does_not_exist() | (SettingItem.tally < MOST)

        def write() -> None:
            with transaction() as write:
                write.save(SettingItem(user_id, PREFIX + hook_id, value=mine, tally=0))
                found_by = about | {"userId": user_id, "id": hook_id}
                write.save(SettingItem(PREFIX + digest, TOKEN_KEY, value=found_by))
                write.update(SettingItem(user_id, COUNTER), actions=[SettingItem.tally.add(1)], condition=room)

        try:
            commit(write, (_Full,))
        except _Full:
            raise ProtocolError("TOO_MANY", f"there are {MOST} hooks already: revoke one first") from None
        return hook, token

    def revoke(self, user_id: str, hook_id: str) -> None:
        """From now on its address is unknown."""
        try:
            row = SettingItem.get(user_id, PREFIX + hook_id, consistent_read=True)
        except SettingItem.DoesNotExist:
            raise _unknown() from None
        there = SettingItem.key.exists()

        def write() -> None:
            with transaction() as write:
                write.delete(SettingItem(PREFIX + row.value["digest"], TOKEN_KEY))
                write.delete(SettingItem(user_id, PREFIX + hook_id), condition=there)
                write.update(SettingItem(user_id, COUNTER), actions=[SettingItem.tally.add(-1)], condition=there)

        try:
            commit(write, (_Gone, _Gone))
        except _Gone:
            raise _unknown() from None

    def find(self, token: str) -> Hook:
        """The hook of an address. Raises ProtocolError NOT_FOUND."""
        if not _TOKEN.fullmatch(token):
            raise _unknown()
        try:
            value = SettingItem.get(PREFIX + _digest(token), TOKEN_KEY, consistent_read=True).value
        except SettingItem.DoesNotExist:
            raise _unknown() from None
        return Hook(value["userId"], value["id"], value["name"], value["instruction"], value["conversationId"])

    def used(self, hook: Hook) -> None:
        """Count one accepted post; no effect on a hook that was revoked meanwhile."""
        actions: list[Action] = [SettingItem.tally.add(1), SettingItem.used_at.set(self._clock())]
        try:
            SettingItem(hook.user_id, PREFIX + hook.id).update(actions, condition=SettingItem.key.exists())
        except UpdateError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _unknown() -> ProtocolError:
    return ProtocolError("NOT_FOUND", "there is no such hook: it is unknown or was revoked")


def _of_row(row: SettingItem) -> Hook:
    value, name = row.value, str(row.key).removeprefix(PREFIX)
    about = value["name"], value["instruction"], value["conversationId"], value["createdAt"]
    return Hook(str(row.user_id), name, *about, int(row.tally or 0), int(row.used_at or 0))


def _name(body: Mapping[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not _LINE.fullmatch(name.strip()) or len(name.strip()) > MAX_NAME:
        raise ProtocolError("BAD_FIELD", f"name must be one line of 1 to {MAX_NAME} characters")
    return protocol.storable(name.strip())


def _instruction(body: Mapping[str, Any]) -> str:
    text = body.get("instruction", "")
    if not isinstance(text, str) or "\0" in text or len(text) > MAX_INSTRUCTION:
        raise ProtocolError("BAD_FIELD", f"instruction must have at most {MAX_INSTRUCTION} characters")
    return protocol.storable(text.strip())

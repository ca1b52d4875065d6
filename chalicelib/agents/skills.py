"""A person's skills: what the agent had when it was last awake, and what is to change.

The container writes one row, `skills`: the list of the running gateway. What the person wants is one row for each
skill and kind, `skill#switch#<key>` and `skill#files#<folder>`, until a snapshot holds it
(container/bridge/memory/skills.py). A wish says how it is to be at the end: it may be applied twice, and a later one
takes the place of an earlier one.
"""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from pynamodb.exceptions import DeleteError
from pynamodb.expressions.condition import Condition

from chalicelib.agents.skill_files import DELETE, OFF, ON, PUT, Skill, packed
from chalicelib.platform import aws
from chalicelib.platform.clock import Clock, now_ms
from chalicelib.platform.models import SettingItem
from chalicelib.platform.records import known, readable
from chalicelib.platform.writes import update
from chalicelib.wire.protocol import ProtocolError

KEY, PREFIX = "skills", "skill#"
SWITCH, FILES = "switch", "files"
# REFUSED: the agent has a skill of that name by now, which the person has not seen.
PENDING, REFUSED = "pending", "refused"
MOST = 20


@dataclass(frozen=True)
class Wish:
    """`name`: the key of a skill for a switch, else its folder. `replace`: an upload may take the place of one."""

    id: str
    name: str
    action: str
    at: int
    description: str = ""
    replace: bool = False
    status: str = PENDING

    @classmethod
    def from_wire(cls, row: Mapping[str, Any]) -> Self:
        """Ignores fields that a later version may have added. Raises TypeError if a field is missing."""
        return cls(**known(cls, row))

    @property
    def kind(self) -> str:
        return SWITCH if self.action in (ON, OFF) else FILES

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.kind}#{self.name}"

    def public(self) -> dict[str, Any]:
        about = {"name": self.name, "action": self.action, "at": self.at, "status": self.status}
        return about | ({"description": self.description} if self.description else {})


class _Other(Exception):
    """The row is another wish's by now."""


def object_key(user_id: str, wish_id: str) -> str:
    """Where the files of an upload wait."""
    return f"skills/{user_id}/{wish_id}.zip"


class Skills:
    """`bucket` holds uploads that wait. Raises ProtocolError for what is refused."""

    def __init__(self, bucket: str, clock: Clock = now_ms) -> None:
        self._bucket = bucket
        self._clock = clock

    def listed(self, user_id: str) -> dict[str, Any]:
        """The list of the agent (`at` null: never yet), and the wishes that wait."""
        seen, at = self._seen(user_id)
        return {"at": at, "skills": seen, "waiting": [wish.public() for wish in self.waiting(user_id)]}

    def waiting(self, user_id: str) -> list[Wish]:
        """Oldest first; those that were refused too."""
        return sorted(readable(user_id, PREFIX, Wish.from_wire), key=lambda wish: (wish.at, wish.id))

    def switch(self, user_id: str, key: str, on: object) -> Wish:
        if not isinstance(on, bool):
            raise ProtocolError("BAD_FIELD", "enabled must be true or false")
        if key not in {one["key"] for one in self._seen(user_id)[0]}:
            raise _unknown()
        return self._ask(user_id, Wish(uuid.uuid4().hex, key, ON if on else OFF, self._clock()))

    def upload(self, user_id: str, skill: Skill, replace: bool) -> Wish:
        """Keep the files until the agent has them."""
        seen, _ = self._seen(user_id)
        there = next((one for one in seen if skill.name in (one["key"], one["name"], one.get("folder"))), None)
        if there is not None and there.get("folder") != skill.name:
            raise ProtocolError("SKILL_RESERVED", f"your agent has a skill {skill.name} that no upload can replace")
        waiting = any(wish.name == skill.name and wish.action == PUT for wish in self.waiting(user_id))
        if (there is not None or waiting) and not replace:
            raise ProtocolError("SKILL_EXISTS", f"there is a skill {skill.name} already")
        wish = Wish(uuid.uuid4().hex, skill.name, PUT, self._clock(), skill.description, replace)
        body, key = packed(skill), object_key(user_id, wish.id)
        aws.client("s3").put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/zip")
        return self._ask(user_id, wish)

    def delete(self, user_id: str, name: str) -> None:
        """Delete a skill's folder, or drop an upload that the agent has not got."""
        before = {wish.key: wish for wish in self.waiting(user_id)}
        wish = Wish(uuid.uuid4().hex, name, DELETE, self._clock())
        there = any(one.get("folder") == name for one in self._seen(user_id)[0])
        waits = before.get(wish.key)
        if not there and waits is None:
            raise _unknown()
        if waits is not None and waits.status == REFUSED:
            self.finish(user_id, waits)  # what is there was not the person's to replace, so it stays
            return
        self._ask(user_id, wish)  # a container may be writing the upload just now

    def _ask(self, user_id: str, wish: Wish) -> Wish:
        before = {one.key: one for one in self.waiting(user_id)}
        same = before.get(wish.key)
        if same is None and len(before) >= MOST:
            raise ProtocolError("TOO_MANY", f"{MOST} changes wait already: wake your agent first")
        SettingItem(user_id, wish.key).update([SettingItem.value.set(asdict(wish))])
        if same is not None:
            self._forget_files(user_id, same)
        return wish

    def refuse(self, user_id: str, wish: Wish) -> None:
        """Without effect when the row is another wish's by now."""
        refused = asdict(wish) | {"status": REFUSED}
        try:
            update(SettingItem(user_id, wish.key), [SettingItem.value.set(refused)], _is(wish), _Other)
        except _Other:
            return
        self._forget_files(user_id, wish)

    def finish(self, user_id: str, wish: Wish) -> None:
        """Remove the row; without effect when it is another wish's by now."""
        try:
            SettingItem(user_id, wish.key).delete(condition=_is(wish))
        except DeleteError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            return
        self._forget_files(user_id, wish)

    def files(self, user_id: str, wish: Wish) -> bytes:
        """The packed files of an upload."""
        key = object_key(user_id, wish.id)
        body: bytes = aws.client("s3").get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body

    def _forget_files(self, user_id: str, wish: Wish) -> None:
        if wish.action == PUT:
            aws.client("s3").delete_object(Bucket=self._bucket, Key=object_key(user_id, wish.id))

    @staticmethod
    def _seen(user_id: str) -> tuple[list[dict[str, Any]], int | None]:
        try:
            value = SettingItem.get(user_id, KEY, consistent_read=True).value
        except SettingItem.DoesNotExist:
            return [], None
        return list(value["skills"]), int(value["at"])

    def publish(self, user_id: str, generation: int, skills: list[dict[str, Any]]) -> None:
        """What the running gateway has. Without effect for an older generation."""
        mine = SettingItem.tally.does_not_exist() | (SettingItem.tally <= generation)
        value = {"at": self._clock(), "skills": skills}
        try:
            actions = [SettingItem.value.set(value), SettingItem.tally.set(generation)]
            update(SettingItem(user_id, KEY), actions, mine, _Other)
        except _Other:
            return


def _is(wish: Wish) -> Condition:
    return SettingItem.value == asdict(wish)


def _unknown() -> ProtocolError:
    return ProtocolError("NOT_FOUND", "there is no such skill any more")

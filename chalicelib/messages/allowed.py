"""Commands that a person has allowed for good: what the page lists, and what is to be revoked.

Rows in Settings: `allowed-commands` is a projection of OpenClaw's own list, written by the container that holds the
generation (the tally); `allowed-revoke#<id>` asks for an end, until the Bridge has made it.
"""

from typing import Any

from chalicelib.agents.tasks import LeaseLost
from chalicelib.platform.clock import DAY, now_ms, ttl
from chalicelib.platform.models import SettingItem
from chalicelib.platform.writes import update

KEY, REVOKE = "allowed-commands", "allowed-revoke#"
Json = dict[str, Any]


def project(user_id: str, generation: int, entries: list[Json]) -> None:
    """Replace the list. Raises LeaseLost."""
    older = SettingItem.tally.does_not_exist() | (SettingItem.tally <= generation)
    actions = [SettingItem.value.set({"commands": entries}), SettingItem.tally.set(generation)]
    update(SettingItem(user_id, KEY), actions, older, LeaseLost)


def kept(user_id: str) -> list[Json]:
    """`{id, command, directory, at, entries}` of each, as it was when the agent was last awake.

    `entries`: OpenClaw's own ids.
    """
    try:
        value = SettingItem.get(user_id, KEY, consistent_read=True).value or {}
    except SettingItem.DoesNotExist:
        return []
    found: list[Json] = value.get("commands", [])
    return found


def listed(user_id: str) -> list[Json]:
    """For the page: those that will end are marked."""
    ends = set(asked(user_id))
    shown = [{name: value for name, value in entry.items() if name != "entries"} for entry in kept(user_id)]
    return [entry | ({"revoked": True} if entry["id"] in ends else {}) for entry in shown]


def revoke(user_id: str, name: str) -> bool:
    """Ask for the end of one; False when it is not in the list."""
    if name not in [entry["id"] for entry in kept(user_id)]:
        return False
    until = ttl(now_ms() + 30 * DAY)
    SettingItem(user_id, REVOKE + name).update([SettingItem.tally.set(1), SettingItem.expires_at.set(until)])
    return True


def asked(user_id: str) -> list[str]:
    rows = SettingItem.query(user_id, SettingItem.key.startswith(REVOKE), consistent_read=True)
    return [row.key.removeprefix(REVOKE) for row in rows]


def done(user_id: str, name: str) -> None:
    SettingItem(user_id, REVOKE + name).delete()

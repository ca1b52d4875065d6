"""What a background command is: OpenClaw's list of tasks does not say it, the transcript does."""

import time
from collections.abc import Iterable
from typing import Any

from bridge.openclaw.gateway import Gateway

Json = dict[str, Any]
ROWS = 200
# The row of the tool call is written some moments after the task is announced.
LOOKS, PAUSE_SECONDS = 4, 0.3


def command_of(gateway: Gateway, session: str, name: str) -> str | None:
    """The command with that name (`sourceId` of its task). Waits up to 1 s. Raises GatewayError, GatewayClosed."""
    for look in range(LOOKS):
        rows = gateway.request("sessions.get", {"key": session, "limit": ROWS}).get("messages") or []
        found = find(rows, name)
        if found is not None:
            return found
        if look + 1 < LOOKS:
            time.sleep(PAUSE_SECONDS)
    return None


def find(rows: Iterable[Any], name: str) -> str | None:
    """The arguments of the call that began it: its result names the command's session."""
    commands: dict[str, str] = {}
    for row in rows:
        if not isinstance(row, dict):
            continue
        for block in row["content"] if isinstance(row.get("content"), list) else ():
            if isinstance(block, dict) and block.get("type") == "toolCall":
                commands[str(block.get("id"))] = str((block.get("arguments") or {}).get("command") or "")
        details = row.get("details")
        if isinstance(details, dict) and details.get("sessionId") == name:
            return commands.get(str(row.get("toolCallId"))) or None
    return None

"""What the gateway remembers of a message, for one that may have been sent before."""

from dataclasses import dataclass
from typing import Any

from bridge.gateway import Gateway

HISTORY_LIMIT = 200


@dataclass(frozen=True)
class Known:
    """`sent`: its transcript has the message; `answer`: and the answer to it; `aborted`: it was cut off."""

    sent: bool
    answer: str | None = None
    aborted: bool = False


def look_up(gateway: Gateway, session_key: str, idempotency_key: str) -> Known:
    """Find a message in the transcript by its idempotency key."""
    reply = gateway.request("chat.history", {"sessionKey": session_key, "limit": HISTORY_LIMIT})
    messages: list[dict[str, Any]] = reply.get("messages") or []
    for index, entry in enumerate(messages):
        if entry.get("role") == "user" and entry.get("idempotencyKey") == f"{idempotency_key}:user":
            return _after(messages[index + 1 :])
    return Known(False)


def _after(entries: list[dict[str, Any]]) -> Known:
    """What the assistant wrote before the next message of a user.

    A run that was aborted leaves its half answer as an entry like any other, and then an empty one
    whose stopReason says so; one that was resumed later has its answer after both.
    """
    known = Known(True)
    for entry in entries:
        if entry.get("role") == "user" and entry.get("idempotencyKey"):
            break
        if entry.get("role") != "assistant":
            continue
        if entry.get("stopReason") == "aborted":
            known = Known(True, None, aborted=True)
        elif entry.get("stopReason") in (None, "stop", "end_turn", "length") and _text(entry):
            known = Known(True, _text(entry))
    return known


def _text(entry: dict[str, Any]) -> str:
    content = entry.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")

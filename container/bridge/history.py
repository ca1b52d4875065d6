"""What the gateway remembers of a message, for one that may have been sent before."""

from dataclasses import dataclass
from typing import Any

from bridge.gateway import Gateway

HISTORY_LIMIT = 200


@dataclass(frozen=True)
class Known:
    """`sent`: its transcript has the message; `answer`: and the answer to it."""

    sent: bool
    answer: str | None = None


def look_up(gateway: Gateway, session_key: str, idempotency_key: str) -> Known:
    """Find a message in the transcript by its idempotency key."""
    reply = gateway.request("chat.history", {"sessionKey": session_key, "limit": HISTORY_LIMIT})
    messages: list[dict[str, Any]] = reply.get("messages") or []
    for index, entry in enumerate(messages):
        if entry.get("role") == "user" and entry.get("idempotencyKey") == f"{idempotency_key}:user":
            return Known(True, _answer_after(messages[index + 1 :]))
    return Known(False)


def _answer_after(entries: list[dict[str, Any]]) -> str | None:
    """The last text the assistant wrote before the next message of a user."""
    answer = None
    for entry in entries:
        if entry.get("role") == "user" and entry.get("idempotencyKey"):
            break
        if entry.get("role") == "assistant" and entry.get("stopReason") in (None, "stop", "end_turn", "length"):
            answer = _text(entry) or answer
    return answer


def _text(entry: dict[str, Any]) -> str:
    content = entry.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")

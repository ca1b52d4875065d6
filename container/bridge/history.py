"""What the gateway remembers of a message, for one that may have been sent before."""

from dataclasses import dataclass, replace
from typing import Any

from bridge.gateway import Gateway

# The most that chat.history gives: an entry that is left out looks like a message that was never sent.
HISTORY_LIMIT = 1000
# Shortened to 8,000 characters without it; 500,000 is the schema's own limit.
MAX_CHARS = 500_000
# The `provenance.sourceTool` of the prompt that resumes an interrupted turn (2026.8.2 and 2026.9.1).
RESUMED_BY = "main_session_restart_recovery"
Json = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """`sent`: its transcript has the message; `answer`: and the answer to it; `aborted`: it was cut off.

    `running`: whether a run goes on in its session, or will: the gateway resumes by itself what a crash
    interrupted, but only while the session's own row says "running" (measured on 2026.9.1). `active`: it
    does now.
    """

    sent: bool
    answer: str | None = None
    aborted: bool = False
    running: bool = True
    active: bool = False


def look_up(gateway: Gateway, session_key: str, message_id: str) -> Known:
    """Find a message in the transcript by its keys: its id, or for another try `id.` and more (ids have no dot)."""
    request = {"sessionKey": session_key, "limit": HISTORY_LIMIT, "maxChars": MAX_CHARS}
    reply = gateway.request("chat.history", request)
    messages: list[Json] = reply.get("messages") or []
    session = reply.get("sessionInfo")
    known = Known(False)
    for index in reversed(range(len(messages))):
        key = str(messages[index].get("idempotencyKey"))
        if messages[index].get("role") == "user" and (key == f"{message_id}:user" or key.startswith(f"{message_id}.")):
            known = _after(messages[index + 1 :])
            break
    active = isinstance(session, dict) and session.get("hasActiveRun") is True
    return replace(known, running=_running(session), active=active)


def _running(session: Any) -> bool:
    """A gateway that does not say may still go on with it."""
    if not isinstance(session, dict) or not ({"status", "hasActiveRun"} & session.keys()):
        return True
    return session.get("status") == "running" or session.get("hasActiveRun") is True


def _after(entries: list[Json]) -> Known:
    """What the assistant wrote before the next message of a user.

    A run that was aborted leaves its half answer as an entry like any other, and then an empty one
    whose stopReason says so; one that was resumed later has its answer after both.
    """
    known = Known(True)
    for entry in entries:
        if entry.get("role") == "user" and entry.get("idempotencyKey") and not _resumes(entry):
            break
        if entry.get("role") != "assistant":
            continue
        if entry.get("stopReason") == "aborted":
            known = Known(True, None, aborted=True)
        elif entry.get("stopReason") in (None, "stop", "end_turn", "length") and _text(entry):
            known = Known(True, _text(entry))
    return known


def _resumes(entry: Json) -> bool:
    """The prompt by which the gateway goes on with the turn: not a message, though it has a key of its own."""
    provenance = entry.get("provenance")
    return isinstance(provenance, dict) and provenance.get("sourceTool") == RESUMED_BY


def _text(entry: Json) -> str:
    content = entry.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")

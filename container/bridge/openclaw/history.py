"""What the gateway remembers of a message, for one that may have been sent before."""

from dataclasses import dataclass, replace
from typing import Any

from bridge.openclaw.gateway import Gateway
from bridge.openclaw.paragraphs import joined, of_content

# The most that chat.history gives: an entry that is left out looks like a message that was never sent.
HISTORY_LIMIT = 1000
# Shortened to 8,000 characters without it; 500,000 is the schema's own limit.
MAX_CHARS = 500_000
# The `provenance.sourceTool` of the prompt that resumes an interrupted turn (2026.8.2 and 2026.9.1).
RESUMED_BY = "main_session_restart_recovery"
# An entry that ends a turn (None: an answer of OpenClaw's own).
ENDS = (None, "stop", "end_turn", "length")
Json = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """`sent`: its transcript has the message; `answer`: and the answer to it; `aborted`: it was cut off.

    `running`: whether a run goes on in its session, or will: the gateway resumes by itself what a crash
    interrupted, but only while the session's own row says "running" (measured on 2026.9.1). `active`: it
    does now. `said`: what the agent has said to it, though that may not be its answer yet.
    """

    sent: bool
    answer: str | None = None
    aborted: bool = False
    running: bool = True
    active: bool = False
    said: str = ""


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
    """What the assistant wrote before the next message of a user: texts between tool calls, and the last one.

    A run that was aborted leaves its half answer as an entry like any other, and then an empty one
    whose stopReason says so; one that was resumed later has its answer after both.
    """
    texts: list[str] = []
    run, ended, aborted = None, False, False
    for entry in entries:
        if entry.get("role") == "user" and entry.get("idempotencyKey"):
            if not _resumes(entry):
                break
            ended = False
        if entry.get("role") != "assistant" or (ended and _run(entry) != run):
            continue  # behind its end another run may speak: a task that reports
        if entry.get("stopReason") == "aborted":
            texts, ended, aborted = [], False, True
        elif entry.get("stopReason") != "error":
            text = of_content(entry.get("content"))
            texts.append(text)
            # What stands before a tool call is an entry of its own, without a reason of its own.
            before_tool = "openclawStreamFallback" in entry
            run, ended = _run(entry), bool(text) and entry.get("stopReason") in ENDS and not before_tool
    said = joined(texts)
    return Known(True, said, said=said) if ended else Known(True, aborted=aborted, said=said)


def _run(entry: Json) -> Any:
    about = entry.get("__openclaw")
    return about.get("runId") if isinstance(about, dict) else None


def _resumes(entry: Json) -> bool:
    """The prompt by which the gateway goes on with the turn: not a message, though it has a key of its own."""
    provenance = entry.get("provenance")
    return isinstance(provenance, dict) and provenance.get("sourceTool") == RESUMED_BY

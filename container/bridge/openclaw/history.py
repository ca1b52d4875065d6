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
# The agent's word for that it says nothing, and how many of the last entries are searched for it.
SILENCE, SILENCE_LIMIT = "NO_REPLY", 50
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


class Transcript:
    """One session's transcript, as it was when it was read."""

    def __init__(self, gateway: Gateway, session_key: str) -> None:
        request = {"sessionKey": session_key, "limit": HISTORY_LIMIT, "maxChars": MAX_CHARS}
        reply = gateway.request("chat.history", request)
        self.messages: list[Json] = reply.get("messages") or []
        self._session = reply.get("sessionInfo")

    def of(self, message_id: str) -> Known:
        """Find a message by its keys: its id, or for another try `id.` and more (ids have no dot)."""
        active = isinstance(self._session, dict) and self._session.get("hasActiveRun") is True
        return replace(_known(self.messages, message_id), running=_running(self._session), active=active)

    def texts(self) -> list[str]:
        return [of_content(entry.get("content")) for entry in self.messages]


def look_up(gateway: Gateway, session_key: str, message_id: str) -> Known:
    """What the transcript of a session knows of a message now."""
    return Transcript(gateway, session_key).of(message_id)


def _known(messages: list[Json], message_id: str) -> Known:
    for index in reversed(range(len(messages))):
        if messages[index].get("role") == "user" and belongs(messages[index], message_id):
            return _after(_key(messages[index]), messages[index + 1 :])
    return Known(False)


def chose_silence(gateway: Gateway, session_key: str, message_id: str) -> bool:
    """Whether the agent's last word to a message is that it says nothing. `chat.history` leaves that out."""
    reply = gateway.request("sessions.get", {"key": session_key, "limit": SILENCE_LIMIT})
    said = _known(reply.get("messages") or [], message_id).said
    return bool(said) and all(line.strip().upper() == SILENCE for line in said.split("\n") if line.strip())


def _running(session: Any) -> bool:
    """A gateway that does not say may still go on with it."""
    if not isinstance(session, dict) or not ({"status", "hasActiveRun"} & session.keys()):
        return True
    return session.get("status") == "running" or session.get("hasActiveRun") is True


def belongs(entry: Json, message_id: str) -> bool:
    """Whether an entry is that message: under its own id, or for another try under `id.` and more."""
    key = str(entry.get("idempotencyKey"))
    return key == f"{message_id}:user" or key.startswith(f"{message_id}.")


def _key(entry: Json) -> str:
    """The key that a message was sent under, which is also the name of its own run."""
    return str(entry.get("idempotencyKey")).removesuffix(":user")


def _after(key: str, entries: list[Json]) -> Known:
    """What the assistant wrote to a message: texts between tool calls, and the last one.

    A run that was aborted leaves its half answer as an entry like any other, and then an empty one
    whose stopReason says so; one that was resumed later has its answer after both. A message of later that
    this run took in stands before the answer to both; one with a run of its own has another's answer.
    """
    texts: list[str] = []
    others: set[str] = set()  # messages of later
    run, ended, over, aborted = None, False, False, False
    for entry in entries:
        if entry.get("role") == "user" and entry.get("idempotencyKey"):
            if _resumes(entry) and not others:
                run, ended, over = None, False, False
            elif over or "provenance" in entry:
                break
            else:
                others.add(_key(entry))
        if entry.get("role") != "assistant" or not _speaks(entry, key, run, ended, others):
            continue
        over = entry.get("stopReason") == "error"
        if entry.get("stopReason") == "aborted":
            texts, ended, aborted, over = [], False, True, True
        elif not over:
            text = of_content(entry.get("content"))
            texts.append(text)
            # What stands before a tool call is an entry of its own, without a reason of its own.
            before_tool = "openclawStreamFallback" in entry
            run, ended = _run(entry), bool(text) and entry.get("stopReason") in ENDS and not before_tool
            over = ended
    said = joined(texts)
    return Known(True, said, said=said) if ended else Known(True, aborted=aborted, said=said)


def _speaks(entry: Json, key: str, run: Any, ended: bool, others: set[str]) -> bool:
    """Whether an entry is of the message's run. Behind its end another run may speak: a task that reports.

    A message that was taken in by another run, or waited for it, is answered under that run's name or a new one.
    """
    its = _run(entry)
    if ended or (others and run is not None):
        return bool(its == run)
    return its == key or its not in others


def _run(entry: Json) -> Any:
    about = entry.get("__openclaw")
    return about.get("runId") if isinstance(about, dict) else None


def _resumes(entry: Json) -> bool:
    """The prompt by which the gateway goes on with the turn: not a message, though it has a key of its own."""
    provenance = entry.get("provenance")
    return isinstance(provenance, dict) and provenance.get("sourceTool") == RESUMED_BY

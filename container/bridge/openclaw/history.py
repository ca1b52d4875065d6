"""Looks up in the transcript what became of a message that may have been sent before."""

from dataclasses import dataclass, field, replace
from typing import Any

from bridge.openclaw.gateway import Gateway
from bridge.openclaw.paragraphs import joined, of_content

# The maximum of chat.history. With less, a message further back would look as if it was never sent.
HISTORY_LIMIT = 1000
# chat.history cuts texts at 8,000 characters by default. 500,000 is the limit of its schema.
MAX_CHARS = 500_000
# The `provenance.sourceTool` of the prompt that resumes an interrupted turn (2026.8.2 and 2026.9.1).
RESUMED_BY = "main_session_restart_recovery"
# The stop reasons of an entry that ends a turn (None: OpenClaw itself wrote the answer).
ENDS = (None, "stop", "end_turn", "length")
# The agent writes this word when it chooses to say nothing. We look for it in that many of the last entries.
SILENCE, SILENCE_LIMIT = "NO_REPLY", 50
Json = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """What a transcript says about one message.

    `sent`: the message is in it. `answer`: the complete answer, if there is one. `aborted`: the answer was cut off.
    `active`: a run works in the session now. `running`: a run works, or the gateway will resume one. After a crash
    it resumes a session only if the session's row says "running" (measured on 2026.9.1).
    `said`: all text so far, complete or not. `at`: the place of the answer's last entry in the transcript.
    `together`: ids of all messages that this answer answers, in order: a run takes in what comes meanwhile.
    """

    sent: bool
    answer: str | None = None
    aborted: bool = False
    running: bool = True
    active: bool = False
    said: str = ""
    at: int | None = field(default=None, compare=False)
    together: tuple[str, ...] = field(default=(), compare=False)


class Transcript:
    """A copy of one session's transcript."""

    def __init__(self, gateway: Gateway, session_key: str) -> None:
        request = {"sessionKey": session_key, "limit": HISTORY_LIMIT, "maxChars": MAX_CHARS}
        reply = gateway.request("chat.history", request)
        self.messages: list[Json] = reply.get("messages") or []
        self._session = reply.get("sessionInfo")

    def of(self, message_id: str) -> Known:
        """Find a message by its id, or by the key of a retry: the id, a dot and a suffix (ids have no dot)."""
        active = isinstance(self._session, dict) and self._session.get("hasActiveRun") is True
        known = _known(self.messages, message_id)
        together = tuple(_together(self.messages, known.at)) if known.at is not None else ()
        return replace(known, running=_running(self._session), active=active, together=together)

    def texts(self) -> list[str]:
        return [of_content(entry.get("content")) for entry in self.messages]


def look_up(gateway: Gateway, session_key: str, message_id: str) -> Known:
    """Read the transcript of a session, and look for a message."""
    return Transcript(gateway, session_key).of(message_id)


def _known(messages: list[Json], message_id: str) -> Known:
    for index in reversed(range(len(messages))):
        if messages[index].get("role") == "user" and belongs(messages[index], message_id):
            known = _after(_key(messages[index]), messages[index + 1 :])
            return known if known.at is None else replace(known, at=known.at + index + 1)
    return Known(False)


def _together(messages: list[Json], at: int) -> list[str]:
    """The messages that the answer at that place answers, in order."""
    found: list[str] = []
    for entry in reversed(messages[:at]):
        if entry.get("role") != "user" or not entry.get("idempotencyKey") or "provenance" in entry:
            continue
        name = _key(entry).split(".")[0]
        its = _known(messages, name).at
        if its == at and name not in found:
            found.append(name)
        elif its is not None and its < at:
            break  # an earlier exchange
    return found[::-1]


def chose_silence(gateway: Gateway, session_key: str, message_id: str) -> bool:
    """Whether the agent answered a message with NO_REPLY. `chat.history` leaves that out."""
    reply = gateway.request("sessions.get", {"key": session_key, "limit": SILENCE_LIMIT})
    said = _known(reply.get("messages") or [], message_id).said
    return bool(said) and all(line.strip().upper() == SILENCE for line in said.split("\n") if line.strip())


def _running(session: Any) -> bool:
    """True if the gateway does not say: then it may still go on."""
    if not isinstance(session, dict) or not ({"status", "hasActiveRun"} & session.keys()):
        return True
    return session.get("status") == "running" or session.get("hasActiveRun") is True


def belongs(entry: Json, message_id: str) -> bool:
    """Whether an entry is that message, sent under its id or under the key of a retry."""
    key = str(entry.get("idempotencyKey"))
    return key == f"{message_id}:user" or key.startswith(f"{message_id}.")


def _key(entry: Json) -> str:
    """The key under which a message was sent. It is also the id of the run."""
    return str(entry.get("idempotencyKey")).removesuffix(":user")


def _after(key: str, entries: list[Json]) -> Known:
    """What the assistant wrote to a message: texts between tool calls, and the last text.

    An aborted run leaves its half answer as a normal entry, followed by an empty entry with the stop reason
    "aborted". If the gateway resumed it later, the answer comes after both. `entries` may also contain later
    messages. If this run took a later message in, the answer to both follows that message; so does the answer of a
    run that resumed it (seen on 2026.9.1). If the later message had a run of its own, the text behind it answers only
    that message.
    """
    texts: list[str] = []
    others: set[str] = set()  # later messages
    run, ended, over, aborted, at = None, False, False, False, None
    for index, entry in enumerate(entries):
        if entry.get("role") == "user" and entry.get("idempotencyKey"):
            if resumes(entry) and (not others or _goes_on(entries[:index], others, over)):
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
            # A text before a tool call has its own entry, without a stop reason.
            before_tool = "openclawStreamFallback" in entry
            spoke = bool(text) or has_files(entry)
            run, ended = _run(entry), spoke and entry.get("stopReason") in ENDS and not before_tool
            over, at = ended, index
    said = joined(texts)
    return Known(True, said, said=said, at=at) if ended else Known(True, aborted=aborted, said=said)


def _goes_on(entries: list[Json], others: set[str], over: bool) -> bool:
    """Whether a run that is resumed after these entries took in the later messages, and was cut off before its end."""
    spoken = [entry for entry in entries if entry.get("role") == "assistant"]
    aborted = bool(spoken) and spoken[-1].get("stopReason") == "aborted"
    return (aborted or not over) and not any(_run(entry) in others for entry in spoken)


def _speaks(entry: Json, key: str, run: Any, ended: bool, others: set[str]) -> bool:
    """Whether an entry belongs to the run that answers the message.

    After the end of that run, another run may speak, such as a task that reports. If another run took the message
    in, or the message waited for that run, its answer has the id of that run or a new id.
    """
    its = _run(entry)
    if ended or (others and run is not None):
        return bool(its == run)
    return its == key or its not in others


def _run(entry: Json) -> Any:
    about = entry.get("__openclaw")
    return about.get("runId") if isinstance(about, dict) else None


def has_files(entry: Json) -> bool:
    """Whether an entry gives files to the person: an answer may be nothing else."""
    content = entry.get("content")
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    return any("artifactId" in block or "attachment" in block for block in blocks)


def resumes(entry: Json) -> bool:
    """Whether this is the prompt by which the gateway resumes a turn. It has a key, but it is not a message."""
    provenance = entry.get("provenance")
    return isinstance(provenance, dict) and provenance.get("sourceTool") == RESUMED_BY

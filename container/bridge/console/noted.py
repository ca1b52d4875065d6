"""What a person sends in the Control UI is noted before OpenClaw gets it: a killed container leaves its note."""

import json
import threading
from collections.abc import Callable
from typing import Any

from bridge.shared.aws_errors import AWS_ERRORS
from chalicelib.messages.console_notes import NOTE, close, is_over
from chalicelib.messages.conversations import fit
from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.platform.clock import Clock, now_ms
from chalicelib.platform.models import SettingItem
from chalicelib.wire.protocol import ProtocolError, message_id

Json = dict[str, Any]
# The requests that send a message, and the parameter that names its session.
SENDS = {"chat.send": "sessionKey", "sessions.send": "key"}
MAIN = "agent:main:"


class Unnoted(Exception):
    """The note cannot be written now: the message must not be sent."""


class Noted:
    """The rows console#<id> of Settings. `conversation`: of a session; None if it is in none of our conversations."""

    def __init__(self, user_id: str, conversation: Callable[[str], str | None], clock: Clock = now_ms) -> None:
        self._user_id = user_id
        self._conversation = conversation
        self._clock = clock
        self._waiting: dict[str, tuple[str, Message]] = {}  # session and message, by id
        self._all: set[str] = set()  # ids, also of those that are over
        self._loaded = False
        self._lock = threading.Lock()

    def note(self, request: str) -> None:
        """A request of the page, before it is sent. Raises Unnoted."""
        sent = _sent(request)
        if sent is None or sent[0] in self._all:
            return
        name, session, text = sent
        try:
            conversation = self._conversation(session)
            if conversation is None:
                return
            at = self._clock()
            value = {"session": session, "conversation": conversation, "text": fit(text), "at": at}
            SettingItem(self._user_id, NOTE + name, value=value).save()
        except AWS_ERRORS as error:
            log.failure("console_unnoted", error)
            raise Unnoted from None
        self._add(name, session, Message(self._user_id, name, text, conversation, at))

    def waiting(self) -> dict[str, list[Message]]:
        """By session, in the order in which they were sent. Raises as AWS does, the first time."""
        if not self._loaded:
            self._load()
        with self._lock:
            found: dict[str, list[Message]] = {}
            for session, message in sorted(self._waiting.values(), key=lambda entry: entry[1].queued_at):
                found.setdefault(session, []).append(message)
            return found

    def knows(self, name: str) -> bool:
        """Whether a message was sent in the console, in this container's life or an earlier one."""
        return name in self._all or is_over(self._user_id, name)

    def waits(self, name: str) -> bool:
        return name in self._waiting

    def waits_in(self, session: str) -> bool:
        with self._lock:
            return any(session == where for where, _ in self._waiting.values())

    def over(self, name: str) -> None:
        """Its rows are written, or there will be none."""
        close(self._user_id, name, self._clock())
        with self._lock:
            self._waiting.pop(name, None)

    def _load(self) -> None:
        for row in SettingItem.query(self._user_id, SettingItem.key.startswith(NOTE), consistent_read=True):
            name, value = row.key.removeprefix(NOTE), row.value
            message = Message(self._user_id, name, str(value["text"]), str(value["conversation"]), int(value["at"]))
            self._add(name, str(value["session"]), message)
        self._loaded = True

    def _add(self, name: str, session: str, message: Message) -> None:
        with self._lock:
            self._all.add(name)
            self._waiting[name] = (session, message)


def _sent(request: str) -> tuple[str, str, str] | None:
    """Id, session and text of a message of a person's; None for any other request and for a slash command."""
    if not any(f'"{method}"' in request for method in SENDS):
        return None
    try:
        asked = json.loads(request)
    except (ValueError, RecursionError):
        return None
    params = asked.get("params") if isinstance(asked, dict) else None
    if not isinstance(params, dict) or asked.get("method") not in SENDS:
        return None
    session, text = params.get(SENDS[asked["method"]]), params.get("message")
    if not isinstance(session, str) or not isinstance(text, str) or text.lstrip().startswith("/"):
        return None
    try:
        name = message_id({"id": params.get("idempotencyKey")})
    except ProtocolError:
        log.event("console_unnamed")  # no id of ours: the transcript has it, the history does not
        return None
    return str(name), _whole(session), "\n".join([text, *_files(params.get("attachments"))]).strip()


def _whole(session: str) -> str:
    """A session's full name, as events have it."""
    lowered = session.strip().lower()
    return lowered if lowered.startswith("agent:") else MAIN + lowered


def _files(attachments: Any) -> list[str]:
    named = [entry for entry in attachments if isinstance(entry, dict)] if isinstance(attachments, list) else []
    return [f"📎 {entry.get('fileName') or entry.get('type') or 'file'}"[:200] for entry in named]

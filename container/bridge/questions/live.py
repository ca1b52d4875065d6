"""The questions that OpenClaw waits for now, as all threads see them."""

import threading
from collections import deque
from dataclasses import dataclass, field

from bridge.turns.outcome import session_key
from chalicelib.messages.questions import QUESTION, Question
from chalicelib.platform.clock import MINUTE, now_ms

# After its time a question is withdrawn at once. If that does not work either, its session counts as silent.
OVERTIME = MINUTE
REMEMBERED = 200


@dataclass
class Entry:
    """`ended`: nobody waits for it any more. `closed` is set with `end`, its closed row (None: the container ends)."""

    question: Question
    ended: bool = False
    end: Question | None = None
    closed: threading.Event = field(default_factory=threading.Event)


class Live:
    """By the gateway's id. An entry stays until the end of its question is shown everywhere."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._resolved: deque[str] = deque(maxlen=REMEMBERED)  # ids that OpenClaw does not wait for any more
        self._lock = threading.Lock()

    def keep(self, question: Question) -> None:
        """A new one, or its row as it is now."""
        with self._lock:
            self._entries.setdefault(question.gateway_id, Entry(question)).question = question

    def of(self, gateway_id: str) -> Question | None:
        with self._lock:
            entry = self._entries.get(gateway_id)
            return entry.question if entry is not None else None

    def all(self) -> list[Question]:
        with self._lock:
            return [entry.question for entry in self._entries.values()]

    def asked_in(self, conversation_id: str) -> Entry | None:
        """The question of a conversation that a written reply would answer."""
        with self._lock:
            open_now = [entry for entry in self._entries.values() if not entry.ended]
        mine = [entry for entry in open_now if entry.question.conversation_id == conversation_id]
        return next((entry for entry in mine if entry.question.kind == QUESTION), None)

    def waits_in(self, session: str) -> bool:
        """Whether a person is asked something in that session. A question past its time does not count."""
        with self._lock:
            open_now = [entry.question for entry in self._entries.values() if not entry.ended]
        waits = [one for one in open_now if one.expires_at + OVERTIME > now_ms()]
        return any(session_key(one.conversation_id) == session for one in waits)

    def resolved(self, gateway_id: str) -> None:
        """OpenClaw waits for it no more. A retry that is still to ask it must know."""
        with self._lock:
            self._resolved.append(gateway_id)

    def is_resolved(self, gateway_id: str) -> bool:
        with self._lock:
            return gateway_id in self._resolved

    def end(self, gateway_id: str) -> None:
        with self._lock:
            if (entry := self._entries.get(gateway_id)) is not None:
                entry.ended = True

    def closed(self, row: Question) -> None:
        with self._lock:
            if (entry := self._entries.get(row.gateway_id)) is not None:
                entry.ended, entry.end = True, row
                entry.closed.set()

    def drop(self, gateway_id: str) -> None:
        with self._lock:
            self._entries.pop(gateway_id, None)

    def abandon(self) -> None:
        """The container ends: nobody may wait any longer."""
        with self._lock:
            for entry in self._entries.values():
                entry.closed.set()

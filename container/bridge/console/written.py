"""What is said in the Control UI becomes ordinary rows of our history: the person's words, then the answer.

    note (noted.py) -> OpenClaw commits the words -> their row -> it commits the answer -> its row -> the note goes

The transcript is the truth: a row's key is made of the time at which OpenClaw committed the words, so a step that a
crash repeats writes the same row. Runs on the outbox's thread.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bridge.console.noted import Noted
from bridge.files.shelf import NOTHING, Shelf
from bridge.openclaw.events import End, Reducer
from bridge.openclaw.gateway import Gateway
from bridge.openclaw.history import Known, Transcript, belongs, chose_silence
from bridge.provider.failures import explained
from bridge.turns.delivery import Delivery
from bridge.turns.outcome import CRASHED, STEERED
from chalicelib.messages.conversations import Conversations, answer_row, failure_row, question_row
from chalicelib.messages.inbox import Message
from chalicelib.messages.proactive import frame, save
from chalicelib.platform import log
from chalicelib.platform.clock import MINUTE, Clock, now_ms
from chalicelib.platform.models import ConversationItem

Json = dict[str, Any]
WORD = "console"  # asks the outbox's thread for a look
# A message that is in no transcript by then was refused, or its state was lost. If its run is gone, it has no answer.
LOST = 30 * MINUTE
BROKEN_OFF = "The agent was interrupted before it had answered. Ask again."


class Written:
    """`ask` calls `look` soon, on the outbox's thread; `hear` and `stray` are called by the gateway's reader."""

    def __init__(
        self,
        noted: Noted,
        delivery: Delivery,
        expires_at: Callable[[int], int | None],
        ask: Callable[[], None],
        clock: Clock = now_ms,
    ) -> None:
        self._noted = noted
        self._delivery = delivery
        self._expires_at = expires_at
        self._ask = ask
        self._clock = clock
        self._shown: set[str] = set()  # keys of rows that the tabs have
        self._ends: dict[str, End] = {}  # of runs that wait, by the message's id
        self._lock = threading.Lock()
        self.shelf: Shelf | None = None
        self.on_kept: Callable[[], None] = lambda: None  # an exchange is in the history: it is worth a save

    def hear(self, event: Json) -> None:
        payload = event.get("payload") or {}
        if event.get("event") == "session.message" and self._noted.waits_in(str(payload.get("sessionKey")).lower()):
            self._ask()

    def stray(self, event: Json) -> None:
        """An event of a run that no turn of ours follows."""
        payload = event.get("payload") or {}
        run = str(payload.get("runId"))
        if event.get("event") != "chat" or not self._noted.waits(run):
            return
        end = Reducer().feed(event)
        if isinstance(end, End) and end.reason != "restart":
            with self._lock:
                self._ends[run] = end
            self._ask()

    def look(self, gateway: Gateway) -> None:
        """Write what is there. Raises as the gateway and AWS do: then all of it is done again."""
        for session, messages in self._noted.waiting().items():
            transcript = Transcript(gateway, session)
            for message in messages:
                self._settle(gateway, session, transcript, message)

    def _settle(self, gateway: Gateway, session: str, transcript: Transcript, message: Message) -> None:
        known = transcript.of(message.id)
        if not known.sent:
            if self._clock() - message.queued_at > LOST:
                log.event("console_lost", message_id=message.id)
                self._noted.over(message.id)
            return
        message = replace(message, queued_at=_committed(transcript, message))
        self._save(question_row(message, self._until()), message)
        answer = self._answer(gateway, session, known, message)
        if answer is None:
            return
        self._save(answer, message)
        self._noted.over(message.id)
        with self._lock:
            self._ends.pop(message.id, None)
        log.event("console_kept", message_id=message.id, reason=answer.reason)
        self.on_kept()

    def _answer(self, gateway: Gateway, session: str, known: Known, message: Message) -> ConversationItem | None:
        """The row of the answer; None while it is not over."""
        now, until, end = self._clock(), self._until(), self._ends.get(message.id)
        folded = end is not None and end.reason == "final" and not end.text
        if known.answer is not None and not folded and not self._elsewhere(known, message.id):
            kept = self.shelf.of_answer(gateway, session, message.id) if self.shelf is not None else NOTHING
            row = answer_row(message, kept.text(known.answer), "final", now, until)
            row.files = list(kept.files) or None
            return row
        if known.answer is not None:
            return answer_row(message, "", STEERED, now, until)
        if folded:  # another run has taken it in, or the agent chose silence
            silent = chose_silence(gateway, session, message.id)
            return answer_row(message, "", "final" if silent else STEERED, now, until)
        if end is not None and end.reason == "error":
            code, text = explained(end.failures, end.error)
            return failure_row(message, known.said, {"code": code, "message": text}, now, until)
        if known.aborted and not known.active:
            return answer_row(message, end.text if end is not None else known.said, "aborted", now, until)
        if end is None and not known.running and now - message.queued_at > LOST:
            return failure_row(message, known.said, {"code": CRASHED, "message": BROKEN_OFF}, now, until)
        return None

    def _elsewhere(self, known: Known, name: str) -> bool:
        """Whether another message has the answer of both: one of the page, or the first one of the console.

        Only the transcript says so, and a killed container leaves no more than that.
        """
        others = [other for other in known.together if other != name]
        first = known.together[:1] == (name,)
        return bool(others) and not (first and all(self._noted.knows(other) for other in others))

    def _save(self, row: ConversationItem, message: Message) -> None:
        if not save(row):
            if row.item_key in self._shown:
                return
            row.refresh(consistent_read=True)  # what a killed container wrote is what counts
        self._shown.add(str(row.item_key))
        self._delivery.refresh()
        self._delivery.everyone(frame(row))
        if row.content:
            until = self._until()
            Conversations(self._clock).touch(message.user_id, message.conversation_id, row.content, until)

    def _until(self) -> int | None:
        return self._expires_at(self._clock())


def _committed(transcript: Transcript, message: Message) -> int:
    """When OpenClaw took the words, by its transcript. It stays with them in a snapshot."""
    for entry in transcript.messages:
        about = entry.get("__openclaw")
        if entry.get("role") == "user" and belongs(entry, message.id) and isinstance(about, dict):
            return int(about.get("recordTimestampMs") or message.queued_at)
    return message.queued_at

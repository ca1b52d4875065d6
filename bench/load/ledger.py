"""Records what every person sent and how it ended. Many threads write to it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Sent:
    """One message; times are of time.monotonic, 0 for what has not happened."""

    id: str
    token: str
    channel: str
    conversation: str
    cold: bool  # no container ran when it was sent
    at: float = field(default_factory=time.monotonic)
    accepted: float = 0.0
    first: float = 0.0
    ended: float = 0.0
    refused: str = ""


class Ledger:
    """A person's messages in the order they were sent, and what the person's tabs saw."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.sent: dict[str, Sent] = {}
        self.finals: dict[tuple[int, str], int] = {}  # (tab, message): final ends seen
        self.ended_order: list[str] = []
        self.lost_sockets = 0

    def add(self, sent: Sent) -> Sent:
        with self._lock:
            self.sent[sent.id] = sent
        return sent

    def heard(self, tab: int, frame: Json) -> None:
        """A frame that came to one of the person's tabs."""
        with self._lock:
            self._heard(tab, frame, time.monotonic())

    def _heard(self, tab: int, frame: Json, at: float) -> None:
        sent = self.sent.get(str(frame.get("id") or frame.get("replyTo") or ""))
        if sent is None:
            return
        hear = HEAR.get(frame["type"])
        if hear is not None:
            hear(self, tab, sent, frame, at)

    def on_ack(self, _: int, sent: Sent, __: Json, at: float) -> None:
        sent.accepted = sent.accepted or at

    def on_error(self, _: int, sent: Sent, frame: Json, __: float) -> None:
        sent.refused = str(frame["code"])

    def on_chunk(self, _: int, sent: Sent, __: Json, at: float) -> None:
        sent.first = sent.first or at

    def on_end(self, tab: int, sent: Sent, frame: Json, at: float) -> None:
        if frame["reason"] != "final":
            return
        key = (tab, sent.id)
        self.finals[key] = self.finals.get(key, 0) + 1
        if not sent.ended:
            sent.ended = at
            self.ended_order.append(sent.id)

    def open(self) -> list[Sent]:
        """Messages that were accepted and have no complete answer in any tab yet."""
        with self._lock:
            return [sent for sent in self.sent.values() if not sent.ended and not sent.refused]


# By a frame's type; called with the lock held. Other types say nothing about a message.
HEAR: dict[str, Callable[[Ledger, int, Sent, Json, float], None]] = {
    "ack": Ledger.on_ack,
    "error": Ledger.on_error,
    "stream_chunk": Ledger.on_chunk,
    "stream_end": Ledger.on_end,
}

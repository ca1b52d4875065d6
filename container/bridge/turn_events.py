"""The gateway's events of one run, reduced to what a turn needs."""

import queue
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bridge.gateway import CLOSED, ERROR_LENGTH, GatewayClosed

Json = dict[str, Any]
JOIN = "\n\n"
NAME_LENGTH = 100  # of a tool, in characters


@dataclass(frozen=True)
class Text:
    """The whole text so far."""

    text: str


@dataclass(frozen=True)
class Activity:
    kind: str
    name: str | None = None
    state: str | None = None


@dataclass(frozen=True)
class End:
    """The run's one terminal event; reason is final, aborted, error or restart (OpenClaw starts itself anew)."""

    reason: str
    text: str
    error: str = ""


class SilentRun(Exception):
    """No event for longer than a turn may be silent."""


class Reducer:
    """Keeps the text of a run: it starts anew with each item (after a tool call), and is joined."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._item: str | None = None
        self._current = ""

    def text(self) -> str:
        return JOIN.join(part for part in [*self._done, self._current] if part)

    def feed(self, frame: Json) -> Text | Activity | End | None:
        """One event in, at most one out."""
        payload = frame["payload"]
        if frame.get("event") == "chat":
            return self._chat(payload)
        data = payload.get("data") or {}
        stream = payload.get("stream")
        if stream == "assistant":
            return self._assistant(data)
        if stream == "tool" and data.get("phase") in ("start", "result"):
            name = str(data.get("name", ""))[:NAME_LENGTH]
            return Activity("tool", name, "start" if data["phase"] == "start" else "end")
        if stream == "run_status":
            return Activity("thinking")
        return None

    def _assistant(self, data: Json) -> Text:
        item = str(data.get("itemId"))
        if self._item is not None and item != self._item:
            self._done.append(self._current)
        self._item = item
        self._current = clean(str(data.get("text", "")))
        return Text(self.text())

    def _chat(self, payload: Json) -> Text | End | None:
        state = payload.get("state")
        whole = _message_text(payload)
        if state == "delta" and self._item is None:
            self._current = whole
            return Text(whole)
        if state == "final":
            return End("final", whole or self.text())
        if state == "aborted" and payload.get("stopReason") == "restart":
            return End("restart", self.text())
        if state == "aborted" and payload.get("stopReason") == "timeout":
            return End("error", self.text(), "the run took too long")
        if state == "aborted" and payload.get("stopReason") == "stop" and not (whole or self.text()):
            return End("final", "")  # the agent chose to say nothing (NO_REPLY)
        if state == "aborted":
            # The gateway's own text may be behind the deltas: nothing that was shown is taken back.
            return End("aborted", max(whole, self.text(), key=len))
        if state == "error":
            return End("error", self.text(), str(payload.get("errorMessage", ""))[:ERROR_LENGTH])
        return None


def _message_text(payload: Json) -> str:
    message = payload.get("message") or {}
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return clean("".join(str(part.get("text", "")) for part in parts if part.get("type") == "text"))


def clean(text: str) -> str:
    """A stream may be cut inside a surrogate pair; the half fits no frame and no table."""
    return text.encode(errors="replace").decode()


def events_of(
    frames: "queue.Queue[Json]", silence_seconds: float, reducer: Reducer | None = None
) -> Iterator[Text | Activity | End]:
    """A run's events until its End. `reducer`: of an earlier call, to go on. Raises GatewayClosed, SilentRun."""
    reducer = reducer or Reducer()
    while True:
        deadline = time.monotonic() + silence_seconds
        try:
            frame = frames.get(timeout=max(deadline - time.monotonic(), 0.01))
        except queue.Empty:
            raise SilentRun(f"no event for {silence_seconds} s") from None
        if frame is CLOSED:
            raise GatewayClosed("in mid-turn")
        event = reducer.feed(frame)
        if event is not None:
            yield event
        if isinstance(event, End):
            return

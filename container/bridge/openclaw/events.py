"""Reduces the gateway's events of one run to what a turn needs: text, activity, the end."""

import queue
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bridge.openclaw.gateway import CLOSED, ERROR_LENGTH, GatewayClosed
from bridge.openclaw.paragraphs import begins, clean, joined, of_content, settled
from bridge.provider.failures import TOO_LONG, Failure, of_detail, of_step

Json = dict[str, Any]
DELTAS = "deltas"  # the item id for a run without assistant items
NO_TEXT = "NO_TEXT"  # the model answered without text
REDACTED = "[Reasoning redacted]"  # OpenClaw's word for a thought that the provider encrypts
NAME_LENGTH = 100  # of a tool, in characters


@dataclass(frozen=True)
class Text:
    """The whole text so far."""

    text: str


@dataclass(frozen=True)
class Thought:
    """What the model has thought so far in this call; empty if its provider does not show that."""

    text: str


@dataclass(frozen=True)
class Activity:
    """What the agent does now. `data`: the gateway's event of a tool call."""

    kind: str
    name: str | None = None
    state: str | None = None
    data: Json = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Model:
    """The model that gave the answer, as provider/model."""

    name: str


@dataclass(frozen=True)
class End:
    """The last event of a run. Reason is final, aborted, error or restart (OpenClaw restarts itself).

    `failures`: for an error, the models that failed, in the order in which they were tried.
    """

    reason: str
    text: str
    error: str = ""
    failures: tuple[Failure, ...] = ()


Event = Text | Thought | Activity | Model | End


class SilentRun(Exception):
    """No event came for longer than a turn may be silent."""


@dataclass
class _Part:
    """A text between tool calls. `preamble`: it came with a tool call and not as text of the answer."""

    item: str
    text: str
    preamble: bool = False


class Reducer:
    """Collects the text of a run, part by part. `before`: the text of an earlier run of the same turn."""

    def __init__(self, before: str = "") -> None:
        self._parts = [_Part("", before)] if before else []
        self._streamed = False
        self._failures: list[Failure] = []
        self.heard = time.monotonic()  # when the run last gave a sign of life, of whatever kind

    def text(self) -> str:
        return joined(part.text for part in self._parts)

    def feed(self, frame: Json) -> Event | None:
        """Take one gateway event; returns at most one event for the turn."""
        self.heard = time.monotonic()
        payload = frame["payload"]
        if frame.get("event") == "chat":
            return self._chat(payload)
        data = payload.get("data") or {}
        stream = payload.get("stream")
        if stream == "assistant":
            return self._assistant(str(data.get("itemId")), clean(str(data.get("text", ""))))
        if stream == "item" and data.get("kind") == "preamble":
            return self._preamble(str(data.get("itemId")), clean(str(data.get("progressText", ""))))
        if stream == "tool" and data.get("phase") in ("start", "result"):
            name = str(data.get("name", ""))[:NAME_LENGTH]
            return Activity("tool", name, "start" if data["phase"] == "start" else "end", data)
        if stream == "lifecycle" and data.get("phase") == "fallback_step":
            self._failures.append(of_step(data, ERROR_LENGTH))
        if stream == "lifecycle" and data.get("phase") == "end":
            return _model(data.get("terminalReceipt"))
        if stream == "thinking":
            return Thought(clean(str(data.get("text", ""))).replace(REDACTED, "").strip())
        return Activity("thinking") if stream == "run_status" else None

    def _assistant(self, item: str, text: str) -> Text:
        if not self._streamed and self._parts and self._parts[-1].item == DELTAS:
            self._parts.pop()  # the start of the same text: we missed the first event of the item
        self._streamed = True
        self._put(_Part(item, text))
        return Text(self.text())

    def _preamble(self, item: str, text: str) -> Text | None:
        """Text before a tool call. Claude sends it only here; other models have already streamed it."""
        last = self._parts[-1] if self._parts else None
        if not text.strip() or (last and not last.preamble and last.item and begins(last.text, text)):
            return None
        self._put(_Part(item, text, preamble=True))
        return Text(self.text())

    def _put(self, part: _Part) -> None:
        """Each item is one part. It grows until the next item starts."""
        if self._parts and self._parts[-1].item == part.item:
            self._parts[-1] = part
        else:
            self._parts.append(part)

    def _chat(self, payload: Json) -> Text | End | None:
        state, whole = payload.get("state"), of_content((payload.get("message") or {}).get("content"))
        if state == "delta" and not self._streamed:
            self._put(_Part(DELTAS, whole))
            return Text(self.text())
        if state == "error":
            return self._failed(payload)
        settled_text = settled(self._shown(), whole)
        if state == "final":
            return End("final", settled_text)
        return self._aborted(str(payload.get("stopReason")), settled_text) if state == "aborted" else None

    def _shown(self) -> list[str]:
        """The texts so far. Only the last may still grow: an empty text is added if the last part is complete."""
        parts = [part for part in self._parts if part.text.strip()]
        grown = bool(parts) and (parts[-1].preamble or not parts[-1].item)
        return [part.text for part in parts] + [""] * grown

    def _aborted(self, why: str, whole: str) -> End:
        if why == "restart":
            return End("restart", self.text())
        if why == "timeout":
            return End("error", self.text(), TOO_LONG)
        if why == "stop" and not whole:
            return End("final", "", NO_TEXT)  # the agent chose silence (NO_REPLY), or the model gave no text
        # The gateway's text may be shorter than what we have shown. Keep what was shown.
        return End("aborted", max(whole, self.text(), key=len))

    def _failed(self, payload: Json) -> End:
        last = of_detail(payload.get("errorDetail"))
        failures = self._failures or ([last] if last else [])
        return End("error", self.text(), str(payload.get("errorMessage", ""))[:ERROR_LENGTH], tuple(failures))


def _model(receipt: Any) -> Model | None:
    used = receipt.get("effective") if isinstance(receipt, dict) else None
    if not isinstance(used, dict) or not used.get("model"):
        return None
    return Model(f"{used.get('provider')}/{used['model']}"[:NAME_LENGTH])


def events_of(frames: "queue.Queue[Json]", silence_seconds: float, reducer: Reducer | None = None) -> Iterator[Event]:
    """The events of a run until its End. `reducer`: of an earlier call, to go on. Raises GatewayClosed, SilentRun."""
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

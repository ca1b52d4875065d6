"""The gateway's events of one run, reduced to what a turn needs."""

import queue
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bridge.openclaw.gateway import CLOSED, ERROR_LENGTH, GatewayClosed
from bridge.openclaw.paragraphs import begins, clean, joined, of_content, settled
from bridge.provider.failures import TOO_LONG, Failure, of_detail, of_step

Json = dict[str, Any]
DELTAS = "deltas"  # the item of a run that streams none
NO_TEXT = "NO_TEXT"  # the model was asked and gave no text
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
    """The run's one terminal event; reason is final, aborted, error or restart (OpenClaw starts itself anew).

    `failures`: the models that were tried in vain in a run that ended with an error.
    """

    reason: str
    text: str
    error: str = ""
    failures: tuple[Failure, ...] = ()


class SilentRun(Exception):
    """No event for longer than a turn may be silent."""


@dataclass
class _Part:
    """A text between tool calls; one of a `preamble` came with the tool call, not as the answer's own text."""

    item: str
    text: str
    preamble: bool = False


class Reducer:
    """Keeps the text of a run, part by part. `before`: what an earlier run of the same turn has said."""

    def __init__(self, before: str = "") -> None:
        self._parts = [_Part("", before)] if before else []
        self._streamed = False
        self._failures: list[Failure] = []

    def text(self) -> str:
        return joined(part.text for part in self._parts)

    def feed(self, frame: Json) -> Text | Activity | End | None:
        """One event in, at most one out."""
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
            return Activity("tool", name, "start" if data["phase"] == "start" else "end")
        if stream == "lifecycle" and data.get("phase") == "fallback_step":
            self._failures.append(of_step(data, ERROR_LENGTH))
        return Activity("thinking") if stream == "run_status" else None

    def _assistant(self, item: str, text: str) -> Text:
        if not self._streamed and self._parts and self._parts[-1].item == DELTAS:
            self._parts.pop()  # the beginning of the same: the item's first event was missed
        self._streamed = True
        self._put(_Part(item, text))
        return Text(self.text())

    def _preamble(self, item: str, text: str) -> Text | None:
        """What Claude says before a tool call comes only so; with other models it was in the stream already."""
        last = self._parts[-1] if self._parts else None
        if not text.strip() or (last and not last.preamble and last.item and begins(last.text, text)):
            return None
        self._put(_Part(item, text, preamble=True))
        return Text(self.text())

    def _put(self, part: _Part) -> None:
        """A part starts anew with each item, and grows until the next one."""
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
        """The parts, of which the last one may still grow: what came before the answer's own text does not."""
        parts = [part for part in self._parts if part.text.strip()]
        grown = bool(parts) and (parts[-1].preamble or not parts[-1].item)
        return [part.text for part in parts] + [""] * grown

    def _aborted(self, why: str, whole: str) -> End:
        if why == "restart":
            return End("restart", self.text())
        if why == "timeout":
            return End("error", self.text(), TOO_LONG)
        if why == "stop" and not whole:
            return End("final", "", NO_TEXT)  # the agent chose to say nothing (NO_REPLY), or failed to speak
        # The gateway's own text may be behind the deltas: nothing that was shown is taken back.
        return End("aborted", max(whole, self.text(), key=len))

    def _failed(self, payload: Json) -> End:
        last = of_detail(payload.get("errorDetail"))
        failures = self._failures or ([last] if last else [])
        return End("error", self.text(), str(payload.get("errorMessage", ""))[:ERROR_LENGTH], tuple(failures))


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

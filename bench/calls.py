"""Counts AWS calls and the longest chain of them that cannot run at once."""

import threading
import time
from dataclasses import dataclass
from typing import Any

from chalicelib.platform import aws


@dataclass(frozen=True)
class Call:
    operation: str
    begun: float
    ended: float


class Recorder:
    """Begin and end of every call of the shared session's clients.

    `delay` makes each call longer, so that parallel calls overlap on a busy machine too.
    """

    def __init__(self, delay: float) -> None:
        self.calls: list[Call] = []
        self._delay = delay
        self._open = threading.local()

    def attach(self) -> None:
        for events in self._emitters():
            events.register("before-call.*.*", self._before)
            events.register("after-call.*.*", self._after)

    def detach(self) -> None:
        for events in self._emitters():
            events.unregister("before-call.*.*", self._before)
            events.unregister("after-call.*.*", self._after)

    @staticmethod
    def _emitters() -> list[Any]:
        session: Any = aws.session().get_component("event_emitter")
        return [session, *(client.meta.events for client in list(aws._clients.values()))]

    def _before(self, model: Any, **_: Any) -> None:
        self._open.begun = time.monotonic()
        time.sleep(self._delay)

    def _after(self, model: Any, **_: Any) -> None:
        self.calls.append(Call(model.name, self._open.begun, time.monotonic()))

    def depth(self, until: str | None = None) -> int:
        """How many calls had to wait for each other; `until` the first call of an operation, that one too."""
        last = min((call.begun for call in self.calls if call.operation == until), default=None)
        calls = [call for call in self.calls if last is None or call.begun <= last]
        chain, end = 0, 0.0
        for call in sorted(calls, key=lambda call: call.ended):
            if call.begun >= end:
                chain, end = chain + 1, call.ended
        return chain

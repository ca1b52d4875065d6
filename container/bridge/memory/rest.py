"""Keeps turns and snapshots apart: a snapshot begins between turns, and a turn waits while one is taken."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from bridge.shared.rest import Fence, NotAtRest

# While a turn of ours runs, nobody else needs to be asked.
TURN_SECONDS = 1.0


class Rest:
    """`fence` closes OpenClaw itself: for automations, sub-agents and commands that are no turns of ours."""

    def __init__(self, fence: Fence = nullcontext) -> None:
        self._fence = fence
        self._turns = 0
        self._since = 0.0  # when the first of the running turns began, or the one before it that overlaps
        self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """For the time of a turn; waits for the copy of a snapshot, about 0.1 s."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            if not self._turns:
                self._since = time.monotonic()
            self._turns += 1
        try:
            yield
        finally:
            with self._changed:
                self._turns -= 1

    def restless(self) -> float:
        """For how many seconds turns have been running without a pause."""
        with self._changed:
            return time.monotonic() - self._since if self._turns else 0.0

    @contextmanager
    def closed(self, fenced: bool = True) -> Iterator[None]:
        """Nothing runs and nothing begins meanwhile. `fenced` False: only turns of ours. Raises NotAtRest."""
        with self._changed:
            if self._turns:
                raise NotAtRest("turn", TURN_SECONDS)
            self._closed = True
        try:
            with self._fence() if fenced else nullcontext():
                yield
        finally:
            with self._changed:
                self._closed = False
                self._changed.notify_all()

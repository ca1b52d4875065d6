"""Whether the agent is at rest: what a snapshot waits for, and who says so."""

from collections.abc import Callable
from contextlib import AbstractContextManager


class NotAtRest(Exception):
    """Something runs. `seconds` is when it is worth another try; `what` names it, for the log."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(what)
        self.what = what
        self.seconds = seconds


# Keeps the agent at rest while it is open. Raises NotAtRest on entry.
Fence = Callable[[], AbstractContextManager[None]]

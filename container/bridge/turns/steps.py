"""Times the steps of something, for the log."""

import time


class Steps:
    """How long each step of something took, for the log."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def done(self, step: str) -> None:
        now = time.monotonic()
        self.seconds[step] = round(now - self._since, 2)
        self._since = now

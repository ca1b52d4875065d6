"""Messages in numbered pieces: put in order and together again."""

import time

# A message of the page's: attachments of a chat are the largest.
MAX_MESSAGE = 8_000_000
# Pieces that came before one that is still on its way.
MAX_EARLY = 400
# Seconds that the page waits for a piece: a function may have to start first.
LATE_SECONDS = 15.0


class Broken(Exception):
    """Pieces are missing, or too many came."""


class Gatherer:
    """One direction of a tunnel."""

    def __init__(self) -> None:
        self._next = 1
        self._early: dict[int, tuple[str, bool]] = {}
        self._parts: list[str] = []
        self._size = 0
        self._waits_since: float | None = None

    def put(self, seq: int, data: str, more: bool) -> list[str]:
        """The messages that are whole now, in their order. A piece that came before is left out. Raises Broken."""
        if seq < self._next or seq in self._early:
            return []
        self._early[seq] = (data, more)
        if len(self._early) > MAX_EARLY:
            raise Broken("a piece is missing")
        whole = []
        while (piece := self._early.pop(self._next, None)) is not None:
            self._next += 1
            message = self._add(*piece)
            if message is not None:
                whole.append(message)
        self._waits_since = (self._waits_since or time.monotonic()) if self._early else None
        return whole

    def late(self) -> bool:
        """Whether a piece has not come while later ones wait."""
        since = self._waits_since
        return since is not None and time.monotonic() - since > LATE_SECONDS

    def _add(self, data: str, more: bool) -> str | None:
        self._size += len(data)
        if self._size > MAX_MESSAGE:
            raise Broken("a message is too long")
        self._parts.append(data)
        if more:
            return None
        message, self._parts, self._size = "".join(self._parts), [], 0
        return message

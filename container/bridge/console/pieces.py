"""Messages in numbered pieces: put in order and together again."""

# A message of the page's: attachments of a chat are the largest.
MAX_MESSAGE = 8_000_000
# Pieces that came before one that is still on its way.
MAX_EARLY = 200


class Broken(Exception):
    """Pieces are missing, or too many came."""


class Gatherer:
    """One direction of a tunnel."""

    def __init__(self) -> None:
        self._next = 1
        self._early: dict[int, tuple[str, bool]] = {}
        self._parts: list[str] = []
        self._size = 0

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
        return whole

    def _add(self, data: str, more: bool) -> str | None:
        self._size += len(data)
        if self._size > MAX_MESSAGE:
            raise Broken("a message is too long")
        self._parts.append(data)
        if more:
            return None
        message, self._parts, self._size = "".join(self._parts), [], 0
        return message

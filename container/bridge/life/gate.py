"""An inbox from which nothing is taken for a while."""

import threading
from collections.abc import Sequence

from chalicelib.messages.inbox import Inbox, Message, NotClaimable, Run


class Gate(Inbox):
    """While it is closed, messages wait as if there were none. No claim is under way once `close` returns."""

    def __init__(self) -> None:
        super().__init__()
        self._claiming = threading.Lock()
        self._closed = False

    def close(self) -> None:
        with self._claiming:
            self._closed = True

    def open(self) -> None:
        self._closed = False

    def waiting(self, user_id: str, limit: int | None = None) -> list[Message]:
        return [] if self._closed else super().waiting(user_id, limit)

    def behind(self, user_id: str) -> bool:
        """Whether a message waits, closed or not."""
        return bool(super().waiting(user_id, 1))

    def claim(self, message: Message, generation: int, run: Run, others: Sequence[Run] = ()) -> Message:
        with self._claiming:
            if self._closed:
                raise NotClaimable(message.id)
            return super().claim(message, generation, run, others)

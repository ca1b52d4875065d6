"""The user's open tabs, while the first words are said."""

import time

from chalicelib.platform import log
from chalicelib.platform.parallel import each
from chalicelib.wire.connections import Connection, Connections, Gone, Post
from chalicelib.wire.protocol import Frame

LOOK_SECONDS = 2.0


class Tabs:
    """Looked up again after some seconds: a page that is loaded in between goes on with the next frame."""

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self._connections = Connections()
        self._tabs: list[Connection] = []
        self._looked: float | None = None

    def show(self, frame: Frame) -> None:
        """To all of them at once. A tab that fails misses a frame, and the next one has all its text."""
        now = time.monotonic()
        if self._looked is None or now - self._looked > LOOK_SECONDS:
            self._tabs, self._looked = self._connections.of_user(self._user_id), now
        for error in each([lambda tab=tab: self._send(tab, frame) for tab in list(self._tabs)]):  # type: ignore[misc]
            if error is not None:
                log.failure("tell_failed", error, user=self._user_id)

    def _send(self, tab: Connection, frame: Frame) -> None:
        try:
            Post().to(tab.id, tab.endpoint, frame)
        except Gone:
            self._tabs.remove(tab)
            self._connections.remove(tab.id)

"""The user's open tabs, while the first words are said."""

from chalicelib.platform import log
from chalicelib.platform.parallel import each
from chalicelib.wire.connections import Connection, Connections, Gone, Post
from chalicelib.wire.protocol import Frame


class Tabs:
    """Looked up at the first frame. A tab that opens later finds the words in the history."""

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self._connections = Connections()
        self._tabs: list[Connection] | None = None

    def show(self, frame: Frame) -> None:
        """To all of them at once. A tab that fails misses a frame, and the next one has all its text."""
        if self._tabs is None:
            self._tabs = self._connections.of_user(self._user_id)
        for error in each([lambda tab=tab: self._send(tab, frame) for tab in list(self._tabs)]):  # type: ignore[misc]
            if error is not None:
                log.failure("tell_failed", error, user=self._user_id)

    def _send(self, tab: Connection, frame: Frame) -> None:
        try:
            Post().to(tab.id, tab.endpoint, frame)
        except Gone:
            assert self._tabs is not None
            self._tabs.remove(tab)
            self._connections.remove(tab.id)

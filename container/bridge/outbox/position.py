"""Up to when everything that the agent said by itself has been delivered; kept across containers."""

from chalicelib.platform.clock import MINUTE
from chalicelib.platform.models import SettingItem

KEY = "outbox"
# Containers have clocks of their own: rows this much older than the mark are looked at again. They are not
# doubled (the row is there), and a conversation that was deleted meanwhile hardly comes back.
SLACK = 10 * MINUTE


class Position:
    """A mark in ms on the clock of the transcripts. A user without one begins now."""

    def __init__(self, user_id: str, now: int) -> None:
        self._row = SettingItem(user_id, KEY)
        self._now = now
        self._mark: int | None = None

    def since(self) -> int:
        """Rows from before this need no look."""
        if self._mark is None:
            self._mark = self._load()
        return self._mark - SLACK

    def beyond(self, at: int) -> bool:
        """Whether what was said then is not known to be delivered."""
        return self._mark is None or at > self._mark

    def _load(self) -> int:
        try:
            row = SettingItem.get(self._row.user_id, KEY, consistent_read=True)
        except SettingItem.DoesNotExist:
            self._save(self._now)
            return self._now
        return int(row.value["at"])

    def move(self, at: int) -> None:
        """Everything that was said until then is delivered."""
        if self._mark is None or at > self._mark:
            self._save(at)
            self._mark = at

    def _save(self, at: int) -> None:
        self._row.update([SettingItem.value.set({"at": at})])

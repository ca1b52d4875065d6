"""One owner is removed at a time: else two who remove each other at the same moment would leave none.

The row `owners` / `removing` of Settings names the person who is being removed. It is taken before anything is done.
"""

from typing import Any

from pynamodb.exceptions import DeleteError
from pynamodb.expressions.condition import Condition

from chalicelib.platform.clock import Clock, now_ms
from chalicelib.platform.models import SettingItem
from chalicelib.platform.writes import update
from chalicelib.wire.protocol import ProtocolError

OWNERS, KEY = "owners", "removing"


class _Held(Exception):
    """The row has changed since it was read."""


class Removing:
    """The claim to remove an owner."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def claim(self, person_id: str, owners: set[str]) -> bool:
        """True if it was free; False if this person's removal holds it already. Raises ProtocolError OWNER_BUSY.

        One of a person who is no owner any more is over, whatever its last step has left.
        """
        held = self._held()
        if held is not None and held["person"] == person_id:
            return False
        if held is not None and held["person"] in owners:
            raise _busy()
        free: Condition = SettingItem.value.does_not_exist() if held is None else SettingItem.value == held
        value = {"person": person_id, "at": self._clock()}
        try:
            update(SettingItem(OWNERS, KEY), [SettingItem.value.set(value)], free, _Held)
        except _Held:
            raise _busy() from None
        return True

    def release(self, person_id: str) -> None:
        """Without effect if it is another person's."""
        held = self._held()
        if held is None or held["person"] != person_id:
            return
        try:
            SettingItem(OWNERS, KEY).delete(condition=SettingItem.value == held)
        except DeleteError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise

    @staticmethod
    def _held() -> dict[str, Any] | None:
        try:
            found: dict[str, Any] | None = SettingItem.get(OWNERS, KEY, consistent_read=True).value
        except SettingItem.DoesNotExist:
            return None
        return found


def _busy() -> ProtocolError:
    return ProtocolError("OWNER_BUSY", "An owner is being removed just now. Try again when that is over.")

"""The wish to begin anew: a row `anew` of the user's, until the container that is to end has ended."""

from pynamodb.exceptions import DeleteError
from pynamodb.expressions.update import Action

from chalicelib.platform.clock import MINUTE, Clock, now_ms, ttl
from chalicelib.platform.models import SettingItem

KEY = "anew"
# A container has a minute to end; the event of its end may be late.
KEPT = 15 * MINUTE


class Anew:
    """The row names the generation that ends, so an event that comes again starts nothing."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def ask(self, user_id: str, generation: int) -> None:
        actions: list[Action] = [
            SettingItem.tally.set(generation),
            SettingItem.expires_at.set(ttl(self._clock() + KEPT)),
        ]
        SettingItem(user_id, KEY).update(actions)

    def take(self, user_id: str, generation: int) -> bool:
        """True for the one caller who is to start the next container after that generation's."""
        now = ttl(self._clock())
        try:
            SettingItem(user_id, KEY).delete(
                condition=(SettingItem.tally == generation) & (SettingItem.expires_at >= now)
            )
        except DeleteError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True

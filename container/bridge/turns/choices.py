"""The user's settings as this container knows them."""

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.messages.conversations import retention
from chalicelib.people.preferences import ASK, Choice, Preferences
from chalicelib.platform import log


class Choices:
    """Read at the start, and again whenever the gateway says that they changed."""

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self.current = Choice()
        self._known = False  # whether `current` was ever read

    def refresh(self) -> None:
        try:
            self.current = Preferences().get(self._user_id)
            self._known = True
        except (PynamoDBException, ClientError, BotoCoreError) as error:
            log.failure("settings_unread", error)  # what was known stays good

    def model(self) -> str | None:
        return self.current.model

    def zone(self) -> str | None:
        """The user's time zone; None while nobody has said one."""
        return self.current.known_zone

    def permission_mode(self) -> str:
        """`full`: commands run without asking; `ask`: each new command is approved by the person.

        Asked before each message. While the settings cannot be read, the stricter one holds.
        """
        if not self._known:
            self.refresh()
        return self.current.permission_mode if self._known else ASK

    def voice_answers(self) -> bool:
        return self.current.voice_answers

    def auto_title(self) -> bool:
        return self.current.auto_title

    def may_ask_zone(self) -> bool:
        """True once for each user without a time zone: they are asked for it now."""
        if self.current.time_zone_from or self.current.time_zone_asked:
            return False
        try:
            may = Preferences().ask_zone(self._user_id)
        except (PynamoDBException, ClientError, BotoCoreError) as error:
            log.failure("time_zone_unasked", error)  # the next answer asks
            return False
        self.refresh()
        return may

    def expires_at(self, now: int) -> int | None:
        """When what is said now is forgotten, as a TTL; None: never."""
        return retention(self.current.retention_days, now)

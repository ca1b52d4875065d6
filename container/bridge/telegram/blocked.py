"""A chat that refuses the bot (403: it was blocked, or removed from the group)."""

from bridge.shared.aws_errors import AWS_ERRORS
from chalicelib.people.linking import note_blocked
from chalicelib.platform import log

BLOCKED_NOTE = (
    "Telegram delivers nothing to your chat any more: the bot was blocked there. Everything is kept on this page. "
    "To go on in Telegram, unblock the bot and write to it."
)


class Blocked:
    """What is known of one user's private chat. Another container may have noted it before."""

    def __init__(self, user_id: str) -> None:
        self._user = user_id
        self._known: bool | None = None

    def refused(self) -> bool:
        """Nothing can be sent there. True for the first time: the person is to be told elsewhere."""
        return self._note(True)

    def sent(self) -> None:
        """Something arrived, so it is not blocked any more."""
        self._note(False)

    def _note(self, blocked: bool) -> bool:
        if self._known is blocked:
            return False
        try:
            note_blocked(self._user, blocked)
        except AWS_ERRORS as error:
            log.failure("blocked_unnoted", error)
            return False
        self._known = blocked
        return True

"""The rows that tell what became of a message of OpenClaw's own console.

`console#<id>` while it waits for its rows in the history, `console-over#<id>` when it has them. The inbox knows nothing
of these messages, so the second row is what a restored state is compared with. It stays as long as an answered message.
"""

from chalicelib.messages.inbox import KEEP_ANSWERED
from chalicelib.platform.clock import ttl
from chalicelib.platform.models import SettingItem

NOTE, OVER = "console#", "console-over#"


def close(user_id: str, message_id: str, now: int) -> None:
    """Its rows are written, or there will be none. A crash in between leaves both rows: it is looked at again."""
    SettingItem(user_id, OVER + message_id, expires_at=ttl(now + KEEP_ANSWERED)).save()
    SettingItem(user_id, NOTE + message_id).delete()


def is_over(user_id: str, message_id: str) -> bool:
    """Whether it was sent in the console and is over."""
    try:
        SettingItem.get(user_id, OVER + message_id, consistent_read=True)
    except SettingItem.DoesNotExist:
        return False
    return True

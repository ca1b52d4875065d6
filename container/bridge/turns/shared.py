"""Whether the person was shown an answer before, under another message that the same run took in.

A run takes in what is sent meanwhile. A container that is killed behind it leaves messages that are not over and have
one answer in the transcript. The first that is stored has it: stored rows outlive any container.
"""

from collections.abc import Sequence

from chalicelib.messages.conversations import Conversations, fit
from chalicelib.wire.protocol import ProtocolError

ROWS = 100  # of a conversation's history, newest


class SharedAnswers:
    """Called by a turn, for the rare message that shares its answer."""

    def __init__(self, user_id: str, conversations: Conversations) -> None:
        self._user_id = user_id
        self._conversations = conversations

    def shown(self, conversation_id: str, others: Sequence[str], text: str) -> bool:
        """Whether a text is in the stored answer to one of the other messages. Raises as AWS does."""
        try:
            rows = self._conversations.page(self._user_id, conversation_id, None, ROWS).messages
        except ProtocolError:
            return False
        answers = [row for row in rows if row["role"] == "assistant" and row.get("replyTo") in others]
        return any(row.get("reason") == "final" and fit(text) in str(row["content"]) for row in answers)

"""The first words of an answer: said by a model without tools while the agent wakes up.

They are kept on the waiting message, and each write is made only while no container has claimed it. So the claim
ends them: what the row holds then is what the person may have been shown, and the agent goes on from there. The
question's row in the history has them too, until the answer is saved.

    {"text": …, "ended": whether it is all that was to be said, "model": provider/name}
"""

from typing import Any

from pynamodb.exceptions import UpdateError

from chalicelib.messages.conversations import answer_row, question_row
from chalicelib.messages.inbox import Message, closing
from chalicelib.platform.models import ConversationItem, PendingMessage
from chalicelib.platform.writes import commit, transaction, update
from chalicelib.wire.protocol import Frame

MAX_QUESTION = 8_000  # characters; a longer text is work for the agent


class NotWaiting(Exception):
    """A container has the message or had it, it is answered or edited, or its first words are being said already."""


def suits(message: Message) -> bool:
    """Whether a message can have first words: the person's own, one whole text, no command and no file."""
    place = (message.route or {}).get("telegram") or {}
    part = place.get("album") or place.get("forwarded") or place.get("cut")
    text = message.command
    plain = bool(text) and not text.startswith("/") and len(text) <= MAX_QUESTION
    return plain and not message.attachments and not part


def begin(message: Message) -> None:
    """Only one caller ever says them. Raises NotWaiting."""
    unsaid = unclaimed(message) & PendingMessage.first_words.does_not_exist()
    _write(message, {"text": "", "ended": False}, unsaid)


def keep(message: Message, said: dict[str, Any]) -> None:
    """Called before the person sees it. Raises NotWaiting."""
    _write(message, said, unclaimed(message) & PendingMessage.first_words.exists())


def show(message: Message, said: dict[str, Any]) -> None:
    """Put them on the question's row, for those who load the history; without effect if that is not there (yet)."""
    there = ConversationItem.item_key.exists()
    try:
        question_row(message).update([ConversationItem.first_words.set(said)], condition=there)
    except UpdateError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise


def finish(
    message: Message,
    reason: str,
    text: str,
    expires_at: int | None,
    now: int,
    model: str | None = None,
    cost_usd: float | None = None,
) -> ConversationItem:
    """They are the whole answer, and no agent goes on from them: its row. Raises NotWaiting."""
    waits = unclaimed(message) & PendingMessage.first_words.exists()
    answer = answer_row(message, text, reason, now, expires_at)
    answer.model, answer.cost_usd = model, cost_usd

    def write() -> None:
        with transaction() as write:
            row = PendingMessage(message.user_id, message.id)
            write.update(row, actions=closing("done", now), condition=waits)
            write.save(question_row(message, expires_at))
            write.save(answer)

    commit(write, (NotWaiting,))
    return answer


def frame(message: Message, said: dict[str, Any]) -> Frame:
    """All of them so far: a frame that is lost takes nothing away."""
    key = {"conversationId": message.conversation_id, "replyTo": message.id}
    return {"type": "first_words", **key, "text": said["text"], "ended": said["ended"]}


def unclaimed(message: Message) -> Any:
    """Never claimed, and with the text that was answered: a Telegram message may be edited while it waits."""
    waits = (PendingMessage.status == "queued") & (PendingMessage.claims == 0)
    return waits & (PendingMessage.text == message.text)


def _write(message: Message, said: dict[str, Any], condition: Any) -> None:
    update(PendingMessage(message.user_id, message.id), [PendingMessage.first_words.set(said)], condition, NotWaiting)

"""One thought, one turn: messages of a chat that belong together are answered together.

Telegram sends each picture of an album, each forwarded message and each part of a long text as a message of its
own. The first one waits until nothing more has come for JOIN_MS; then all of them are one turn.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chalicelib.messages.inbox import Message

JOIN_MS = 1_500
# A turn that is too large fails for all of them: the rest is a thought of its own.
MOST = 30


def joinable(message: Message) -> bool:
    """Whether more messages may belong to it."""
    place = _place(message)
    return bool(place.get("album") or place.get("forwarded") or place.get("cut"))


def gather(first: Message, behind: Sequence[Message]) -> list[Message]:
    """The messages of a thought, `first` included. `behind`: what waits after it, oldest first."""
    members = [first]
    for message in behind:
        if len(members) < MOST and _goes_on(members[-1], message):
            members.append(message)
    return members


def wait_ms(members: Sequence[Message], now: int) -> int:
    """How long the thought may still grow; 0 or less: it is whole."""
    return members[-1].queued_at + JOIN_MS - now if joinable(members[-1]) else 0


def joined(members: Sequence[Message]) -> Message:
    """One message of them all: their texts in order, and all their files."""
    texts = [message.text for message in members if message.text]
    cut = any(_place(message).get("cut") for message in members)
    attachments = [entry for message in members for entry in message.attachments]
    return replace(members[0], text=("" if cut else "\n\n").join(texts), attachments=attachments)


def _goes_on(before: Message, message: Message) -> bool:
    """Whether a message is the next part of the same thought."""
    there, here = _place(before), _place(message)
    if not here or there.get("chat") != here.get("chat") or before.conversation_id != message.conversation_id:
        return False
    if there.get("album"):
        return bool(here.get("album") == there["album"])
    near = message.queued_at - before.queued_at <= JOIN_MS
    return near and bool(there.get("cut") or (there.get("forwarded") and here.get("forwarded")))


def _place(message: Message) -> dict[str, Any]:
    return (message.route or {}).get("telegram") or {}

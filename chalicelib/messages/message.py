"""A message on its way: as the table, a wake and the Bridge have it."""

from dataclasses import dataclass, field
from typing import Any

from chalicelib.platform.models import PendingMessage


@dataclass(frozen=True)
class Message:
    """A message on its way; `route` says where its answer goes besides the user's tabs."""

    user_id: str
    id: str
    text: str
    conversation_id: str
    queued_at: int
    channel: str = "web"
    attachments: list[dict[str, Any]] = field(default_factory=list)
    route: dict[str, Any] | None = None
    status: str = "queued"
    attempts: int = 0
    not_before: int = 0
    claimed_by: int = 0
    lease_until: int = 0
    files: str = ""  # what the model is told of the files; never stored (container/bridge/turns/attached.py)
    note: str = ""  # what the model is told beside it; never stored (container/bridge/turns/continuing.py)
    first_words: dict[str, Any] | None = None  # said while its agent woke up (messages/first_words.py)
    claims: int = 0  # how often it was ever claimed; a try handed back still counts here

    @property
    def cause(self) -> str | None:
        """What sent it, in words; None for a message that the person wrote."""
        cause: str | None = (self.route or {}).get("cause")
        return cause

    @property
    def command(self) -> str:
        """Its text where that may be a slash command: the person's own words only."""
        return self.text.strip() if self.cause is None else ""

    def wire(self) -> dict[str, Any]:
        """The message as a wake carries it."""
        return {
            "id": self.id,
            "text": self.text,
            "conversationId": self.conversation_id,
            "queuedAt": self.queued_at,
            "channel": self.channel,
            "attachments": self.attachments,
            "route": self.route,
        }


def from_wire(user_id: str, body: dict[str, Any]) -> Message:
    """A message out of a wake; never claimed before."""
    return Message(
        user_id,
        body["id"],
        body["text"],
        body["conversationId"],
        body["queuedAt"],
        body["channel"],
        body["attachments"],
        body["route"],
    )


def from_row(row: PendingMessage) -> Message:
    return Message(
        user_id=row.user_id,
        id=row.message_id,
        text=row.text,
        conversation_id=row.conversation_id,
        queued_at=int(row.queued_at),
        channel=row.channel,
        attachments=row.attachments or [],
        route=row.route,
        status=row.status,
        attempts=int(row.attempts or 0),
        not_before=int(row.not_before or 0),
        claimed_by=int(row.claimed_by or 0),
        lease_until=int(row.lease_until or 0),
        claims=int(row.claims or 0),
        first_words=row.first_words,
    )

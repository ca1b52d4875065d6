"""A message on its way through OpenClaw, and how its turn ended."""

import threading
from dataclasses import dataclass, field
from typing import Any

from bridge.turns.delivery import Delivery, Stream
from bridge.turns.external import prompt
from chalicelib.messages.inbox import Message
from chalicelib.platform.clock import now_ms
from chalicelib.wire.protocol import Frame

STEERED = "steered"
# OpenClaw died under the turn again and again. The inbox tries it once more, so the person sees no error yet.
CRASHED = "AGENT_CRASHED"


@dataclass(frozen=True)
class Outcome:
    """How a turn ended: final, aborted, error, interrupted (by our own shutdown), or steered into another run.

    `files`: what the agent gives with it, as frames and rows have it. They are stored.
    """

    reason: str
    text: str
    at: int
    code: str = ""
    error: str = ""
    files: tuple[Frame, ...] = ()


@dataclass
class Asked:
    """One message on its way through OpenClaw; `run` is what is followed for it now."""

    message: Message
    stream: Stream
    delivery: Delivery
    run: str = ""
    begun: threading.Event = field(default_factory=threading.Event)  # OpenClaw has taken the message

    @property
    def stopped(self) -> bool:
        """The person pressed stop."""
        return self.stream.stop.pressed

    @property
    def session(self) -> str:
        return session_key(self.message.conversation_id)

    def request(self, key: str, before: str = "") -> dict[str, Any]:
        """What chat.send takes: the message under a key, with the files that OpenClaw itself takes.

        `before`: what the agent is told with it. Commands in that are a quotation, not for OpenClaw.
        """
        params: dict[str, Any] = {"sessionKey": self.session, "message": before + prompt(self.message)}
        params["idempotencyKey"] = key
        if before or self.message.files or self.message.note or self.message.cause is not None:
            params["suppressCommandInterpretation"] = True
        if self.message.attachments:
            params["attachments"] = self.message.attachments
        return params


def failure(code: str, text: str, asked: Asked) -> Outcome:
    return Outcome("error", asked.stream.run.text, now_ms(), code, text)


def session_key(conversation_id: str) -> str:
    return conversation_id.lower() if conversation_id == "main" else f"web-{conversation_id.lower()}"

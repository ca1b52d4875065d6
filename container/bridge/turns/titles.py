"""Has a small model name a conversation after its first answer. A title that a person typed stays.

OpenClaw's `sessions.title.prepare` sends the first 1,000 characters of the question to its utility model
and never to a larger one. By the price table such a title costs well below a tenth of a cent, a hundredth of
the answer it follows; where the price is not known or is higher, no title is asked for.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import Protocol

from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.turns.answering import Answering, Gate
from bridge.turns.delivery import Delivery, Stream
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import Message
from chalicelib.platform import log
from chalicelib.wire.protocol import Frame, storable

TITLE_SECONDS = 30.0
TITLE_LENGTH = 60
# The conversation's row is written just after its answer.
ROW_TRIES, ROW_PAUSE = 6, 0.5
# Marks around words; a star between numbers is no mark.
_MARKED = re.compile(r"(?<!\w)(\*{1,3}|_{1,3}|`+)(?=\S)(.+?)(?<=\S)\1(?!\w)")
_HEADING = re.compile(r"^#{1,6} +")


class Naming(Protocol):
    """What the titles ask of the conversations."""

    def unnamed(self, user_id: str, conversation_id: str, text: str) -> bool | None: ...
    def name(self, user_id: str, conversation_id: str, text: str, title: str) -> Frame | None: ...


class Titles:
    """Names conversations, each in a thread of its own: no answer waits for it, and a failure costs a title.

    `model`: the small model, None when there is none that costs little.
    """

    def __init__(
        self,
        model: str | None,
        conversations: Naming,
        gateway: Callable[[], Gateway | None],
        tell: Callable[[Frame], None],
        wanted: Callable[[], bool],
    ) -> None:
        self._model = model
        self._conversations = conversations
        self._gateway = gateway
        self._tell = tell
        self._wanted = wanted
        self._named: set[str] = set()

    def answered(self, message: Message) -> None:
        """A message has its answer; if it was the conversation's first one, the conversation gets a title."""
        text = message.text.strip()
        if self._model is None or not text or text.startswith("/") or message.conversation_id in self._named:
            return
        if message.cause is not None or not self._wanted():  # its conversation has the cause's name
            return
        threading.Thread(target=self.name, args=(message,), name="title", daemon=True).start()

    def name(self, message: Message) -> None:
        try:
            self._name(message)
        except AWS_ERRORS as error:
            log.failure("title_unsaved", error, message_id=message.id)
        except (GatewayError, GatewayClosed) as error:
            log.event("title_unmade", reason=type(error).__name__, message_id=message.id)

    def _name(self, message: Message) -> None:
        user, conversation, gateway = message.user_id, message.conversation_id, self._gateway()
        if self._conversations.unnamed(user, conversation, message.text) is False:
            self._named.add(conversation)
            return
        if gateway is None:
            return
        asked = {"agentId": "main", "message": message.text}
        title = clean(gateway.request("sessions.title.prepare", asked, TITLE_SECONDS).get("title"))
        self._named.add(conversation)
        if not title:
            log.event("title_unmade", reason="none", message_id=message.id)
            return
        for _ in range(ROW_TRIES):
            if self._conversations.unnamed(user, conversation, message.text) is not None:
                break
            time.sleep(ROW_PAUSE)
        frame = self._conversations.name(user, conversation, message.text, title)
        if frame is not None:
            self._tell(frame)


def clean(title: object) -> str:
    """A model's title as one line without Markdown."""
    if not isinstance(title, str):
        return ""
    line = _HEADING.sub("", " ".join(title.split()))
    return storable(_MARKED.sub(r"\2", line)[:TITLE_LENGTH].strip())


class Titled(Gate):
    """An answerer after which the conversation gets its title."""

    def __init__(self, answerer: Answering, titles: Titles) -> None:
        super().__init__(answerer)
        self._titles = titles

    def answer(self, message: Message, stream: Stream, delivery: Delivery) -> Outcome:
        outcome = self._answerer.answer(message, stream, delivery)
        if outcome.reason == "final" and outcome.text:
            self._titles.answered(message)
        return outcome

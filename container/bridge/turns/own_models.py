"""The models that conversations have of their own (`PUT /conversations/{id}`), as this container knows them."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from bridge.shared.aws_errors import AWS_ERRORS
from chalicelib.platform import log
from chalicelib.wire.protocol import Frame

# The frame that tells of a change is sent once: what it could not tell is found out after this time.
KEPT_SECONDS = 300.0


class Rows(Protocol):
    """What this asks of the conversations."""

    def model(self, user_id: str, conversation_id: str) -> str | None: ...


class OwnModels:
    """Each row is read before the conversation's first turn, when it is said to have changed, and every few minutes.

    `providers`: those of this deployment. A model of another one was removed; `tell` gets a notice of it, once.
    """

    def __init__(
        self, user_id: str, rows: Rows, providers: Iterable[str], tell: Callable[[Frame], None] = lambda _: None
    ) -> None:
        self._user_id = user_id
        self._rows = rows
        self._providers = frozenset(providers)
        self._tell = tell
        self._known: dict[str, tuple[str | None, float]] = {}  # the model, and when it was read
        self._changes = 0  # what was read before one is not kept
        self._lock = threading.Lock()
        self._told: set[tuple[str, str]] = set()

    def of(self, conversation_id: str) -> str | None:
        """The model; "": that of the settings was chosen, or holds because the own one was removed; None: no choice."""
        model = self._read(conversation_id)
        if not model or model.partition("/")[0] in self._providers:
            return model
        if (conversation_id, model) not in self._told:
            self._told.add((conversation_id, model))
            log.event("model_removed", model=model)
            self._tell({"type": "notice", "code": "MODEL_REMOVED", "message": removed(model)})
        return ""

    def forget(self, conversation_id: str | None = None) -> None:
        """It has changed; None: any may have."""
        with self._lock:
            self._changes += 1
            if conversation_id is None:
                self._known.clear()
            else:
                self._known.pop(conversation_id, None)

    def _read(self, conversation_id: str) -> str | None:
        now = time.monotonic()
        with self._lock:
            known = self._known.get(conversation_id)
            changes = self._changes
        if known is not None and now - known[1] < KEPT_SECONDS:
            return known[0]
        try:
            model = self._rows.model(self._user_id, conversation_id)
        except AWS_ERRORS as error:
            log.failure("conversation_model_unread", error)  # the next turn reads again
            return known[0] if known is not None else None
        with self._lock:
            if changes == self._changes:
                self._known[conversation_id] = model, now
        return model


def removed(model: str) -> str:
    return (
        f"The model {model} is not part of this deployment any more. This conversation is answered by the model of "
        "your settings. You can choose another one on the page, in the conversation's panel."
    )

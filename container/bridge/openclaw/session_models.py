"""Which model each OpenClaw session uses: the conversation's own, else the user's setting, as long as there is one."""

import time
from collections.abc import Callable

from bridge.openclaw.gateway import Gateway, GatewayError
from chalicelib.platform import log

# OpenClaw writes down behind the end of a run which model that used, and a session without a model of its own goes on
# with that one. So the way back to the default is lost if it is told before (3 of 25 times on 2026.9.1, up to 0.2 s
# behind the end). No event tells of it.
SETTLE_SECONDS, TRIES = 0.5, 3


class SessionModels:
    """Tells the gateway once per session and change; a model that is refused gives way to the next one.

    `own`: a conversation's model; "": that of the settings was chosen for it; None: nothing was chosen.
    """

    def __init__(self, wanted: Callable[[], str | None], default: str) -> None:
        self._wanted = wanted
        self._default = default
        self.own: Callable[[str], str | None] = lambda _: None
        self._patched: dict[str, str] = {}  # the model each session was last told to use; "": it may have lost that
        self._ended: dict[str, float] = {}  # when the last run of ours ended in a session
        self._refused: set[tuple[str, str]] = set()

    def apply(self, gateway: Gateway, session: str, conversation_id: str, steers: bool = False) -> None:
        """Without a setting a session keeps what it has (`/model` in the chat), unless that was chosen on the page.

        `steers`: the message goes into a running turn, which notes its own model at its end.
        """
        own = self.own(conversation_id)
        if own and self._takes(gateway, session, own, steers):
            return
        ours = own is not None or session in self._patched
        model = self._wanted() or (self._default if ours else None)
        if model is not None:
            self._takes(gateway, session, model, steers)

    def ended(self, session: str) -> None:
        """A run has ended in it."""
        self._ended[session] = time.monotonic()

    def _takes(self, gateway: Gateway, session: str, model: str, steers: bool) -> bool:
        """Whether the session has the model now. A refusal that will not pass is not asked for again."""
        if self._patched.get(session) == model:
            return True
        if (session, model) in self._refused:
            return False
        try:
            holds = self._told(gateway, session, model, steers)
        except GatewayError as error:
            log.event("model_refused", code=error.code)
            if not error.passing:
                self._refused.add((session, model))
            return False
        self._patched[session] = model if holds else ""
        return True

    def _told(self, gateway: Gateway, session: str, model: str, steers: bool) -> bool:
        """Tell it; whether the session keeps it for sure. Raises GatewayError."""
        fresh = session not in self._ended and not steers
        if not fresh and not steers:
            time.sleep(max(0.0, self._ended[session] + SETTLE_SECONDS - time.monotonic()))
        for _ in range(1 if fresh or steers else TRIES):
            gateway.request("sessions.patch", {"key": session, "model": model})
            if fresh or (not steers and _uses(gateway, session) == model):
                return True
        log.event("model_uncertain", model=model)
        return False


def _uses(gateway: Gateway, session: str) -> str:
    """The model that its next run would use; "" if that cannot be said now."""
    try:
        about = gateway.request("chat.history", {"sessionKey": session, "limit": 1}).get("sessionInfo") or {}
    except GatewayError:
        return ""
    return f"{about.get('modelProvider')}/{about.get('model')}"

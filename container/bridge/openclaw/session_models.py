"""Which model each OpenClaw session uses: the conversation's own, else the user's setting, as long as there is one."""

from collections.abc import Callable

from bridge.openclaw.gateway import Gateway, GatewayError
from chalicelib.platform import log


class SessionModels:
    """Tells the gateway once per session and change; a model that is refused gives way to the next one.

    `own`: a conversation's model; "": that of the settings was chosen for it; None: nothing was chosen.
    """

    def __init__(self, wanted: Callable[[], str | None], default: str) -> None:
        self._wanted = wanted
        self._default = default
        self.own: Callable[[str], str | None] = lambda _: None
        self._patched: dict[str, str] = {}  # the model each session was last told to use
        self._refused: set[tuple[str, str]] = set()

    def apply(self, gateway: Gateway, session: str, conversation_id: str) -> None:
        """Without a setting a session keeps what it has (`/model` in the chat), unless that was chosen on the page."""
        own = self.own(conversation_id)
        if own and self._takes(gateway, session, own):
            return
        ours = own is not None or session in self._patched
        model = self._wanted() or (self._default if ours else None)
        if model is not None:
            self._takes(gateway, session, model)

    def _takes(self, gateway: Gateway, session: str, model: str) -> bool:
        """Whether the session has the model now. A refusal that will not pass is not asked for again."""
        if self._patched.get(session) == model:
            return True
        if (session, model) in self._refused:
            return False
        try:
            gateway.request("sessions.patch", {"key": session, "model": model})
        except GatewayError as error:
            log.event("model_refused", code=error.code)
            if not error.passing:
                self._refused.add((session, model))
            return False
        self._patched[session] = model
        return True

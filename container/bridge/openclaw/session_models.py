"""Which model each OpenClaw session uses: the user's setting, as long as there is one."""

from collections.abc import Callable

from bridge.openclaw.gateway import Gateway, GatewayError
from chalicelib.platform import log


class SessionModels:
    """Tells the gateway once per session and change; one that is refused leaves the default."""

    def __init__(self, wanted: Callable[[], str | None], default: str) -> None:
        self._wanted = wanted
        self._default = default
        self._patched: dict[str, str] = {}  # the model each session was last told to use

    def apply(self, gateway: Gateway, session: str) -> None:
        """Without a setting a session keeps what it has (`/model` in the chat), unless it was ours."""
        model = self._wanted() or (self._default if session in self._patched else None)
        if model is None or self._patched.get(session) == model:
            return
        self._patched[session] = model
        try:
            gateway.request("sessions.patch", {"key": session, "model": model})
        except GatewayError as error:
            log.event("model_refused", code=error.code)

"""Whether OpenClaw is at rest: nothing that it still does may be cut off by the idle stop."""

import time
import uuid
from collections.abc import Callable

from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from chalicelib.platform import log

# Background work without a word from the person keeps the agent awake this long.
LONGEST = 60 * 60.0
# After a wake to which nobody wrote. Two short heartbeats (10 s) and a hand-over later at most, the container is gone.
REST_SECONDS = 60.0
TOLD = (
    "Your agent has worked in the background for an hour without a message from you. "
    "It goes to sleep after the usual time now, and what still runs ends with it. Write something to keep it awake."
)


class Rest:
    """Asked at each heartbeat. `tell` reaches the person."""

    def __init__(
        self, tell: Callable[[str], None], longest: float = LONGEST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._longest = longest
        self._clock = clock
        self._worked_since: float | None = None
        self._at_rest_since: float | None = None
        self._told = False

    def turn(self) -> None:
        """A turn of ours runs: the person is here."""
        self._worked_since = self._at_rest_since = None
        self._told = False

    def disturbed(self) -> None:
        """It did something that no heartbeat saw."""
        self._at_rest_since = None

    def working(self, gateway: Gateway | None) -> bool:
        """Whether OpenClaw works by itself, and may go on. One that cannot be asked is not known to work."""
        now = self._clock()
        if not _busy(gateway):
            self._worked_since = None
            self._at_rest_since = now if self._at_rest_since is None else self._at_rest_since
            return False
        self._at_rest_since = None
        self._worked_since = now if self._worked_since is None else self._worked_since
        if now - self._worked_since < self._longest:
            return True
        if not self._told:
            self._told = True
            log.event("background_limit")
            self._tell(TOLD)
        return False

    @property
    def given_up(self) -> bool:
        """Whether the person was told that background work ends with the container."""
        return self._told

    def rested(self, seconds: float) -> bool:
        """Whether it has been at rest that long."""
        return self._at_rest_since is not None and self._clock() - self._at_rest_since >= seconds


def _busy(gateway: Gateway | None) -> bool:
    """prepare closes the gateway only when nothing runs; then it is opened again at once."""
    if gateway is None:
        return False
    try:
        reply = gateway.request("gateway.suspend.prepare", {"requestId": f"rest-{uuid.uuid4().hex}"})
        if reply.get("status") != "ready":
            return True
        gateway.request("gateway.suspend.resume", {"suspensionId": reply["suspensionId"]})
    except GatewayClosed:
        return False
    except GatewayError as error:  # another one holds it: a snapshot is being made
        log.event("rest_unknown", code=error.code)
        return True
    return False

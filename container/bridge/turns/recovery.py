"""Finds the run by which the gateway itself resumes a turn after a crash."""

import queue
import time
from collections.abc import Callable
from typing import Any

from bridge.openclaw.gateway import Gateway
from bridge.openclaw.history import Known, look_up
from chalicelib.platform import log

# How long it may take to begin with that after a restart, and how often it is asked.
RESUME_SECONDS = 20.0
LOOK_SECONDS = 1.0
# How long a run that goes on may say nothing: a provider may think for minutes, a tool may take them.
SILENCE_SECONDS = 300.0
# How long an aborted run may take to say that it is over.
END_SECONDS = 10.0
OVER = ("final", "aborted", "error")


class Recovery:
    """Looks into transcripts, and listens for runs that nobody asked for."""

    def __init__(self) -> None:
        self._listening: dict[str, queue.Queue[dict[str, Any]]] = {}  # by session

    def stray(self, frame: dict[str, Any]) -> None:
        """An event of a run that nobody watches."""
        key = str(frame["payload"].get("sessionKey", ""))
        for session, strays in list(self._listening.items()):
            if key.endswith(f":{session}"):
                strays.put(frame)

    def of(
        self, gateway: Gateway, session: str, message_id: str, ended: bool, stopped: Callable[[], bool]
    ) -> tuple[Known, str | None]:
        """What is known of a message, and the run to follow, if one goes on with it.

        `ended`: its last run ended before our eyes, so nothing goes on with it.
        """
        self._listening[session] = queue.Queue()
        try:
            known = look_up(gateway, session, message_id)
            if not known.sent or known.aborted or ended:
                return known, None
            return self._wait(gateway, session, message_id, known, stopped)
        finally:
            del self._listening[session]

    def _wait(
        self, gateway: Gateway, session: str, message_id: str, known: Known, stopped: Callable[[], bool]
    ) -> tuple[Known, str | None]:
        begun = time.monotonic()
        while known.answer is None and known.running:
            if time.monotonic() - begun > (SILENCE_SECONDS if known.active else RESUME_SECONDS):
                return self._quiet(gateway, session, message_id, known), None
            run = self._run_of(session)
            if run is not None or stopped():
                return known, run
            known = look_up(gateway, session, message_id)
        return known, None

    def _run_of(self, session: str) -> str | None:
        """A run of that session that shows up within LOOK_SECONDS and is not over."""
        deadline = time.monotonic() + LOOK_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                payload = self._listening[session].get(timeout=left)["payload"]
            except queue.Empty:
                return None
            return None if payload.get("state") in OVER else str(payload["runId"])
        return None

    def _quiet(self, gateway: Gateway, session: str, message_id: str, known: Known) -> Known:
        """End what still runs in a session: the next message would be folded into it."""
        if not known.active:
            return known
        log.event("silent_session_ended", message_id=message_id)
        gateway.request("chat.abort", {"sessionKey": session})
        deadline = time.monotonic() + END_SECONDS
        while known.active and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
            known = look_up(gateway, session, message_id)
        return known

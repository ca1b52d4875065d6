"""Keeps OpenClaw still for the time of a snapshot (its docs/gateway/external-apps.md, host suspension)."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from bridge.openclaw.process import NotReady, OpenClaw
from bridge.shared.rest import NotAtRest
from chalicelib.platform import log

# OpenClaw asks for 20 s between tries; it takes 30 a minute.
BUSY_SECONDS = 3.0
# If we never reach it again, OpenClaw opens by itself after two minutes.
RESUME_TRIES, RESUME_PAUSE = 5, 0.5


@contextmanager
def suspended(openclaw: OpenClaw) -> Iterator[None]:
    """OpenClaw runs nothing and begins nothing meanwhile. Raises NotAtRest."""
    suspension = _prepare(openclaw.gateway)
    try:
        yield
    finally:
        _resume(openclaw, suspension)


def _prepare(gateway: Gateway | None) -> str:
    if gateway is None:
        raise NotAtRest("not started", BUSY_SECONDS)
    try:
        answer = gateway.request("gateway.suspend.prepare", {"requestId": f"snapshot-{uuid.uuid4().hex}"})
    except GatewayClosed:
        raise NotAtRest("connection", BUSY_SECONDS) from None
    except GatewayError as error:  # also the limit on calls, with its own time
        raise NotAtRest(error.code, (error.retry_after_ms or 0) / 1000 or BUSY_SECONDS) from None
    if answer.get("status") != "ready":
        raise NotAtRest(_blockers(answer), BUSY_SECONDS)
    return str(answer["suspensionId"])


def _blockers(answer: dict[str, Any]) -> str:
    kinds = [str(blocker.get("kind")) for blocker in answer.get("blockers") or []]
    return ", ".join(kinds) or str(answer.get("reason"))


def _resume(openclaw: OpenClaw, suspension: str) -> None:
    for _ in range(RESUME_TRIES):
        if not openclaw.alive():
            return
        gateway = openclaw.gateway
        try:
            if gateway is not None:
                gateway.request("gateway.suspend.resume", {"suspensionId": suspension})
                return
        except GatewayError as error:
            log.event("resume_refused", code=error.code)
            if error.code == "INVALID_REQUEST":  # the fence has opened by itself
                return
            time.sleep(RESUME_PAUSE)
        except GatewayClosed:
            _reconnect(openclaw, gateway)
    log.event("not_resumed")


def _reconnect(openclaw: OpenClaw, lost: Gateway | None) -> None:
    try:
        openclaw.reconnect(lost)
    except NotReady as error:
        log.event("openclaw_not_ready", reason=str(error))
        time.sleep(RESUME_PAUSE)

"""A client of the OpenClaw gateway (protocol 3 and 4, measured on 2026.9.1).

One reader thread answers requests by id and hands a run's events to that run's queue. A run is
registered under its idempotency key before chat.send goes out: a fast answer may arrive in the
same TCP segment as the reply to it.
"""

import json
import queue
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import websocket

from bridge.shared.sockets import hang_up
from chalicelib.platform import log

Json = dict[str, Any]

# The gateway sends a tick every 30 s; silence for more than two of them is a dead link.
SILENCE_SECONDS = 75
REQUEST_SECONDS = 20
# Of an error's text, in characters: it goes on into frames and into a row.
ERROR_LENGTH = 2_000
# Between two tries of a request that met a suspension: one lasts about 0.1 s.
SUSPENDED_SECONDS = 0.05
SCOPES = ["operator.read", "operator.write", "operator.admin", "operator.questions", "operator.approvals"]
# Without the last one OpenClaw refuses a command that must be approved: it thinks that nobody could be asked.
CAPS = ["tool-events", "exec-approvals"]


class GatewayError(Exception):
    """The gateway refused a request; `code` is its own."""

    def __init__(self, code: str, message: str, retry_after_ms: int | None = None, reason: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.reason = reason  # what some methods say beside a general code
        self.retry_after_ms = retry_after_ms

    @property
    def passing(self) -> bool:
        """Whether another try may go well: the gateway is busy, or still starting."""
        return self.retry_after_ms is not None or self.code in PASSING

    @property
    def suspended(self) -> bool:
        """Refused before it did anything, because a snapshot is being taken."""
        return self.code == "UNAVAILABLE" and str(self).endswith("unavailable during gateway suspension")


class GatewayClosed(Exception):
    """The link to the gateway is down."""


# `UNAVAILABLE` is the gateway's word while it starts, drains, or ends another run of the session.
PASSING = ("UNAVAILABLE", "TIMEOUT")
CLOSED: Json = {"closed": True}
# They belong to no run, even those that name one.
EVENTS = {"session.message", "cron", "task", "question.requested", "question.resolved"}
EVENTS |= {"exec.approval.requested", "exec.approval.resolved"}
# gateway.suspend.prepare closes the gateway to other calls for some milliseconds.
FENCE_TRIES, FENCE_PAUSE = 40, 0.05


class Gateway:
    """One connection. Make a new one after it closed."""

    def __init__(
        self,
        url: str,
        token: str,
        on_stray: Callable[[Json], None] | None = None,
        on_event: Callable[[Json], None] | None = None,
    ) -> None:
        self._url = url
        self._token = token
        self._on_stray = on_stray
        self._on_event = on_event  # hears of transcripts, automations and tasks (EVENTS)
        self._socket: websocket.WebSocket | None = None
        self._send_lock = threading.Lock()
        self._lock = threading.Lock()
        self._replies: dict[str, queue.Queue[Json]] = {}
        self._runs: dict[str, queue.Queue[Json]] = {}
        self.closed = threading.Event()
        self.version = ""

    def connect(self, timeout: float = 10) -> Json:
        """Handshake until hello-ok. Raises GatewayError (maybe with retry_after_ms) or GatewayClosed."""
        try:
            self._socket = websocket.create_connection(
                self._url,
                timeout=timeout,
                suppress_origin=True,
                enable_multithread=True,
                # The library checks each byte in Python, 0.5 ms a KB; decoding refuses bad text anyway.
                skip_utf8_validation=True,
            )
            challenge = json.loads(self._socket.recv())
        except (OSError, websocket.WebSocketException, ValueError, RecursionError) as error:
            self.close()
            raise GatewayClosed(type(error).__name__) from None
        if challenge.get("event") != "connect.challenge":
            raise GatewayError("NO_CHALLENGE", "the gateway did not begin with a challenge")
        self._socket.settimeout(SILENCE_SECONDS)
        threading.Thread(target=self._read, name="gateway-reader", daemon=True).start()
        hello = self.request("connect", self._introduction(), timeout)
        self.version = str(hello.get("server", {}).get("version", ""))
        return hello

    def _introduction(self) -> Json:
        client = {"id": "gateway-client", "version": "1.0.0", "platform": "linux", "mode": "backend"}
        return {
            "minProtocol": 3,
            "maxProtocol": 4,
            "client": client,
            "role": "operator",
            "scopes": SCOPES,
            "caps": CAPS,
            "auth": {"token": self._token},
            "locale": "en-US",
            "userAgent": "serverless-openclaw-bridge",
        }

    def request(self, method: str, params: Json, timeout: float = REQUEST_SECONDS) -> Json:
        """Send a request and wait for its reply. Raises GatewayError or GatewayClosed.

        Waits for the end of a suspension too.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self._ask(method, params, timeout)
            except GatewayError as error:
                if not error.suspended or method.startswith("gateway.suspend") or time.monotonic() > deadline:
                    raise
            time.sleep(SUSPENDED_SECONDS)

    def _ask(self, method: str, params: Json, timeout: float) -> Json:
        request_id = uuid.uuid4().hex
        inbox: queue.Queue[Json] = queue.Queue()
        with self._lock:
            if self.closed.is_set():
                raise GatewayClosed("closed")
            self._replies[request_id] = inbox
        try:
            self._send({"type": "req", "id": request_id, "method": method, "params": params})
            reply = inbox.get(timeout=timeout)
        except queue.Empty:
            raise GatewayError("TIMEOUT", f"{method} was not answered in {timeout} s") from None
        finally:
            with self._lock:
                self._replies.pop(request_id, None)
        if reply is CLOSED:
            raise GatewayClosed(method)
        if not reply.get("ok"):
            raise _refusal(reply.get("error") or {})
        payload = reply.get("payload") or {}
        return {"list": payload} if isinstance(payload, list) else dict(payload)

    def watch(self, run_id: str) -> "queue.Queue[Json]":
        """The queue that gets the events of a run, from now until unwatch."""
        events: queue.Queue[Json] = queue.Queue()
        with self._lock:
            self._runs[run_id] = events
            if self.closed.is_set():
                events.put(CLOSED)
        return events

    def unwatch(self, run_id: str) -> None:
        with self._lock:
            self._runs.pop(run_id, None)

    def close(self) -> None:
        if self._socket is not None:
            hang_up(self._socket)

    def _send(self, frame: Json) -> None:
        assert self._socket is not None
        try:
            with self._send_lock:
                self._socket.send(json.dumps(frame))
        except (OSError, websocket.WebSocketException):
            raise GatewayClosed("send") from None

    def _read(self) -> None:
        assert self._socket is not None
        try:
            while True:
                raw = self._socket.recv()
                if not raw:
                    break
                frame = _parsed(raw)
                if frame is not None:
                    self._handle(frame)
        except (OSError, websocket.WebSocketException, ValueError) as error:
            log.event("gateway_link_ended", reason=type(error).__name__)
        finally:
            self._end()

    def _handle(self, frame: Json) -> None:
        if frame.get("type") == "res":
            with self._lock:
                waiting = self._replies.get(str(frame.get("id")))
            if waiting is not None:
                waiting.put(frame)
            return
        payload = frame.get("payload")
        if frame.get("event") in EVENTS:
            if self._on_event is not None:
                self._on_event(frame)
            return
        run_id = payload.get("runId") if isinstance(payload, dict) else None
        if run_id is None:
            return
        with self._lock:
            events = self._runs.get(run_id)
        if events is not None:
            events.put(frame)
        elif self._on_stray is not None:
            self._on_stray(frame)

    def _end(self) -> None:
        with self._lock:
            self.closed.set()
            waiting = [*self._replies.values(), *self._runs.values()]
        for inbox in waiting:
            inbox.put(CLOSED)
        self.close()


def _parsed(raw: str | bytes) -> Json | None:
    """A frame; None for one that is nested too deep to be read. Raises ValueError for what is not JSON."""
    try:
        frame: Json = json.loads(raw)
    except RecursionError:
        log.event("gateway_frame_too_deep", bytes=len(raw))
        return None
    return frame


def _refusal(error: Json) -> GatewayError:
    details = error.get("details") or {}
    code = str(details.get("code") or error.get("code") or "UNKNOWN")
    retry = error.get("retryAfterMs") or details.get("retryAfterMs")
    text, reason = str(error.get("message", ""))[:ERROR_LENGTH], str(details.get("reason") or "")
    return GatewayError(code, text, int(retry) if retry else None, reason)

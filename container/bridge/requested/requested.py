"""Answers what a tab asks of the running agent (chalicelib/wire/requests.py), each in a thread of its own."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from chalicelib.lifecycle.services import PostService
from chalicelib.platform import log
from chalicelib.platform.clock import MINUTE, Clock, now_ms
from chalicelib.wire.connections import Gone
from chalicelib.wire.requests import refused

Json = dict[str, Any]
MOST = 4  # at once
# A person who asks stays: their agent does not go to sleep behind it.
USED_FOR = 5 * MINUTE
NOT_READY = "Your agent is just starting. Try again in a few seconds."


class Refused(Exception):
    """The request has no result; `code` is for the page."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


Work = Callable[[Gateway, str], Json]


class Requested:
    """`works` by method: each gets the gateway and the subject, and raises Refused or as the gateway does."""

    def __init__(
        self,
        gateway: Callable[[], Gateway | None],
        works: Mapping[str, Work],
        post: PostService,
        clock: Clock = now_ms,
    ) -> None:
        self._gateway = gateway
        self._works = works
        self._post = post
        self._clock = clock
        self._running = threading.Semaphore(MOST)
        self._used = 0

    def used(self) -> bool:
        """Whether a person has asked something lately."""
        return self._clock() - self._used < USED_FOR

    def handle(self, frame: Json) -> None:
        """Does not block. A method of a newer page is refused."""
        self._used = self._clock()
        threading.Thread(target=self._answer, args=(frame,), name="requested", daemon=True).start()

    def _answer(self, frame: Json) -> None:
        name, method = str(frame["id"]), str(frame["method"])
        if not self._running.acquire(blocking=False):
            self._say(
                frame, refused(name, "BUSY", "Your agent answers others of your requests. Try again in a moment.")
            )
            return
        try:
            response: Json = {"type": "response", "id": name, "result": self._result(method, str(frame["subject"]))}
        except Refused as error:
            log.event("request_refused", method=method, code=error.code)
            response = refused(name, error.code, str(error))
        except GatewayClosed:
            response = refused(name, "NOT_READY", NOT_READY)
        except Exception as error:  # noqa: BLE001  whatever it is, the page must not wait for ever
            log.failure("request_failed", error, method=method)
            response = refused(name, "INTERNAL", "Something went wrong in your agent's container. Please try again.")
        finally:
            self._running.release()
        self._say(frame, response)

    def _result(self, method: str, subject: str) -> Json:
        gateway, work = self._gateway(), self._works.get(method)
        if work is None:
            raise Refused("UNKNOWN_METHOD", "Your agent's container does not know this. Start it anew.")
        if gateway is None:
            raise GatewayClosed(method)
        try:
            return work(gateway, subject)
        except GatewayError as error:
            log.event("request_refused", method=method, gateway=error.code)
            raise Refused("AGENT_REFUSED", "OpenClaw could not do this just now.") from None

    def _say(self, frame: Json, response: Json) -> None:
        try:
            self._post.to(str(frame["connectionId"]), str(frame["endpoint"]), response)
        except Gone:
            return  # the tab was closed meanwhile
        except Exception as error:  # noqa: BLE001  throttled or offline: the page stops waiting by itself
            log.failure("response_unsent", error)

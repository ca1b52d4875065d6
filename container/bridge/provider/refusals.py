"""Which requests the proxy refuses before it looks at the budget, and the form of a refusal."""

import errno
import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bridge.provider.failures import NOT_ALLOWED, marked
from chalicelib.providers.routes import GEMINI, TOKEN_HEADER, Route

if TYPE_CHECKING:
    from aiohttp.web import Request


class Refused(Exception):
    """A request that the proxy does not forward."""

    def __init__(self, status: int, kind: str, text: str) -> None:
        super().__init__(text)
        self.status, self.kind, self.text = status, kind, text


class Door:
    """Lets only calls with this container's token through."""

    def __init__(self, routes: Iterable[Route], token: str) -> None:
        self._routes = {route.id: route for route in routes}
        self._token = token

    def target(self, request: "Request") -> tuple[Route, str]:
        """The provider and the URL there. Raises Refused."""
        self.check(request)
        route = self._routes.get(request.match_info["route"])
        path = "/" + request.match_info["path"]
        if route is None or request.method != "POST" or not route.allows(path):
            raise Refused(403, NOT_ALLOWED, "only model calls to a configured provider are passed on")
        events = route.api == GEMINI and request.query.get("alt") == "sse"
        return route, route.base + path + ("?alt=sse" if events else "")

    def check(self, request: "Request") -> None:
        """Raises Refused for another token."""
        if not self._has_token(request):
            raise Refused(401, NOT_ALLOWED, "this is not this container's token")

    def _has_token(self, request: "Request") -> bool:
        headers = request.headers
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        given = headers.get(TOKEN_HEADER) or headers.get("x-api-key") or headers.get("x-goog-api-key") or bearer
        return hmac.compare_digest(given.encode(), self._token.encode())


def error_body(kind: str, text: str) -> dict[str, object]:
    """A refusal in a form that all the providers' clients read. OpenClaw returns the mark in it with the run."""
    return {"type": "error", "error": {"type": kind, "code": kind, "message": marked(kind, text)}}


def unreached(failure: Exception) -> str:
    """Why a host did not answer, in words. `errno` is an OSError's; aiohttp's errors carry it too."""
    if getattr(failure, "errno", None) in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return "there is no way to its address from here; where agents have no IPv4 it needs an IPv6 address"
    return type(failure).__name__

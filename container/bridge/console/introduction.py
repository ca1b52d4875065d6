"""The page's first message to the gateway: the Bridge signs in for it. No token of ours reaches the browser."""

import json
from typing import Any

from bridge.openclaw.gateway import SCOPES

CLIENT = {"id": "gateway-client", "version": "1.0.0", "platform": "linux", "mode": "backend"}


class NotConnect(Exception):
    """Something else came first."""


def signed_in(message: str, token: str) -> str:
    """A `connect` request with the Bridge's own identity in place of the page's. Raises NotConnect."""
    try:
        request: Any = json.loads(message)
    except ValueError:
        raise NotConnect from None
    if not isinstance(request, dict) or request.get("method") != "connect":
        raise NotConnect
    asked = request.get("params")
    params = dict(asked) if isinstance(asked, dict) else {}
    params.pop("device", None)  # a key of the browser's, which the gateway would want to pair
    params |= {"client": CLIENT, "role": "operator", "scopes": SCOPES, "auth": {"token": token}}
    return json.dumps(request | {"params": params}, ensure_ascii=False)

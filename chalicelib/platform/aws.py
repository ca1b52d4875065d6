"""One botocore session and one client per service: further clients cost almost nothing.

Clients are created on first use, because work at import time delays every cold start.
"""

import os
import threading
from typing import Any

import botocore.session
from botocore.config import Config

_lock = threading.RLock()
_session: botocore.session.Session | None = None
_clients: dict[tuple[str, str | None], Any] = {}

# Shorter than the 29 s an API Gateway integration may take, with room for one retry.
_config = Config(
    connect_timeout=2,
    read_timeout=8,
    retries={"mode": "standard", "max_attempts": 4},
    max_pool_connections=32,
    tcp_keepalive=True,
)


def region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def session() -> botocore.session.Session:
    """The process's only session. Creating clients from it is not thread-safe: use client()."""
    global _session
    with _lock:
        if _session is None:
            _session = botocore.session.get_session()
        return _session


def hang_up() -> None:
    """Close all idle connections, after a time in which they may have ended unnoticed. The clients stay."""
    with _lock:
        for known in _clients.values():
            known.close()


def client(service: str, endpoint_url: str | None = None) -> Any:
    """The shared client of a service; pass endpoint_url only if there are several (@connections)."""
    key = (service, endpoint_url)
    found = _clients.get(key)
    if found is not None:
        return found
    with _lock:
        if key not in _clients:
            _clients[key] = session().create_client(
                service, region_name=region(), endpoint_url=endpoint_url, config=_config
            )
        return _clients[key]

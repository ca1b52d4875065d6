"""Sends one Web Push: encrypted for the browser (RFC 8291), signed as ours (RFC 8292), to an address outside.

Not pywebpush: it posts with redirects and to whatever address a name has. The address comes from a browser, and
the task has addresses inside AWS within reach. So the name is looked up here, every address of it must be a public
one, and the connection goes to the address that was checked. http_ece encrypts, PyJWT signs.
"""

import base64
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bridge.shared.addresses import is_outside
from chalicelib.people.devices import Device, is_public
from chalicelib.platform.clock import SECOND, now_ms

KEEP_SECONDS = 24 * 60 * 60  # how long a push service keeps what it cannot deliver yet
SIGNED_SECONDS = 12 * 60 * 60
CONNECT_SECONDS, READ_SECONDS = 5, 10


class Unreachable(Exception):
    """No answer, or no address that may be spoken to."""


@dataclass(frozen=True)
class Answer:
    """`retry_after`: seconds that the service asks to wait, if it does."""

    status: int
    retry_after: float | None = None


class PushService:
    """`secret` reads the deployment's parameters; the libraries are imported with the first push."""

    def __init__(self, secret: Callable[[str], str], local_url: str = "") -> None:
        self._secret = secret
        self._local_url = local_url

    def send(self, device: Device, payload: bytes, topic: str) -> Answer:
        """Raises Unreachable, and ValueError for keys that are none. Blocks at most 15 seconds."""
        if not is_public(device.endpoint, self._local_url):
            raise Unreachable("not a public address")
        body = encrypted(device, payload)
        headers = {
            "Authorization": self._signed(device.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEEP_SECONDS),
            "Urgency": "high",
            "Topic": topic,
        }
        return self._post(device.endpoint, body, headers)

    def _signed(self, endpoint: str) -> str:
        import jwt

        from chalicelib.platform.vapid import PRIVATE, SUBJECT, public_of

        private, parts = self._secret(PRIVATE), urlsplit(endpoint)
        if not private:
            raise Unreachable("this deployment has no key for Web Push: run `make deploy` again")
        until = now_ms() // SECOND + SIGNED_SECONDS
        claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": until, "sub": self._secret(SUBJECT)}
        try:
            return f"vapid t={jwt.encode(claims, private, algorithm='ES256')}, k={public_of(private)}"
        except (ValueError, jwt.InvalidKeyError):  # of ours: no device is to be forgotten for it
            raise Unreachable("this deployment's key for Web Push is none") from None

    def _post(self, endpoint: str, body: bytes, headers: dict[str, str]) -> Answer:
        import urllib3

        parts = urlsplit(endpoint)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        more: dict[str, Any] = {"redirect": False, "retries": False, "assert_same_host": False}
        try:
            with self._pool(str(parts.hostname), parts.port, timeout) as pool:
                headers = headers | {"Host": parts.netloc}
                reply = pool.urlopen("POST", path, body, headers=headers, preload_content=False, **more)
                status, wait = reply.status, reply.headers.get("Retry-After", "")
                reply.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(type(error).__name__) from None
        return Answer(status, float(wait) if wait.isascii() and wait.isdecimal() else None)

    def _pool(self, host: str, port: int | None, timeout: Any) -> Any:
        """A connection to a checked address, with a certificate for the name."""
        import certifi
        import urllib3

        if self._local_url and urlsplit(self._local_url).port == port:
            return urllib3.HTTPConnectionPool(host, port, timeout=timeout)
        known: dict[str, Any] = {"server_hostname": host, "assert_hostname": host, "ca_certs": certifi.where()}
        return urllib3.HTTPSConnectionPool(
            public_address(host), 443, timeout=timeout, cert_reqs="CERT_REQUIRED", **known
        )


def public_address(host: str) -> str:
    """An address of a host, if all that it has are public ones. Raises Unreachable."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]
    except OSError:
        raise Unreachable("the host has no address") from None
    if not found or not all(is_outside(address) for address in found):
        raise Unreachable("the host has an address that is not public")
    return found[0]


def encrypted(device: Device, payload: bytes) -> bytes:
    """One record that only this browser can read. Raises ValueError for a point that is not on the curve."""
    import http_ece
    from cryptography.hazmat.primitives.asymmetric import ec

    keys = {"dh": _raw(device.p256dh), "auth_secret": _raw(device.auth)}
    once = ec.generate_private_key(ec.SECP256R1())
    made: bytes = http_ece.encrypt(payload, salt=os.urandom(16), private_key=once, version="aes128gcm", **keys)
    return made


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

"""Verifies Cognito ID tokens, in one place for REST, WebSocket and tests.

The token library and the HTTP client are imported on first use. Together they take 40 to 80 ms, and most
functions verify no token (a web message arrives over a socket that was already admitted).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.platform.clock import MINUTE, SECOND, Clock, now_ms

KEYS_LIFE = 60 * MINUTE
# An unknown key id triggers a new fetch, but at most one per this interval.
REFETCH_GAP = 30 * SECOND
LEEWAY_SECONDS = 30

# The group in the user pool of those who run the deployment.
OWNER = "owner"

FetchKeys = Callable[[], dict[str, Any]]


class Unauthorized(Exception):
    """The token is missing or invalid."""


@dataclass(frozen=True)
class Caller:
    """Whom a verified token is of, and their groups in the user pool: as they were when it was made."""

    user_id: str
    groups: frozenset[str] = frozenset()


def fetch_jwks(url: str) -> FetchKeys:
    def fetch() -> dict[str, Any]:
        import requests  # for the cold start, see above

        response = requests.get(url, timeout=3)
        response.raise_for_status()
        document = response.json()
        if not isinstance(document, dict):
            raise Unauthorized("the key set is not an object")
        return document

    return fetch


class Identity:
    """Verifies ID tokens of one user pool and one client."""

    def __init__(self, issuer: str, client_id: str, fetch: FetchKeys, clock: Clock = now_ms) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._fetched_at = -KEYS_LIFE
        self._lock = threading.Lock()

    def user_id(self, token: str) -> str:
        """The token's subject. Raises Unauthorized."""
        return self.caller(token).user_id

    def caller(self, token: str) -> Caller:
        """The token's subject and groups. Raises Unauthorized."""
        import jwt  # for the cold start, see above

        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != "RS256":
                raise Unauthorized("the token is not signed with RS256")
            claims = jwt.decode(
                token,
                self._key(str(header.get("kid"))),
                algorithms=["RS256"],
                issuer=self._issuer,
                audience=self._client_id,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub", "token_use"]},
            )
        except jwt.PyJWTError as error:
            raise Unauthorized(f"the token is refused: {type(error).__name__}") from None
        if claims["token_use"] != "id":  # noqa: S105  a claim, not a password
            raise Unauthorized("this is not an ID token")
        groups = claims.get("cognito:groups")
        return Caller(str(claims["sub"]), frozenset(map(str, groups if isinstance(groups, list) else ())))

    def _key(self, kid: str) -> Any:
        with self._lock:
            age = self._clock() - self._fetched_at
            if age > KEYS_LIFE or (kid not in self._keys and age > REFETCH_GAP):
                self._refresh()
        if kid not in self._keys:
            raise Unauthorized("the token's key is unknown")
        return self._keys[kid]

    def _refresh(self) -> None:
        import jwt  # for the cold start, see above
        import requests

        try:
            keys = jwt.PyJWKSet.from_dict(self._fetch()).keys
        except (requests.RequestException, jwt.PyJWTError) as error:
            if not self._keys:
                raise Unauthorized(f"no keys to verify with: {type(error).__name__}") from None
            return  # keep using the known keys while the key server is unreachable
        finally:
            self._fetched_at = self._clock()
        self._keys = {str(key.key_id): key for key in keys}


def bearer(header: str | None) -> str:
    """The token of an Authorization header. Raises Unauthorized."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("an Authorization header with a bearer token is needed")
    return token.strip()

"""Which tokens prove who is calling, and which do not."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.people.identity import KEYS_LIFE, REFETCH_GAP, Identity, Unauthorized, bearer
from tests.support.fake_tables import FakeClock

ISSUER, CLIENT = "https://issuer/pool", "client-1"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class KeyServer:
    def __init__(self) -> None:
        self.calls = 0
        self.keys = {"k1": KEY}

    def __call__(self) -> dict[str, Any]:
        self.calls += 1
        entries = []
        for kid, key in self.keys.items():
            entry = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            entries.append(entry | {"kid": kid, "use": "sig", "alg": "RS256"})
        return {"keys": entries}


def claims(**change: Any) -> dict[str, Any]:
    good = {"sub": "ann", "iss": ISSUER, "aud": CLIENT, "token_use": "id", "exp": int(time.time()) + 600}
    return {name: value for name, value in (good | change).items() if value is not None}


def token(key: rsa.RSAPrivateKey = KEY, kid: str = "k1", **change: Any) -> str:
    return jwt.encode(claims(**change), key, algorithm="RS256", headers={"kid": kid})


def identity(server: KeyServer | None = None, clock: FakeClock | None = None) -> Identity:
    return Identity(ISSUER, CLIENT, server or KeyServer(), clock or FakeClock())


def test_a_good_token_names_its_subject() -> None:
    assert identity().user_id(token()) == "ann"


def test_groups_are_the_tokens_own() -> None:
    """Cognito writes them; what is no list of groups is none."""
    known = identity()

    def groups(said: Any) -> frozenset[str]:
        body = claims() | {"cognito:groups": said, "groups": ["owner"]}
        return known.caller(jwt.encode(body, KEY, algorithm="RS256", headers={"kid": "k1"})).groups

    assert groups(["owner", "x"]) == {"owner", "x"}
    others: list[Any] = [None, "owner", {"owner": True}, []]
    for other in others:
        assert groups(other) == frozenset()


def _hs256_with_the_public_key() -> str:
    """The classic forgery: an HMAC with the published key as its secret (PyJWT itself refuses to make one)."""

    def part(value: object) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = part({"alg": "HS256", "typ": "JWT", "kid": "k1"}) + b"." + part(claims())
    signature = base64.urlsafe_b64encode(hmac.new(public, signed, hashlib.sha256).digest()).rstrip(b"=")
    return (signed + b"." + signature).decode()


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "nonsense",
        "a.b.c",
        base64.urlsafe_b64encode(b"[" * 3_000).decode() + ".e30.AAAA",
        token(exp=int(time.time()) - 60),
        token(exp=None),
        token(aud="client-2"),
        token(aud=None),
        token(iss="https://issuer/other"),
        token(iss=None),
        token(token_use="access"),
        token(token_use=None),
        token(sub=None),
        token(key=OTHER),
        token(kid="k9"),
        jwt.encode(claims(), "", algorithm="none", headers={"kid": "k1"}),
        _hs256_with_the_public_key(),
        token()[:-8] + "AAAAAAAA",
    ],
)
def test_a_bad_token_is_refused(bad: str) -> None:
    with pytest.raises(Unauthorized):
        identity().user_id(bad)


def test_keys_are_fetched_once_and_an_unknown_key_id_only_behind_a_limit() -> None:
    server, clock = KeyServer(), FakeClock()
    verifier = identity(server, clock)
    for _ in range(10):
        verifier.user_id(token())
    assert server.calls == 1
    for _ in range(10):
        with pytest.raises(Unauthorized):
            verifier.user_id(token(kid="made-up"))
    assert server.calls == 1
    server.keys["k2"] = OTHER
    clock.step(REFETCH_GAP + 1)
    assert verifier.user_id(token(key=OTHER, kid="k2")) == "ann"
    assert server.calls == 2


def test_known_keys_outlive_a_key_server_that_is_away() -> None:
    import requests

    server, clock = KeyServer(), FakeClock()
    verifier = identity(server, clock)
    verifier.user_id(token())
    verifier._fetch = lambda: (_ for _ in ()).throw(requests.ConnectionError())
    clock.step(KEYS_LIFE + 1)
    assert verifier.user_id(token()) == "ann"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic abc", "Bearer  "])
def test_a_header_without_a_bearer_token_is_refused(header: str | None) -> None:
    with pytest.raises(Unauthorized):
        bearer(header)


def test_the_bearer_token_is_taken_from_its_header() -> None:
    assert bearer("Bearer abc") == "abc"
    assert bearer("bearer abc") == "abc"

"""What a browser and a push service do with a push: written from RFC 8291 and 8292, without the sender's code."""

import base64
import hashlib
import hmac
import os
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LONGEST_LIFE = 24 * 60 * 60  # seconds that a signature may still be good for
HEADER = 21  # salt, record size, length of the key's id


class Refused(Exception):
    """The push service's answer to a push that it does not take."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """HKDF with one block, as both RFCs write it out."""
    key = hmac.new(salt, secret, hashlib.sha256).digest()
    return hmac.new(key, info + b"\x01", hashlib.sha256).digest()[:length]


@dataclass
class Browser:
    """A subscription's secret side; `server` is the VAPID key that it was made for."""

    server: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    def keys(self) -> dict[str, str]:
        return {"p256dh": encode(_point(self.key.public_key())), "auth": encode(self.auth)}

    def decrypted(self, body: bytes) -> bytes:
        """The text of one aes128gcm record. Raises Refused."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20] if len(body) > 20 else 0
        sender, record = body[HEADER : HEADER + length], body[HEADER + length :]
        if len(sender) != 65 or not 18 <= len(record) <= size:
            raise Refused(400, "not one aes128gcm record")
        try:
            theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        except ValueError:
            raise Refused(400, "the sender's key is none") from None
        shared, mine = self.key.exchange(ec.ECDH(), theirs), _point(self.key.public_key())
        secret = _derived(self.auth, shared, b"WebPush: info\x00" + mine + sender, 32)
        key = _derived(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = _derived(salt, secret, b"Content-Encoding: nonce\x00", 12)
        try:
            padded = AESGCM(key).decrypt(nonce, record, None)
        except InvalidTag:
            raise Refused(400, "it cannot be decrypted") from None
        text, mark, padding = padded.rpartition(b"\x02")
        if not mark or padding.strip(b"\x00"):
            raise Refused(400, "its padding is wrong")
        return text


def check_signature(header: str, origin: str, server: str) -> dict[str, Any]:
    """The claims of an Authorization header. Raises Refused 401 (no good signature), 403 (somebody else's)."""
    scheme, _, rest = header.partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if scheme.lower() != "vapid" or not {"t", "k"} <= parts.keys():
        raise Refused(401, "not signed")
    if parts["k"] != server:
        raise Refused(403, "the subscription was made for another key")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(parts["k"]))
        claims: dict[str, Any] = jwt.decode(parts["t"], key, algorithms=["ES256"], audience=origin)
    except (jwt.InvalidTokenError, ValueError) as error:
        raise Refused(401, str(error)) from None
    if not 0 < claims.get("exp", 0) - time.time() <= LONGEST_LIFE:
        raise Refused(401, "it must expire within a day")
    if not str(claims.get("sub", "")).startswith(("mailto:", "https:")):
        raise Refused(401, "sub must be an address")
    return claims

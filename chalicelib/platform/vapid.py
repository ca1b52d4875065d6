"""The key pair by which push services know this deployment (VAPID, RFC 8292).

Imported only where a key is made or used: `cryptography` would slow down every cold start.
"""

import base64

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

# Below the stage's SSM path. The public key goes to config.json; the subject tells push services whom to ask.
PRIVATE, PUBLIC, SUBJECT = "vapid-private-key", "vapid-public-key", "vapid-subject"


def new_key() -> str:
    """A new private key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_of(private: str) -> str:
    """Its public key as browsers take it: the uncompressed point in base64url. Raises ValueError."""
    key = load_pem_private_key(private.encode(), None).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()

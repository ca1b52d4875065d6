"""Cognito's secure remote password (SRP) check. moto alone would not check the password.

The protocol is SRP-6a over the 3072-bit group of RFC 5054 with Cognito's conventions: hashes over
sign-padded hex, a key derived by HKDF, a signature over pool, user, secret block and time.
"""

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any

from moto.cognitoidp import models
from moto.cognitoidp.exceptions import NotAuthorizedError, UserNotFoundError
from moto.cognitoidp.models import CognitoIdpBackend

# RFC 5054, appendix A: the 3072-bit group that Cognito uses.
N_HEX = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"
)
# One secret for all local users: it must survive a restart, and moto stores none for each user.
TOTP_SECRET = "LOCALOPENCLAWLOCALOPENCLAWLOCALO"  # noqa: S105  of the stand-in, protects nothing
N = int(N_HEX, 16)
G = 2


def _pad(number: int) -> bytes:
    """Big-endian with a leading zero byte where the top bit is set, as Cognito hashes numbers."""
    raw = number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")
    return b"\0" + raw if raw[0] & 0x80 else raw


def _hash(*parts: bytes) -> int:
    return int(hashlib.sha256(b"".join(parts)).hexdigest(), 16)


K = _hash(_pad(N), _pad(G))


@dataclass
class Attempt:
    """One sign-in between its two steps."""

    pool: str
    user: str
    password: str
    a_public: int
    secret_block: str
    salt: int = field(default_factory=lambda: secrets.randbits(128))
    b_secret: int = field(default_factory=lambda: secrets.randbits(1024))

    @property
    def verifier(self) -> int:
        identity = hashlib.sha256(f"{self.pool}{self.user}:{self.password}".encode()).digest()
        return pow(G, _hash(_pad(self.salt), identity), N)

    @property
    def b_public(self) -> int:
        return (K * self.verifier + pow(G, self.b_secret, N)) % N

    def signature(self, timestamp: str) -> str:
        """The response of a client that knows the password."""
        u = _hash(_pad(self.a_public), _pad(self.b_public))
        shared = pow(self.a_public * pow(self.verifier, u, N), self.b_secret, N)
        extracted = hmac.new(_pad(u), _pad(shared), hashlib.sha256).digest()
        key = hmac.new(extracted, b"Caldera Derived Key\x01", hashlib.sha256).digest()[:16]
        message = f"{self.pool}{self.user}".encode() + base64.b64decode(self.secret_block) + timestamp.encode()
        return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


_attempts: dict[str, Attempt] = {}
_initiate = CognitoIdpBackend.initiate_auth
_respond = CognitoIdpBackend.respond_to_auth_challenge


def _checked_initiate(backend: Any, client_id: str, auth_flow: str, auth_parameters: dict[str, str]) -> Any:
    try:
        answer = _initiate(backend, client_id, auth_flow, auth_parameters)
    except UserNotFoundError:
        answer = _as_if_known(backend, client_id)
    if answer.get("ChallengeName") != "PASSWORD_VERIFIER":
        return answer
    session = answer["Session"]
    block = base64.b64encode(session.encode()).decode()
    pool = backend.sessions[session][1]
    user_id, password = answer["ChallengeParameters"]["USER_ID_FOR_SRP"], answer.pop("Nobody", None)
    if password is None:
        password = backend.admin_get_user(pool.id, auth_parameters["USERNAME"]).password or ""
    a_public = int(auth_parameters["SRP_A"], 16)
    if a_public % N == 0:
        raise NotAuthorizedError("Incorrect username or password.")
    attempt = Attempt(pool.id.split("_", 1)[1], user_id, password, a_public, block)
    _attempts[block] = attempt
    challenge = answer["ChallengeParameters"]
    challenge |= {"SALT": f"{attempt.salt:x}", "SRP_B": f"{attempt.b_public:x}", "SECRET_BLOCK": block}
    return answer


def _as_if_known(backend: Any, client_id: str) -> Any:
    """The first step for somebody without an account: the second one fails as it does for a wrong password.

    So says PreventUserExistenceErrors, which the deployed client has.
    """
    pool = next(pool for pool in backend.user_pools.values() if client_id in pool.clients)
    session, user_id = str(uuid.uuid4()), str(uuid.uuid4())
    backend.sessions[session] = (user_id, pool)
    challenge = {"USERNAME": user_id, "USER_ID_FOR_SRP": user_id}
    password = secrets.token_hex(32)
    return {
        "ChallengeName": "PASSWORD_VERIFIER",
        "Session": session,
        "ChallengeParameters": challenge,
        "Nobody": password,
    }


def _checked_respond(
    backend: Any, session: str, client_id: str, challenge_name: str, challenge_responses: dict[str, str]
) -> Any:
    if challenge_name == "PASSWORD_VERIFIER":
        block = challenge_responses.get("PASSWORD_CLAIM_SECRET_BLOCK", "")
        attempt = _attempts.pop(block, None)
        given = challenge_responses.get("PASSWORD_CLAIM_SIGNATURE", "")
        expected = attempt.signature(challenge_responses.get("TIMESTAMP", "")) if attempt else ""
        if not attempt or not hmac.compare_digest(given, expected):
            raise NotAuthorizedError("Incorrect username or password.")
        session = base64.b64decode(block).decode()
        challenge_responses = challenge_responses | {"PASSWORD_CLAIM_SECRET_BLOCK": session}
    answer = _respond(backend, session, client_id, challenge_name, challenge_responses)
    parameters = answer.get("ChallengeParameters", {})
    if isinstance(parameters.get("MFAS_CAN_SETUP"), list):  # JSON in a string, says Cognito
        parameters["MFAS_CAN_SETUP"] = json.dumps(parameters["MFAS_CAN_SETUP"])
    return answer


def install() -> None:
    """Make moto's sign-in check passwords, and give authenticators a key of the length they ask for."""
    models.COGNITO_TOTP_MFA_SECRET = TOTP_SECRET
    CognitoIdpBackend.initiate_auth = _checked_initiate
    CognitoIdpBackend.respond_to_auth_challenge = _checked_respond

"""Cognito's e-mailed codes. moto creates none for a sign-up, checks none, and cannot send one again.

No e-mail is sent. The e-mails are kept in `mailbox`, and `make run` prints them.
"""

import hmac
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

from moto.cognitoidp.exceptions import (
    CodeMismatchException,
    ExpiredCodeException,
    InvalidParameterException,
    NotAuthorizedError,
    ResourceNotFoundError,
)
from moto.cognitoidp.models import CognitoIdpBackend, CognitoIdpUser, UserStatus
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.responses import ActionResult

HOUR = 3600
# How long Cognito's codes live, in seconds.
LIFETIMES = {"sign-up": 24 * HOUR, "password": HOUR}
MISMATCH = "Invalid verification code provided, please try again."
EXPIRED = "Invalid code provided, please request a code again."
Json = dict[str, Any]


@dataclass(frozen=True)
class Letter:
    """One e-mail."""

    to: str
    purpose: str
    code: str


@dataclass(frozen=True)
class Code:
    digits: str
    ends: float


mailbox: list[Letter] = []
# By user and purpose; a new code ends the one before it. Those of a run that ended have expired.
_codes: dict[tuple[str, str], Code] = {}


def letters() -> list[Json]:
    """Every e-mail of this run, oldest first."""
    return [asdict(letter) for letter in mailbox]


def _send(user: CognitoIdpUser, purpose: str) -> None:
    code = Code(f"{secrets.randbelow(1_000_000):06d}", time.time() + LIFETIMES[purpose])
    _codes[user.id, purpose] = code
    mailbox.append(Letter(user.attribute_lookup.get("email", user.username), purpose, code.digits))


def _check(user: CognitoIdpUser | None, purpose: str, given: str) -> None:
    """Raises ExpiredCodeException or CodeMismatchException. Nobody learns so whether a user exists."""
    code = _codes.get((user.id, purpose)) if user is not None else None
    if code is None or code.ends < time.time():
        raise ExpiredCodeException(EXPIRED)
    if not hmac.compare_digest(given.encode(), code.digits.encode()):
        raise CodeMismatchException(MISMATCH)


def _user(backend: CognitoIdpBackend, client_id: str, name: str) -> CognitoIdpUser | None:
    for pool in backend.user_pools.values():
        if client_id in pool.clients:
            return pool._get_user(name)
    raise ResourceNotFoundError(client_id)


_sign_up = CognitoIdpBackend.sign_up
_forgot_password = CognitoIdpBackend.forgot_password
_confirm_forgot_password = CognitoIdpBackend.confirm_forgot_password
_confirm_sign_up = CognitoIdpResponse.confirm_sign_up


def _sign_up_mailed(
    backend: CognitoIdpBackend, client_id: str, username: str, password: str, attributes: list[dict[str, str]]
) -> Any:
    user, delivery = _sign_up(backend, client_id, username, password, attributes)
    _send(user, "sign-up")
    return user, delivery


def _confirm_sign_up_checked(response: CognitoIdpResponse) -> Any:
    user = _asked(response)
    if user is not None and user.status == UserStatus.CONFIRMED:
        raise NotAuthorizedError("User cannot be confirmed. Current status is CONFIRMED")
    _check(user, "sign-up", response._get_param("ConfirmationCode", ""))
    assert user is not None
    del _codes[user.id, "sign-up"]
    return _confirm_sign_up(response)


def _resend_confirmation_code(response: CognitoIdpResponse) -> Any:
    user = _asked(response)
    if user is not None and user.status == UserStatus.CONFIRMED:
        raise InvalidParameterException("User is already confirmed.")
    name = str(response._get_param("Username", ""))
    if user is not None:
        _send(user, "sign-up")
        name = user.attribute_lookup.get("email", name)
    hidden = "***@".join(part[:1] for part in name.split("@", 1)) + "***"
    delivery = {"Destination": hidden, "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    return ActionResult({"CodeDeliveryDetails": delivery})


def _asked(response: CognitoIdpResponse) -> CognitoIdpUser | None:
    backend: CognitoIdpBackend = response.backend
    return _user(backend, response._get_param("ClientId"), response._get_param("Username"))


def _forgot_password_mailed(backend: CognitoIdpBackend, client_id: str, username: str) -> tuple[None, Json]:
    _, delivery = _forgot_password(backend, client_id, username)
    user = _user(backend, client_id, username)
    if user is not None:
        _send(user, "password")
    return None, delivery  # moto would tell its own code in a header


def _confirm_forgot_password_checked(
    backend: CognitoIdpBackend, client_id: str, username: str, password: str, confirmation_code: str
) -> None:
    user = _user(backend, client_id, username)
    _check(user, "password", confirmation_code)
    assert user is not None
    backend._validate_password(user.user_pool_id, password)
    _confirm_forgot_password(backend, client_id, username, password, confirmation_code)
    del _codes[user.id, "password"]


def install() -> None:
    """Make moto send codes, here into the mailbox, and take no other."""
    CognitoIdpBackend.sign_up = _sign_up_mailed
    CognitoIdpBackend.forgot_password = _forgot_password_mailed
    CognitoIdpBackend.confirm_forgot_password = _confirm_forgot_password_checked
    CognitoIdpResponse.confirm_sign_up = _confirm_sign_up_checked
    CognitoIdpResponse.resend_confirmation_code = _resend_confirmation_code

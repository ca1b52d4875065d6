"""Cognito's invitations and closed accounts. moto sends no e-mail, lets a closed account in, and forgets a password.

The first password is in the mailbox of codes.py, and `make run` prints it.
"""

import secrets
from typing import Any

from moto.cognitoidp.exceptions import NotAuthorizedError
from moto.cognitoidp.models import CognitoIdpBackend, CognitoIdpUser, UserStatus

from local.cloud.codes import Letter, mailbox

_create = CognitoIdpBackend.admin_create_user
_initiate = CognitoIdpBackend.initiate_auth


def _first_password() -> str:
    """One that the pool's rules accept."""
    return f"First-{secrets.token_hex(6)}-1"


def _admin_create_user(
    backend: CognitoIdpBackend,
    user_pool_id: str,
    username: str,
    message_action: str,
    temporary_password: str,
    attributes: list[dict[str, str]],
) -> CognitoIdpUser:
    password = temporary_password or _first_password()
    if message_action == "RESEND":  # moto makes another account of it
        user = backend.admin_get_user(user_pool_id, username)
        user.password = password
    else:
        user = _create(backend, user_pool_id, username, message_action, password, attributes)
    if message_action != "SUPPRESS":
        mailbox.append(Letter(user.attribute_lookup.get("email", username), "invitation", password))
    return user


def _initiate_auth(backend: Any, client_id: str, auth_flow: str, auth_parameters: dict[str, str]) -> Any:
    """A closed account gets neither a sign-in nor a new token."""
    pool = next((pool for pool in backend.user_pools.values() if client_id in pool.clients), None)
    if pool is not None:
        name = auth_parameters.get("USERNAME")
        if auth_flow == "REFRESH_TOKEN_AUTH":
            known = pool.refresh_tokens.get(auth_parameters.get("REFRESH_TOKEN", ""))
            name = known[1] if known else None
        user = pool._get_user(name) if name else None
        if user is None and auth_flow == "REFRESH_TOKEN_AUTH":
            raise NotAuthorizedError("Refresh Token has been revoked")
        if user is not None and not user.enabled and user.status is not UserStatus.UNCONFIRMED:
            raise NotAuthorizedError("User is disabled.")
    return _initiate(backend, client_id, auth_flow, auth_parameters)


def install() -> None:
    """After srp.install(): this check comes before the one of the password."""
    global _initiate
    _initiate = CognitoIdpBackend.initiate_auth
    CognitoIdpBackend.admin_create_user = _admin_create_user
    CognitoIdpBackend.initiate_auth = _initiate_auth

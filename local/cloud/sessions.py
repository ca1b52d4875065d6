"""Cognito's renewal and end of a session. moto lacks both calls, which the page's library makes."""

from typing import Any

from moto.cognitoidp.exceptions import ResourceNotFoundError
from moto.cognitoidp.models import CognitoIdpUserPool
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.responses import ActionResult


def _pool(response: CognitoIdpResponse) -> CognitoIdpUserPool:
    client_id = response._get_param("ClientId")
    for pool in response.backend.user_pools.values():
        if client_id in pool.clients:
            return pool
    raise ResourceNotFoundError(client_id)


def _get_tokens_from_refresh_token(response: CognitoIdpResponse) -> Any:
    """New tokens; the refresh token stays, because the pool's client does not rotate it."""
    given = {"REFRESH_TOKEN": response._get_param("RefreshToken")}
    return ActionResult(response.backend.initiate_auth(response._get_param("ClientId"), "REFRESH_TOKEN_AUTH", given))


def _revoke_token(response: CognitoIdpResponse) -> Any:
    """Nobody learns whether there was one."""
    tokens, given = _pool(response).refresh_tokens, response._get_param("Token")
    if given in tokens:
        tokens[given] = None
    return ActionResult({})


def install() -> None:
    CognitoIdpResponse.get_tokens_from_refresh_token = _get_tokens_from_refresh_token
    CognitoIdpResponse.revoke_token = _revoke_token

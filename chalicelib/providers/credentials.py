"""The real credentials of the providers: added to each request, and kept only in this process."""

from collections.abc import Mapping

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from chalicelib.platform import aws, log
from chalicelib.platform.secrets import Secrets
from chalicelib.providers.routes import Route


class NoCredential(Exception):
    """The provider's key is not set (any more)."""


class Credentials:
    """Keys from SSM, read again every few minutes, and signatures by the task role. Calls block."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def headers(self, route: Route, url: str, body: bytes, sent: Mapping[str, str]) -> dict[str, str]:
        """The headers that authenticate a request. Raises NoCredential."""
        if route.service:
            return _signed(route.service, url, body, sent)
        key = self._secrets.get(route.parameter)
        if not key:
            raise NoCredential(route.parameter)
        return {route.key_header: route.key_value(key)}

    def replaced(self, route: Route, used: Mapping[str, str]) -> bool:
        """After a refusal: whether SSM now has another key than the call used."""
        if route.service:
            return False
        self._secrets.renew()
        fresh = route.key_value(self._secrets.get(route.parameter)) != used.get(route.key_header)
        log.event("provider_key_refused", provider=route.id, replaced=fresh)
        return fresh


def _signed(service: str, url: str, body: bytes, sent: Mapping[str, str]) -> dict[str, str]:
    credentials = aws.session().get_credentials()
    if credentials is None:
        raise NoCredential("task role")
    signed = {name: value for name, value in sent.items() if name.lower() in ("content-type", "anthropic-version")}
    request = AWSRequest("POST", url, headers=signed, data=body)
    SigV4Auth(credentials.get_frozen_credentials(), service, aws.region()).add_auth(request)
    return {name: value for name, value in request.headers.items() if name not in signed}

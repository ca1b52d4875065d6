"""A person's MCP servers: programs elsewhere that lend the agent tools.

Rows `mcp#<name>` in Settings. A token is a SecureString of its own, `mcp/<user>/<id>` below the stage's path: it is
written once and never shown again. Only the Bridge reads it, and adds it to the calls
(container/bridge/provider/mcp.py). It makes them from inside AWS. So an address must be a public https host: checked
here in form, and again by the Bridge, which looks up the host's addresses.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from chalicelib.people.devices import is_public
from chalicelib.platform import aws
from chalicelib.platform.clock import Clock, now_ms
from chalicelib.platform.models import SettingItem
from chalicelib.platform.records import known, readable
from chalicelib.platform.writes import update
from chalicelib.wire.protocol import ProtocolError

PREFIX, FOLDER = "mcp#", "mcp/"
MOST, MAX_TOKEN = 10, 3_000
_NAME = re.compile(r"[a-z0-9](-?[a-z0-9]){0,31}")
# What a header may hold.
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class McpServer:
    """`id` names its token, and is new for each server that is added."""

    id: str
    name: str
    url: str
    token: bool
    at: int

    @classmethod
    def from_wire(cls, row: Mapping[str, Any]) -> Self:
        """Ignores fields that a later version may have added. Raises TypeError if a field is missing."""
        return cls(**known(cls, row))

    def public(self) -> dict[str, Any]:
        """Without what follows the path, where some people write a secret."""
        parts = urlsplit(self.url)
        shown = f"{parts.scheme}://{parts.netloc}{parts.path}" + ("?…" if parts.query else "")
        return {"name": self.name, "url": shown, "token": self.token, "at": self.at}


class _There(Exception):
    """There is a server of that name."""


def token_folder(user_id: str) -> str:
    """Below the stage's path."""
    return f"{FOLDER}{user_id}/"


class McpServers:
    """`path` is the stage's path of parameters. `local_url`: a server on loopback that tests may name."""

    def __init__(self, path: str = "", local_url: str = "", clock: Clock = now_ms) -> None:
        self._path = path
        self._local_url = local_url
        self._clock = clock

    def of(self, user_id: str) -> list[McpServer]:
        """A user's servers, the oldest first; strongly consistent."""
        return sorted(readable(user_id, PREFIX, McpServer.from_wire), key=lambda server: (server.at, server.id))

    def add(self, user_id: str, body: Mapping[str, Any]) -> McpServer:
        """Raises ProtocolError BAD_FIELD, BAD_ENDPOINT, TOO_MANY, SERVER_EXISTS."""
        token = _token(body.get("token"))
        name, url = _name(body.get("name")), _url(body.get("url"), self._local_url)
        server = McpServer(secrets.token_hex(8), name, url, bool(token), self._clock())
        known = self.of(user_id)
        if len(known) >= MOST:
            raise ProtocolError("TOO_MANY", f"there are {MOST} servers already: remove one first")
        if any(one.name == name for one in known):
            raise _exists(name)
        if token:
            place = self._place(user_id, server)
            aws.client("ssm").put_parameter(Name=place, Value=token, Type="SecureString")
        try:
            actions = [SettingItem.value.set(asdict(server))]
            update(SettingItem(user_id, PREFIX + name), actions, SettingItem.value.does_not_exist(), _There)
        except _There:
            self._forget_token(user_id, server)
            raise _exists(name) from None
        return server

    def remove(self, user_id: str, name: str) -> None:
        """The token first: if that fails the server is still in the list, and can be removed again."""
        server = next((one for one in self.of(user_id) if one.name == name), None)
        if server is None:
            raise ProtocolError("NOT_FOUND", "there is no such server any more")
        self._forget_token(user_id, server)
        SettingItem(user_id, PREFIX + name).delete()

    def tokens(self, user_id: str) -> list[str]:
        """The names of a user's tokens, also of those that no row names. Not their values."""
        below = [{"Key": "Path", "Option": "OneLevel", "Values": [f"{self._path}{token_folder(user_id)}".rstrip("/")]}]
        pages = aws.client("ssm").get_paginator("describe_parameters").paginate(ParameterFilters=below)
        return [str(entry["Name"]) for page in pages for entry in page["Parameters"]]

    def forget_tokens(self, user_id: str) -> None:
        """All of a user's tokens. Safe to repeat."""
        for name in self.tokens(user_id):
            self._delete(name)

    def _forget_token(self, user_id: str, server: McpServer) -> None:
        if server.token:
            self._delete(self._place(user_id, server))

    @staticmethod
    def _delete(name: str) -> None:
        try:
            aws.client("ssm").delete_parameter(Name=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise

    def _place(self, user_id: str, server: McpServer) -> str:
        return f"{self._path}{token_folder(user_id)}{server.id}"


def _exists(name: str) -> ProtocolError:
    return ProtocolError("SERVER_EXISTS", f"there is a server {name} already: remove it first")


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ProtocolError("BAD_FIELD", "name must have 1 to 32 small letters, digits and single hyphens")
    return value


def _url(value: object, local_url: str) -> str:
    if not isinstance(value, str) or not is_public(value, local_url):
        raise ProtocolError("BAD_ENDPOINT", "url must be the https address of a public host, without a port")
    return value


def _token(value: object) -> str:
    """Empty for none."""
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or len(value) > MAX_TOKEN or not _TOKEN.fullmatch(value):
        raise ProtocolError("BAD_FIELD", f"token must have at most {MAX_TOKEN} visible ASCII characters")
    return value

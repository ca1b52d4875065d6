"""The user's MCP servers as this container knows them: where they are, and their tokens."""

from bridge.shared.aws_errors import AWS_ERRORS
from chalicelib.people.servers import McpServer, McpServers, token_folder
from chalicelib.platform import log
from chalicelib.platform.secrets import Secrets


class Servers:
    """Of nobody until `serve`. `secrets` are the stage's; tokens are read with the first call, and kept a while."""

    def __init__(self, secrets: Secrets, local_url: str = "") -> None:
        self._secrets = secrets
        self.local_url = local_url
        self._user_id = ""
        self._known: dict[str, McpServer] = {}
        self._tokens: Secrets | None = None

    def serve(self, user_id: str) -> None:
        self._user_id = user_id
        self._tokens = self._secrets.below(token_folder(user_id))

    def refresh(self) -> None:
        """Read the list again. If that fails the old one stays."""
        try:
            self._known = {server.id: server for server in McpServers().of(self._user_id)}
        except AWS_ERRORS as error:
            log.failure("servers_unread", error)

    def names(self) -> dict[str, str]:
        """Server ids by name."""
        return {server.name: server.id for server in self._known.values()}

    def get(self, server_id: str) -> McpServer | None:
        return self._known.get(server_id)

    def token(self, server: McpServer) -> str:
        """Empty for a server without one. Blocks; raises what AWS raises, and LookupError for a token that is gone."""
        if not server.token:
            return ""
        found = self._tokens.get(server.id) if self._tokens is not None else ""
        if not found:
            raise LookupError(server.id)
        return found

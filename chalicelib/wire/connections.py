"""Open WebSockets: their owners, and how to send a frame to one."""

from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.update import Action

from chalicelib.platform import aws
from chalicelib.platform.clock import MINUTE, SECOND, Clock, now_ms, ttl
from chalicelib.platform.models import ConnectionItem
from chalicelib.platform.writes import update
from chalicelib.wire.protocol import Frame, encode

# API Gateway closes a connection after 2 h; the margin allows for clock skew.
CONNECTION_LIFE = 130 * MINUTE
# A visible tab says so every two minutes (frontend/src/core/presence.ts): one that sleeps with its machine is soon
# not taken for a visible one any more.
VISIBLE_FOR = 150 * SECOND
USER, AGENT = "user", "agent"


class Gone(Exception):
    """The connection is closed."""


@dataclass(frozen=True)
class Connection:
    """A user's tab, or the agent's own socket (with the generation of its task)."""

    id: str
    user_id: str
    endpoint: str
    role: str = USER
    generation: int = 0
    visible_until: int = 0  # ms; 0: it is hidden, or has not said


class Connections:
    """The Connections table. Owners never change, so each process looks one up once."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock
        self._owners: dict[str, Connection] = {}

    def add(self, connection: Connection) -> None:
        is_user = connection.role == USER
        ConnectionItem(
            connection.id,
            # The index by user lists tabs; an agent's socket stays out of it.
            user_id=connection.user_id if is_user else None,
            owner=connection.user_id,
            role=connection.role,
            generation=connection.generation,
            endpoint=connection.endpoint,
            expires_at=ttl(self._clock() + CONNECTION_LIFE),
        ).save()

    def owner(self, connection_id: str) -> Connection | None:
        """The connection with its owner; None if it is unknown."""
        found = self._owners.get(connection_id)
        if found is None:
            try:
                # A tab may send right after it was admitted; an eventually consistent read could miss its row.
                row = ConnectionItem.get(connection_id, consistent_read=True)
            except ConnectionItem.DoesNotExist:
                return None
            found = Connection(row.connection_id, row.owner, row.endpoint, row.role, int(row.generation or 0))
            if len(self._owners) > 10_000:
                self._owners.clear()
            self._owners[connection_id] = found
        return found

    def remove(self, connection_id: str) -> None:
        self._owners.pop(connection_id, None)
        ConnectionItem(connection_id).delete()

    def show(self, connection_id: str, visible: bool) -> None:
        """A tab says whether it is visible. One that has left stays away. Raises Gone."""
        action: Action = ConnectionItem.visible_until.remove()
        if visible:
            action = ConnectionItem.visible_until.set(self._clock() + VISIBLE_FOR)
        update(ConnectionItem(connection_id), [action], ConnectionItem.user_id.exists(), Gone)

    def of_user(self, user_id: str) -> list[Connection]:
        """The user's open tabs (eventually consistent: a new tab asks for what it missed)."""
        return [
            Connection(row.connection_id, row.user_id, row.endpoint, visible_until=int(row.visible_until or 0))
            for row in ConnectionItem.by_user.query(user_id)
        ]


class Post:
    """Sends frames through the API's @connections."""

    def to(self, connection_id: str, endpoint: str, frame: Frame) -> None:
        """Send one frame. Raises Gone when the connection is closed."""
        client = aws.client("apigatewaymanagementapi", endpoint)
        try:
            client.post_to_connection(ConnectionId=connection_id, Data=encode(frame))
        except client.exceptions.GoneException:
            raise Gone(connection_id) from None


def endpoint_of(context: dict[str, Any], override: str) -> str:
    """The URL of this API's @connections; the local stack overrides it."""
    if override:
        return override
    return f"https://{context['apiId']}.execute-api.{aws.region()}.amazonaws.com/{context['stage']}"

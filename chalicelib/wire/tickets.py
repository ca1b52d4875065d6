"""Single-use tickets, so that the URL of a WebSocket contains no long-lived token."""

import hashlib
import secrets
from dataclasses import dataclass

from pynamodb.exceptions import DeleteError

from chalicelib.platform.clock import SECOND, Clock, now_ms, ttl
from chalicelib.platform.models import ConnectionItem
from chalicelib.wire.connections import USER

TICKET_LIFE = 30 * SECOND


class BadTicket(Exception):
    """The ticket is unknown, used or expired."""


@dataclass(frozen=True)
class Ticket:
    user_id: str
    role: str = USER
    generation: int = 0


class Tickets:
    """Tickets are rows in the Connections table; the key is the hash of the secret."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def issue(self, ticket: Ticket) -> str:
        """A new secret that opens one connection within TICKET_LIFE."""
        secret = secrets.token_urlsafe(32)
        until = self._clock() + TICKET_LIFE
        ConnectionItem(
            _key(secret),
            owner=ticket.user_id,
            role=ticket.role,
            generation=ticket.generation,
            valid_until=until,
            expires_at=ttl(until + 60 * SECOND),
        ).save()
        return secret

    def redeem(self, secret: str) -> Ticket:
        """Use up a ticket and return its owner. Raises BadTicket."""
        row = ConnectionItem(_key(secret))
        # The condition checks the expiry, because DynamoDB's TTL may be days late.
        valid = ConnectionItem.connection_id.exists() & (ConnectionItem.valid_until >= self._clock())
        try:
            found = ConnectionItem.get(_key(secret), consistent_read=True)
            row.delete(condition=valid)
        except ConnectionItem.DoesNotExist:
            raise BadTicket("unknown ticket") from None
        except DeleteError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                raise BadTicket("used or expired ticket") from None
            raise
        return Ticket(found.owner, found.role, int(found.generation or 0))


def _key(secret: str) -> str:
    return "ticket#" + hashlib.sha256(secret.encode()).hexdigest()

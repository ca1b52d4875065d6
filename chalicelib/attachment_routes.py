"""The REST route of files that a person sends: they go to the bucket, and never through a function."""

from typing import Any

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.people.rate import Rate
from chalicelib.rest import PAGE, body, signed_in
from chalicelib.wire.protocol import ProtocolError

routes = Blueprint(__name__)
# As many as 15 messages a minute with four files each.
UPLOADS_PER_MINUTE = 60


@routes.route("/attachments", methods=["POST"], cors=PAGE)
def attachments() -> Response:
    return signed_in(_place)


def _place(user_id: str) -> dict[str, Any]:
    from chalicelib.messages.attachments import parse_wanted, place  # for the cold start: few instances need it

    wanted = parse_wanted(body())
    if Rate(UPLOADS_PER_MINUTE, name="uploads").exceeded(user_id):
        raise ProtocolError("RATE_LIMITED", "too many files in a short time, please wait a minute")
    return place(user_id, wanted, wiring.settings())

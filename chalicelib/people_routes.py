"""The REST routes of the owner's room: who is here, invitations, limits, the end of an account.

Only here a path names another user. Every route asks for the owners' group first, which Cognito has written into
the caller's verified token.
"""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from chalice import Blueprint, Response
from pynamodb.exceptions import PynamoDBException

from chalicelib import wiring
from chalicelib.people.identity import OWNER, bearer
from chalicelib.platform import log
from chalicelib.rest import PAGE, answer, body, request, signed_in
from chalicelib.wire.protocol import ProtocolError

routes = Blueprint(__name__)


def owners_only(work: Callable[[str], Any]) -> Response:
    """Run work(user_id) for an owner; anybody else is refused."""

    def checked(user_id: str) -> Any:
        caller = wiring.identity().caller(bearer(request().headers.get("authorization")))
        if OWNER not in caller.groups:
            raise ProtocolError("OWNER_ONLY", "Only an owner of this deployment may do this.")
        return work(user_id)

    return signed_in(checked)


def _pool() -> Any:
    from chalicelib.people.pool import Pool  # for the cold start: few instances need it

    # …/<pool id>: the issuer of this pool's tokens.
    return Pool(wiring.settings().need("COGNITO_ISSUER").rpartition("/")[2])


@routes.route("/people", methods=["GET", "POST"], cors=PAGE)
def people() -> Response:
    return owners_only(_list if request().method == "GET" else _invite)


def _list(me: str) -> dict[str, Any]:
    from chalicelib.lifecycle.people import listed

    after = (request().query_params or {}).get("after")
    return listed(_pool(), me, after)


def _invite(me: str) -> Response:
    from chalicelib.people.pool import email_of

    email = email_of(body())
    new = _pool().invite(email)
    log.event("person_invited", user=me, again=not new)
    return answer(201 if new else 200, {"email": email, "again": not new})


@routes.route("/people/{person_id}", methods=["PUT", "DELETE"], cors=PAGE)
def person(person_id: str) -> Response:
    work = {"PUT": _limit, "DELETE": _remove}[request().method]
    return owners_only(lambda me: work(me, person_id))


def _found(person_id: str) -> Any:
    found = _pool().find(person_id)
    if found is None:
        raise ProtocolError("NOT_FOUND", "There is no such person (any more).")
    return found


def _limit(me: str, person_id: str) -> dict[str, Any]:
    """The owner's ceiling, which holds from the agent's next turn on."""
    from chalicelib.lifecycle.people import cap, public
    from chalicelib.people.spending import Spending

    usd, found = cap(body()), _found(person_id)
    Spending().cap(found.user_id, usd)
    log.event("person_limited", user=me, person=found.user_id)
    return public(found, me, _pool().owners())


def _remove(me: str, person_id: str) -> Response:
    """202: not over yet, ask again. What was deleted stays deleted, whatever happens in between."""
    from chalicelib.lifecycle.people import begin_removal
    from chalicelib.lifecycle.removal import State, is_removed
    from chalicelib.people.pool import email_of

    email, found = email_of(body()), _pool().find(person_id)
    if found is None and is_removed(person_id):  # the answer to the last call was lost
        return answer(200, {"state": State.DONE})
    found = found or _found(person_id)
    begin_removal(_pool(), me, found, email)
    log.event("person_removing", user=me, person=found.user_id)
    try:
        state = wiring.removal(_pool()).go_on(found)
    except (ClientError, BotoCoreError, PynamoDBException) as error:
        log.failure("removal_failed", error, person=found.user_id)
        raise ProtocolError("REMOVAL_UNFINISHED", "Not all of it is removed yet. Remove again to go on.") from None
    return answer(200 if state is State.DONE else 202, {"state": state})

"""What the owner of a deployment sees of its people: numbers and states, nothing that they wrote."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chalicelib.agents.tasks import Status, Tasks
from chalicelib.people.owners import Removing
from chalicelib.people.pool import Person, Pool
from chalicelib.people.preferences import Preferences
from chalicelib.people.spending import Spending
from chalicelib.wire.protocol import ProtocolError

WORKERS = 8


def listed(pool: Pool, me: str, after: str | None) -> dict[str, Any]:
    """A page of the people, the oldest account first."""
    people, more = pool.page(after)
    owners = pool.owners()
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="people") as workers:
        shown = list(workers.map(lambda person: public(person, me, owners), people))
    return {"people": sorted(shown, key=lambda one: (one["createdAt"], one["id"])), "next": more}


def public(person: Person, me: str, owners: set[str]) -> dict[str, Any]:
    """`limitUsd` is what holds; `ownLimitUsd` what they chose, `capUsd` what the owner set (null: nothing)."""
    task, choice, spending = Tasks().get(person.user_id), Preferences().get(person.user_id), Spending()
    month, limits = spending.month(person.user_id, choice.time_zone), spending.limits(person.user_id)
    state = "removing" if task.status is Status.REMOVED else person.state if person.enabled else "closed"
    return {
        "id": person.user_id,
        "email": person.email,
        "createdAt": person.created_at,
        "state": state,
        "owner": person.user_id in owners,
        "you": person.user_id == me,
        "agent": "Idle" if task.status is Status.REMOVED else str(task.status),
        "month": month.name,
        "usd": round(month.usd, 4),
        "complete": month.inexact == 0,
        "limitUsd": limits.of(choice),
        "capUsd": limits.cap_usd,
        "highestUsd": limits.total_usd,
    }


def may_remove(pool: Pool, me: str, person: Person, email: str) -> None:
    """Raises ProtocolError for what must not be removed. The groups are those of now, not of a token."""
    owners = pool.owners()
    if me not in owners:
        raise ProtocolError("OWNER_ONLY", "You are no owner of this deployment any more.")
    if person.user_id == me:
        raise ProtocolError("OWNER_SELF", "You cannot remove yourself. Another owner can.")
    if owners == {person.user_id}:
        raise ProtocolError("LAST_OWNER", "The last owner cannot be removed.")
    if email.casefold() != person.email.casefold():
        raise ProtocolError("EMAIL_DIFFERS", "Repeat the e-mail address of the person who is to be removed.")


def begin_removal(pool: Pool, me: str, person: Person, email: str) -> None:
    """Raises ProtocolError for what must not be removed now. Of an owner it takes the claim, and then looks again."""
    may_remove(pool, me, person, email)
    owners = pool.owners()
    if person.user_id not in owners or not Removing().claim(person.user_id, owners):
        return
    try:
        may_remove(pool, me, person, email)
    except ProtocolError:
        Removing().release(person.user_id)
        raise


def cap(body: dict[str, Any]) -> float | None:
    """A highest limit that the owner sets. Raises ProtocolError BAD_FIELD."""
    usd = body.get("capUsd")
    if usd is None and "capUsd" in body:
        return None
    if isinstance(usd, int | float) and not isinstance(usd, bool) and 0 <= usd <= 1000:
        return round(float(usd), 2)
    raise ProtocolError("BAD_FIELD", "capUsd must be a number of US dollars from 0 to 1000, or null")

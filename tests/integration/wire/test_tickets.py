"""A ticket opens one connection, soon or not at all (on moto over HTTP)."""

import threading
import uuid

import pytest

from chalicelib.platform.clock import MINUTE
from chalicelib.platform.models import ConnectionItem
from chalicelib.wire.connections import AGENT, USER
from chalicelib.wire.tickets import TICKET_LIFE, BadTicket, Ticket, Tickets
from tests.support.fake_tables import FakeClock

pytestmark = pytest.mark.usefixtures("table_server")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tickets(cloud: str, clock: FakeClock) -> Tickets:
    return Tickets(clock)


def user() -> str:
    return uuid.uuid4().hex


@pytest.mark.parametrize(("role", "generation"), [(USER, 0), (AGENT, 7)])
def test_a_ticket_says_whose_it_is(tickets: Tickets, role: str, generation: int) -> None:
    ticket = Ticket(user(), role, generation)
    assert tickets.redeem(tickets.issue(ticket)) == ticket


def test_a_ticket_is_good_to_the_end_of_its_life(tickets: Tickets, clock: FakeClock) -> None:
    secret = tickets.issue(Ticket(user()))
    clock.step(TICKET_LIFE)
    tickets.redeem(secret)


@pytest.mark.parametrize("late", [1, 10 * MINUTE])
def test_an_expired_ticket_is_refused(tickets: Tickets, clock: FakeClock, late: int) -> None:
    """DynamoDB's TTL may be days late: the row is still there."""
    secret = tickets.issue(Ticket(user()))
    clock.step(TICKET_LIFE + late)
    for _ in range(2):
        with pytest.raises(BadTicket):
            tickets.redeem(secret)


def test_a_used_ticket_is_refused(tickets: Tickets) -> None:
    secret = tickets.issue(Ticket(user()))
    tickets.redeem(secret)
    with pytest.raises(BadTicket):
        tickets.redeem(secret)


@pytest.mark.parametrize("secret", ["", "made-up", "x" * 5_000])
def test_what_is_no_ticket_is_refused(tickets: Tickets, secret: str) -> None:
    with pytest.raises(BadTicket):
        tickets.redeem(secret)


def test_twenty_at_once_with_one_ticket_have_one_winner(tickets: Tickets) -> None:
    ticket = Ticket(user())
    secret = tickets.issue(ticket)
    barrier = threading.Barrier(20)
    won: list[Ticket] = []
    refused: list[BadTicket] = []

    def redeem() -> None:
        barrier.wait()
        try:
            won.append(tickets.redeem(secret))
        except BadTicket as error:
            refused.append(error)

    threads = [threading.Thread(target=redeem) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (won, len(refused)) == ([ticket], 19)


def test_the_table_does_not_hold_the_secret(tickets: Tickets) -> None:
    """Who can read the table can open nothing with it, and a ticket is in no list of the user's tabs."""
    owner = user()
    secret = tickets.issue(Ticket(owner))
    rows = [row.serialize() for row in ConnectionItem.scan() if row.owner == owner]
    assert len(rows) == 1
    assert secret not in repr(rows)
    assert list(ConnectionItem.by_user.query(owner)) == []

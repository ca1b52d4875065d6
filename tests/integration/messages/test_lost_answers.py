"""A transaction that went through and lost its answer: botocore sends it again with its token, and DynamoDB knows it.

Not on moto, which runs it again (test_table_servers.py).
"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.exceptions import ConnectionClosedError

from chalicelib.agents.tasks import Tasks
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.platform import aws
from tests.support.fake_tables import FakeClock
from tests.support.judges import MOTO, TABLE_SERVERS, OnTables

RUN = {"runId": "r", "conversationId": "main", "replyTo": "m"}
EVENT = "before-send.dynamodb.TransactWriteItems"


class Lossy:
    """Delivers a transaction and loses the answer, once."""

    def __init__(self) -> None:
        self.lost = 0

    def __call__(self, request: Any, **_: Any) -> None:
        if self.lost == 0:
            self.lost += 1
            requests.post(request.url, data=request.body, headers=dict(request.headers), timeout=10).raise_for_status()
            raise ConnectionClosedError(endpoint_url=request.url)


@pytest.fixture(params=[server for server in TABLE_SERVERS if server != MOTO])
def lossy(request: pytest.FixtureRequest, on_tables: OnTables) -> Iterator[Lossy]:
    with on_tables(request.param):
        lossy, events = Lossy(), aws.client("dynamodb").meta.events
        events.register(EVENT, lossy)
        yield lossy
        events.unregister(EVENT, lossy)


def test_a_claim_that_lost_its_answer_is_one_claim(lossy: Lossy) -> None:
    clock, user = FakeClock(), uuid.uuid4().hex
    tasks, inbox = Tasks(clock), Inbox(clock)
    generation = tasks.begin_start(user).generation
    tasks.launched(user, generation, "arn:1")
    tasks.phase(user, generation, "booting", "arn:1")
    tasks.running(user, generation, "arn:1")
    assert inbox.put(Message(user, "message-1", "hello", "main", clock()))
    claimed = inbox.claim(inbox.waiting(user)[0], generation, RUN)
    assert lossy.lost == 1
    row = inbox.get(user, "message-1")
    assert row is not None
    assert (row.claims, row.attempts, row.claimed_by) == (claimed.claims, 1, generation)
    inbox.finish(claimed, generation, [])
    assert inbox.waiting(user) == []

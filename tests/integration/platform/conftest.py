"""What the files share: the fakes and the real tables to ask both the same questions, and a stand-in of their own."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.agents.tasks import Tasks
from chalicelib.messages.inbox import Inbox, Message
from tests.support.cloud import Cloud, cloud
from tests.support.fake_tables import FakeClock, FakeInbox, FakeTasks
from tests.support.judges import TABLE_SERVERS, OnTables


@dataclass
class Tables:
    clock: FakeClock
    tasks: Any
    inbox: Any
    user: str

    def message(self, message_id: str = "message-1") -> Message:
        return Message(self.user, message_id, "hello", "main", self.clock())

    def run(self) -> int:
        """A running task; its generation."""
        generation: int = self.tasks.begin_start(self.user).generation
        self.tasks.launched(self.user, generation, "arn:1")
        self.tasks.phase(self.user, generation, "booting", "arn:1")
        self.tasks.running(self.user, generation, "arn:1")
        return generation


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The stand-in as a process of a file's own."""
    with cloud(tmp_path_factory.mktemp("own")) as process:
        yield process


@pytest.fixture(params=["fake", *TABLE_SERVERS])
def tables(request: pytest.FixtureRequest, on_tables: OnTables) -> Iterator[Tables]:
    clock, user = FakeClock(), uuid.uuid4().hex
    if request.param == "fake":
        tasks = FakeTasks(clock)
        yield Tables(clock, tasks, FakeInbox(clock, tasks), user)
        return
    with on_tables(request.param):
        yield Tables(clock, Tasks(clock), Inbox(clock), user)

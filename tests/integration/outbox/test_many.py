"""Fifty automations of one minute: one wake, and each result arrives once. The gateway is scripted, the tables real.

The real gateway would take a minute for fifty turns; what one of them does there is in test_said.py and test_wake.py.
"""

import threading
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from bridge.files.shelf import NOTHING, Kept
from bridge.outbox.automations import Automations
from bridge.outbox.background import Background
from bridge.outbox.outbox import MAIN, Outbox
from bridge.outbox.push import Push
from bridge.outbox.push_service import PushService
from bridge.telegram.channel import Telegram
from bridge.turns.delivery import Delivery
from chalicelib.agents.schedules import Schedules
from chalicelib.agents.tasks import Tasks
from chalicelib.agents.wakes import Wakes
from chalicelib.lifecycle.wake import Wake
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Inbox
from chalicelib.platform.clock import MINUTE, now_ms
from chalicelib.wire.connections import Connections
from tests.support.client import eventually
from tests.support.fakes import FakePost

pytestmark = pytest.mark.usefixtures("table_server")
Json = dict[str, Any]
COUNT = 50


class Gateway:
    """An OpenClaw with fifty jobs, which have run or not."""

    def __init__(self, due: int) -> None:
        self.due = due
        self.ran_at = 0
        self.tasks: list[Json] = []

    def request(self, method: str, params: Json) -> Json:
        if method == "cron.list":
            return {"jobs": [self._job(number) for number in range(COUNT)]}
        if method == "sessions.list":
            return {"sessions": [{"key": MAIN, "updatedAt": self.ran_at}]}
        if method == "chat.history":
            return {"messages": [self._row(number) for number in range(COUNT)] if self.ran_at else []}
        return {"tasks": self.tasks} if method == "tasks.list" else {}

    def _job(self, number: int) -> Json:
        state: Json = {"nextRunAtMs": self.due}
        if self.ran_at:
            state = {"nextRunAtMs": self.due + 60 * MINUTE, "lastRunAtMs": self.due, "lastRunStatus": "ok"}
        payload, schedule = {"kind": "agentTurn", "message": "x"}, {"kind": "every", "everyMs": 60 * MINUTE}
        return {"id": f"job-{number}", "name": f"n{number}", "payload": payload, "schedule": schedule, "state": state}

    def _row(self, number: int) -> Json:
        about = {"id": f"row-{number}", "runId": f"run-{number}", "recordTimestampMs": self.ran_at + number}
        text = [{"type": "text", "text": f"Reminder {number}"}]
        row = {"role": "assistant", "content": text, "stopReason": "stop", "__openclaw": about}
        return row | {"openclawAutomation": {"jobId": f"job-{number}"}}


def noting() -> tuple[list[int], Any]:
    """Schedules that are only noted."""
    scheduled: list[int] = []
    return scheduled, SimpleNamespace(margin=0, set=lambda _, at: scheduled.append(at), clear=lambda _: None)


def container(user: str, generation: int, schedules: Schedules) -> tuple[Outbox, Automations]:
    telegram, connections = Telegram(user, "", ""), Connections()
    telegram.recover()
    delivery = Delivery(user, connections, FakePost())
    push = Push(user, delivery, PushService(lambda _: ""), lambda: True)
    outbox = Outbox(user, delivery, telegram, push, lambda now: None)
    background = Background(user, Inbox(), Wakes(), outbox.conversation)
    automations = Automations(user, generation, outbox.causes, schedules, background)
    automations.deliver, automations.owes = outbox.deliver_all, outbox.owes
    outbox.begin = automations.load
    return outbox, automations


def said(user: str) -> list[str]:
    texts: list[str] = []
    before = None
    while True:
        page = Conversations().page(user, "main", before, 50)
        texts += [row["content"] for row in page.messages]
        before = page.before
        if before is None:
            return texts


def test_fifty_at_one_minute() -> None:
    user, tasks = uuid.uuid4().hex, Tasks()
    generation = tasks.begin_start(user).generation
    scheduled, schedules = noting()
    gateway: Any = Gateway(now_ms() + 3 * MINUTE)
    outbox, automations = container(user, generation, schedules)
    automations.load()
    automations.follow(gateway)
    automations.follow(gateway)
    assert tasks.get(user).wake_at == gateway.due
    assert len(scheduled) == 1, "one schedule, whatever runs then"

    tasks.released(user, generation)
    wakes = Wakes()
    starts: list[int] = []

    def start(_: str, seen: Any) -> Any:
        starts.append(tasks.begin_start(user).generation)
        return tasks.get(user)

    dispatch: Any = SimpleNamespace(tasks=tasks, ensure_running=start, tell=lambda *_: None)
    wake = Wake(dispatch, wakes, schedules, lambda _: False, lambda *_: None, 48, lambda: gateway.due - 1)
    for _ in range(COUNT):
        wake.fire(user)
    assert (len(starts), wakes.today(user)) == (1, 1)

    gateway.ran_at = now_ms()
    for _ in range(2):  # the second container comes after a crash behind the first one's deliveries
        outbox, automations = container(user, starts[0], schedules)
        outbox.also["cron"] = automations.follow
        outbox.start(gateway)
        outbox.close(30)
        assert sorted(said(user)) == sorted(f"Reminder {number}" for number in range(COUNT))
    assert tasks.get(user).wake_at == gateway.due + 60 * MINUTE
    assert [job["lastStatus"] for job in wakes.jobs(user)] == ["ok"] * COUNT


class Shelf:
    """Counts how often files are asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def keep(self, *_: object) -> Kept:
        self.asked += 1
        return NOTHING


def test_what_is_delivered_has_its_files_fetched_once() -> None:
    user = uuid.uuid4().hex
    gateway: Any = Gateway(now_ms())
    gateway.ran_at = now_ms()
    outbox, _ = container(user, 1, SimpleNamespace())  # type: ignore[arg-type]
    shelf: Any = Shelf()
    outbox.begin, outbox.shelf = lambda: None, shelf
    outbox.start(gateway)
    assert outbox.close(30), "which reads the transcript once more"
    assert shelf.asked == len(said(user)) == COUNT


def test_nothing_is_delivered_before_it_is_known_what_the_last_container_knew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.outbox.outbox.RETRY_SECONDS", 0.1)
    user = uuid.uuid4().hex
    gateway: Any = Gateway(now_ms())
    gateway.ran_at = now_ms()
    outbox, _ = container(user, 1, SimpleNamespace())  # type: ignore[arg-type]
    tries: list[int] = []

    def begin() -> None:
        tries.append(len(said(user)))
        if len(tries) < 3:
            raise EndpointConnectionError(endpoint_url="")

    outbox.begin = begin
    outbox.start(gateway)
    eventually(lambda: len(said(user)) == COUNT)
    assert outbox.close(30)
    assert tries == [0, 0, 0]


def test_an_outbox_that_cannot_end_says_so() -> None:
    go_on = threading.Event()
    outbox, _ = container(uuid.uuid4().hex, 1, SimpleNamespace())  # type: ignore[arg-type]

    def begin() -> None:
        go_on.wait(30)

    outbox.begin = begin
    outbox.start(None)
    assert not outbox.close(0.1)
    go_on.set()
    assert outbox.close(10)


def test_work_is_noted_until_it_is_reported_or_given_up() -> None:
    user, tasks = uuid.uuid4().hex, Tasks()
    generation = tasks.begin_start(user).generation
    scheduled, schedules = noting()
    gateway: Any = Gateway(now_ms() + 60 * MINUTE)
    _, automations = container(user, generation, schedules)
    working = [{"id": "t", "kind": "subagent", "status": "running", "sessionKey": MAIN, "title": "look for a flat"}]
    for now_running, noted in ((working, True), ([], False), (working, True)):
        gateway.tasks = now_running
        automations.follow(gateway)
        _, work, _ = Wakes().known(user)
        assert [one["text"] for one in work] == (["look for a flat"] if noted else [])
        assert (tasks.get(user).wake_at < now_ms() + MINUTE) is noted
    assert len(scheduled) == 1, "the schedule is for automations: a container's end is seen without one"

    _, successor = container(user, generation, schedules)
    gateway.tasks = []
    successor.load()
    for _ in range(2):
        successor.follow(gateway)
    (asked,) = Inbox().waiting(user)
    assert "look for a flat" in asked.text
    assert Wakes().known(user)[1] == []

    automations.asleep = lambda: True
    gateway.tasks = working
    automations.follow(gateway)
    assert tasks.get(user).wake_at == gateway.due, "put to sleep by its person"


def test_a_deleted_automation_wakes_nobody() -> None:
    user, tasks, wakes = uuid.uuid4().hex, Tasks(), Wakes()
    generation = tasks.begin_start(user).generation
    wakes.project(user, generation, now_ms() - 1, [{"id": "job"}])
    assert user in wakes.due_before(now_ms())
    wakes.project(user, generation, None, [])
    tasks.released(user, generation)
    dispatch: Any = SimpleNamespace(tasks=tasks, ensure_running=None, tell=None)
    schedules: Any = SimpleNamespace(margin=0, set=None)
    wake = Wake(dispatch, wakes, schedules, lambda _: False, lambda *_: None)
    assert wake.fire(user) == "nothing", "an old schedule may still fire"
    assert user not in wakes.due_before(now_ms() + MINUTE)

"""The last starts, as Status shows them: on the real tables."""

import uuid
from dataclasses import replace

import pytest

from bridge.life.record import Record
from chalicelib.agents.starts import CLAIMED, COLD, NO_MEMORY, NO_OPENCLAW, SHOWN, TOLD, Begun, Starts
from chalicelib.agents.task import Status, Task
from chalicelib.agents.tasks import Tasks
from chalicelib.platform.clock import MINUTE
from tests.support.fake_tables import FakeClock

pytestmark = pytest.mark.usefixtures("cloud")


def running(user_id: str, generation: int, clock: FakeClock) -> Task:
    """A row as it is when the agent is ready."""
    now = clock()
    return Task(user_id, Status.RUNNING, generation, started_at=now - 7000, ready_at=now, lease_until=now + MINUTE)


def test_each_start_tells_how_it_went() -> None:
    """Ended in order, killed, without OpenClaw, without a row, without its memory: newest first."""
    user, clock = uuid.uuid4().hex, FakeClock()
    starts = Starts(clock)
    one = running(user, 1, clock)
    starts.begun(one, Begun(COLD, 300, 4000))
    starts.ended(user, 1, TOLD, 2)
    starts.begun(replace(one, generation=2), Begun(CLAIMED, 10, 20))
    starts.begun(replace(one, generation=3, ready_at=0), Begun(COLD, 1, 2, NO_OPENCLAW))
    now = replace(one, generation=5)
    starts.begun(now, Begun(COLD, 1, 2, NO_MEMORY))
    last = starts.last(now)
    assert [(start["generation"], start["state"]) for start in last] == [
        (5, "awake"),
        (4, "failed"),
        (3, "failed"),
        (2, "killed"),
        (1, "ended"),
    ]
    assert last[0]["failure"] == NO_MEMORY
    assert last[4] | {"ended": 0} == {
        "generation": 1,
        "kind": COLD,
        "began": one.started_at,
        "ready": one.ready_at,
        "restore": 300,
        "gateway": 4000,
        "restarts": 2,
        "ended": 0,
        "end": TOLD,
        "state": "ended",
    }
    assert "ready" not in last[2]


def test_a_start_under_way_and_a_limit() -> None:
    user, clock = uuid.uuid4().hex, FakeClock()
    starts = Starts(clock)
    assert starts.last(Task(user)) == []
    starting = replace(running(user, 1, clock), status=Status.STARTING)
    assert [start["state"] for start in starts.last(starting)] == ["starting"]
    for generation in range(1, SHOWN + 3):
        starts.begun(replace(starting, generation=generation), Begun(COLD, 1, 2))
    last = starts.last(replace(starting, generation=SHOWN + 2))
    assert [start["generation"] for start in last] == list(range(SHOWN + 2, 2, -1))


def test_a_container_that_was_replaced_writes_on_no_other_s_row() -> None:
    """It gives up when the next generation has begun; that one is fine."""
    user = uuid.uuid4().hex
    tasks = Tasks()
    tasks.begin_start(user)
    tasks.released(user, 1)
    new = tasks.begin_start(user)
    Record(user, 1, tasks).failed(Begun(COLD, 1, 2, NO_OPENCLAW))
    assert Starts().last(new)[0]["state"] == "starting"
    Starts().begun(new, Begun(COLD, 1, 2, NO_OPENCLAW))
    Starts().begun(new, Begun(COLD, 1, 2))
    assert "failure" not in Starts().last(new)[0]


def test_a_row_that_cannot_be_written_harms_nothing() -> None:
    """The agent works on and ends in order: nothing depends on the row."""

    class Offline:
        def get(self, user_id: str) -> Task:
            raise ConnectionError

    record = Record(uuid.uuid4().hex, 1, Offline())  # type: ignore[arg-type]
    record.ended(TOLD, 0)
    assert Tasks().get("nobody").generation == 0

"""The last starts of a user on real tables: phases, failures, and what became of them."""

import uuid

import pytest
from pynamodb.exceptions import UpdateError

from chalicelib.agents.starts import AGENT, DIED, GIVEN_UP, SHOWN, Starts
from chalicelib.agents.tasks import Tasks
from chalicelib.platform.models import SettingItem

pytestmark = pytest.mark.usefixtures("cloud")


@pytest.fixture
def user() -> str:
    return uuid.uuid4().hex


def test_a_start_is_noted_with_its_phases_and_a_failed_one_with_its_reason(user: str) -> None:
    tasks, starts = Tasks(), Starts()
    first = tasks.begin_start(user)
    starts.ended(tasks.released(user, first.generation), DIED)
    starts.ended(tasks.get(user), GIVEN_UP)
    second = tasks.begin_start(user)
    starts.ready(tasks.running(user, second.generation, "arn"), 1, 2, restored=True)
    starts.ended(tasks.released(user, second.generation), DIED)  # it worked before
    newest, oldest = starts.last(user)
    assert oldest == {"id": 1, "at": first.started_at, "outcome": "failed", "reason": DIED, "givenUp": True}
    times = {name: newest.pop(name) for name in ("totalMs", "containerMs")}
    about = {"outcome": "ready", "early": False, "restored": True, "restoreMs": 1, "bootMs": 2}
    assert newest == {"id": 2, "at": second.started_at} | about
    assert 0 <= times["containerMs"] <= times["totalMs"]


def test_only_the_last_ones_are_shown_and_nobody_elses(user: str) -> None:
    tasks, starts = Tasks(), Starts()
    for _ in range(SHOWN + 2):
        task = tasks.begin_start(user)
        starts.ended(tasks.released(user, task.generation), AGENT)
    assert [start["id"] for start in starts.last(user)] == list(range(SHOWN + 2, 2, -1))
    assert starts.last(uuid.uuid4().hex) == []


def test_what_cannot_be_noted_stops_nothing(user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def throttled(*_: object, **__: object) -> None:
        raise UpdateError("throttled")

    monkeypatch.setattr(SettingItem, "update", throttled)
    Starts().ended(Tasks().begin_start(user), DIED)

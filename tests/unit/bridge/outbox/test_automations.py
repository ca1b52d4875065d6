"""What of OpenClaw's automations is shown, wakes the agent, or was missed; and when it is at rest."""

from typing import Any

import pytest

from bridge.openclaw.gateway import GatewayClosed, GatewayError
from bridge.outbox.automations import Automations, is_housekeeping, overdue, shown
from bridge.outbox.causes import Causes
from bridge.outbox.rest import Rest

Json = dict[str, Any]
NOW = 1_000_000


def job(next_at: int, kind: str = "agentTurn", **state: Any) -> Json:
    return {
        "id": "j",
        "name": "n",
        "enabled": True,
        "schedule": {"kind": "every", "everyMs": 60_000},
        "payload": {"kind": kind, "message": "secret plan" * 100},
        "state": {"nextRunAtMs": next_at, **state},
    }


def once(at: str) -> Json:
    return {"schedule": {"kind": "at", "at": at}}


@pytest.mark.parametrize(
    ("one", "known", "missed"),
    [
        (job(NOW + 120_000), {"nextRunAt": NOW - 1}, True),
        (job(NOW + 120_000), {"nextRunAt": NOW + 1}, False),  # it was not due yet
        (job(NOW + 120_000), None, False),  # nobody knows what it was
        (job(NOW + 120_000), {}, False),  # it was paused
        (job(NOW - 1), {"nextRunAt": NOW - 1}, False),  # it is about to run
        (job(NOW + 120_000, lastRunAtMs=NOW - 1), {"nextRunAt": NOW - 1}, False),  # it did run
        (job(NOW + 120_000, runningAtMs=NOW), {"nextRunAt": NOW - 1}, False),
        (job(NOW + 120_000, "systemEvent"), {"nextRunAt": NOW - 1}, False),  # OpenClaw runs it at its start
        (job(NOW + 120_000) | {"enabled": False}, {"nextRunAt": NOW - 1}, False),
        (job(NOW + 120_000) | {"trigger": {"script": "x"}}, {"nextRunAt": NOW - 1}, False),
        (job(NOW + 120_000, lastRunAtMs=NOW - 1) | once("1970-01-01T00:16:00Z"), None, True),  # cut off in its run
        (job(NOW + 120_000) | once("1970-01-01T00:20:00Z"), None, False),
        (job(NOW + 120_000) | once("soon"), None, False),
    ],
)
def test_what_was_missed_while_nothing_ran(one: Json, known: Json | None, missed: bool) -> None:
    assert overdue(one, known, NOW) is missed


def test_openclaws_own_jobs_wake_nobody() -> None:
    assert is_housekeeping(job(1, "heartbeat"))
    assert is_housekeeping(job(1, "skillCollectionReview"))
    assert is_housekeeping(job(1) | {"declarationKey": "x"})
    assert is_housekeeping(job(1) | {"name": "Memory Dreaming Promotion"})
    assert not is_housekeeping(job(1))


def test_the_list_holds_little_of_the_prompt_and_no_time_of_what_is_paused() -> None:
    entry = shown(job(NOW) | {"enabled": False})
    assert len(entry["text"]) == 200
    assert "nextRunAt" not in entry


class Following:
    """A gateway and rows in which one helper was left by the last container, and the person has stopped it since."""

    def __init__(self, known: bool) -> None:
        self.known = known
        self.requests: list[tuple[str, Json]] = []
        self.waiting = [("t", "stop")]
        self.taken: list[list[str]] = []

    def request(self, method: str, params: Json) -> Json:
        self.requests.append((method, params))
        return {"found": self.known, "cancelled": self.known} if method == "tasks.cancel" else {}

    def asked(self, _: str) -> list[tuple[str, str]]:
        return list(self.waiting)

    def done(self, _: str, job: str, action: str) -> None:
        self.waiting.remove((job, action))

    def take_over(self, _: object, left: list[Json]) -> None:
        self.taken.append([one["id"] for one in left])


@pytest.mark.parametrize("known", [True, False])
def test_work_that_was_stopped_while_nothing_ran_is_not_begun_again(known: bool) -> None:
    place: Any = Following(known)
    automations = Automations("ann", 1, Causes(), place, place)
    automations._wakes, automations._left = place, [{"id": "t"}, {"id": "other"}]
    automations._project = lambda gateway: None  # type: ignore[method-assign]
    automations.follow(place)
    automations.follow(place)
    assert [params["taskId"] for method, params in place.requests if method == "tasks.cancel"] == ["t"]
    assert place.taken == [["other"], []]
    assert place.waiting == []


class Asked:
    """A gateway that answers whether it is idle."""

    def __init__(self, status: str = "ready", error: Exception | None = None) -> None:
        self.status, self.error, self.resumed = status, error, 0

    def request(self, method: str, _: Json) -> Json:
        if self.error is not None:
            raise self.error
        self.resumed += method == "gateway.suspend.resume"
        return {"status": self.status, "suspensionId": "s"}


def test_it_is_at_rest_when_openclaw_says_so_and_is_opened_again_at_once() -> None:
    now = [0.0]
    rest, gateway = Rest(lambda _: None, clock=lambda: now[0]), Asked()
    assert not rest.working(gateway)  # type: ignore[arg-type]
    assert gateway.resumed == 1
    now[0] = 60
    assert rest.rested(60)
    rest.disturbed()
    assert not rest.rested(60)
    assert rest.working(Asked("busy"))  # type: ignore[arg-type]
    assert not rest.rested(0)


def test_background_work_keeps_it_awake_for_an_hour_and_the_person_is_told_once() -> None:
    now, told = [0.0], list[str]()
    rest, busy = Rest(told.append, clock=lambda: now[0]), Asked("busy")
    assert rest.working(busy)  # type: ignore[arg-type]
    now[0] = 3_600
    assert not rest.working(busy)  # type: ignore[arg-type]
    assert not rest.working(busy)  # type: ignore[arg-type]
    assert len(told) == 1
    rest.turn()
    assert rest.working(busy)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "working"), [(GatewayClosed("gone"), False), (GatewayError("UNAVAILABLE", "a snapshot"), True)]
)
def test_one_that_cannot_be_asked(error: Exception, working: bool) -> None:
    assert Rest(lambda _: None).working(Asked(error=error)) is working  # type: ignore[arg-type]

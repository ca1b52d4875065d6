"""A state that is older than the last run: what was delivered does not run again, what was not does."""

from typing import Any

import pytest

from bridge.outbox.replayed import has_run, settle, since, still_owed

Json = dict[str, Any]
NOW, DAY = 10_000_000, 86_400_000


class Calls:
    def __init__(self) -> None:
        self.made: list[tuple[str, Json]] = []

    def request(self, method: str, params: Json) -> Json:
        self.made.append((method, params))
        return {}


def job(last: int | None = None, **more: Any) -> Json:
    return {"id": "j", "createdAtMs": 1, "state": {"lastRunAtMs": last} if last else {}} | more


def entry(**more: Any) -> Json:
    return {"id": "j", "enabled": True} | more


@pytest.mark.parametrize(
    ("known", "listed", "patch"),
    [
        (job(5), entry(lastRunAt=5, nextRunAt=NOW + DAY), {}),
        (job(5), entry(lastRunAt=9, nextRunAt=NOW + DAY), {"state": {"lastRunAtMs": 9, "nextRunAtMs": NOW + DAY}}),
        (
            job(5),
            entry(lastRunAt=9, nextRunAt=NOW - 1, lastStatus="ok"),
            {"state": {"lastRunAtMs": 9, "lastRunStatus": "ok", "nextRunAtMs": NOW}},
        ),
        (job(), entry(nextRunAt=NOW - 1), {}),  # it never ran: what was missed runs
        (job(5), entry(enabled=False), {"enabled": False}),
        (job(5), entry(enabled=False, lastRunAt=9), {"enabled": False, "state": {"lastRunAtMs": 9}}),  # once, and over
        (job(5, enabled=False), entry(lastRunAt=5), {"enabled": True}),
    ],
)
def test_what_has_become_of_a_job(known: Json, listed: Json, patch: Json) -> None:
    assert since(known, listed, NOW) == patch


def settled(jobs: list[Json], known: list[Json], *gaps: tuple[int, int]) -> list[str]:
    calls = Calls()
    settle(calls, jobs, known, 100, gaps)  # type: ignore[arg-type]
    return [method for method, _ in calls.made]


def test_what_was_deleted_or_is_over_does_not_come_back() -> None:
    assert settled([job()], []) == ["cron.remove"]
    assert settled([job(createdAtMs=101)], []) == [], "newer than the list"
    assert settled([job(createdAtMs=None)], []) == []
    assert settled([job()], [entry(id=str(n)) for n in range(150)]) == [], "the list may have been cut"


def test_a_person_who_went_back_in_time_has_the_automations_of_then() -> None:
    assert settled([job()], [], (50, 100)) == []
    assert settled([job()], [], (10, 50)) == ["cron.remove"]


def test_what_is_undelivered_counts_as_not_yet_run() -> None:
    before = [entry(lastRunAt=5, nextRunAt=9), entry(id="over", nextRunAt=9), entry(id="same", lastRunAt=1)]
    after = [entry(lastRunAt=9, nextRunAt=20), entry(id="same", lastRunAt=1, nextRunAt=7), entry(id="new")]
    assert has_run(after, before)
    kept = {one["id"]: one for one in still_owed(after, before)}
    assert kept["j"] == entry(lastRunAt=5, nextRunAt=9)
    assert kept["same"] == after[1]
    assert set(kept) == {"j", "over", "same", "new"}
    assert not has_run([entry(lastRunAt=5, nextRunAt=7)], [entry(lastRunAt=5)])

"""Automations that an older state would run a second time.

A container dies right behind a delivery, and the next one has a memory that is older than that run. The list that was
written after the delivery knows better: what ran is not run again, and what was deleted stays deleted.
"""

from collections.abc import Sequence
from typing import Any

from bridge.openclaw.gateway import Gateway
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms

Json = dict[str, Any]
# A list of at least so many may have been cut: what is not in it may be there all the same.
WHOLE = 150


def settle(
    gateway: Gateway, jobs: list[Json], known: list[Json], written_at: int, gaps: Sequence[tuple[int, int]]
) -> None:
    """Bring OpenClaw's `jobs` (those of the user) up to the list `known` of that time.

    `gaps`: what the person chose to forget by going back in time. Then the older state is the right one.
    """
    if any(until >= written_at for _, until in gaps):
        return
    by_id = {str(job["id"]): job for job in known}
    for job in jobs:
        entry = by_id.get(str(job["id"]))
        if entry is not None:
            patch = since(job, entry, now_ms())
            if patch:
                log.event("automation_has_changed", job=job["id"])
                gateway.request("cron.update", {"id": job["id"], "patch": patch})
        elif len(known) < WHOLE and int(job.get("createdAtMs") or written_at) < written_at:
            log.event("automation_is_over", job=job["id"])
            gateway.request("cron.remove", {"id": job["id"]})


def since(job: Json, entry: Json, now: int) -> Json:
    """What has become of a job since OpenClaw's state was saved, as a patch; empty if nothing has."""
    state, patch = job.get("state") or {}, dict[str, Any]()
    if entry.get("enabled") != (job.get("enabled") is not False):
        patch["enabled"] = bool(entry.get("enabled"))
    last, following = entry.get("lastRunAt"), entry.get("nextRunAt")
    if last is not None and int(state.get("lastRunAtMs") or 0) < last and not state.get("runningAtMs"):
        patch["state"] = {"lastRunAtMs": last}
        if "lastStatus" in entry:
            patch["state"]["lastRunStatus"] = entry["lastStatus"]
        if following is not None:
            patch["state"]["nextRunAtMs"] = max(int(following), now)
    return patch


def still_owed(entries: list[Json], before: list[Json]) -> list[Json]:
    """The list while something is undelivered: what has run since it was written counts as not yet run."""
    old = {str(entry["id"]): entry for entry in before}
    times = ("nextRunAt", "lastRunAt")
    kept = []
    for entry in entries:
        was = old.pop(str(entry["id"]), None)
        if was is not None and entry.get("lastRunAt") != was.get("lastRunAt"):
            entry = {name: value for name, value in entry.items() if name not in times}
            entry |= {name: was[name] for name in times if name in was}
        kept.append(entry)
    return kept + list(old.values())


def has_run(entries: list[Json], before: list[Json]) -> bool:
    """Whether a job of the last list has run or gone since."""
    now = {str(entry["id"]): entry.get("lastRunAt") for entry in entries}
    return any(now.get(str(old["id"]), -1) != old.get("lastRunAt") for old in before)

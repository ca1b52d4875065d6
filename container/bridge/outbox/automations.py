"""OpenClaw's automations as the rest of the system knows them: when to wake, what to show, what to change."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DeleteError

from bridge.openclaw.gateway import Gateway, GatewayError
from bridge.outbox.background import Background
from bridge.outbox.causes import Causes, in_words
from bridge.outbox.replayed import has_run, settle, still_owed
from chalicelib.agents.schedules import Schedules
from chalicelib.agents.tasks import Tasks
from chalicelib.agents.wakes import Wakes, start_time
from chalicelib.people.heartbeat import next_beat
from chalicelib.people.preferences import Choice
from chalicelib.platform import log
from chalicelib.platform.clock import MINUTE, now_ms

Json = dict[str, Any]
# OpenClaw's own jobs run when the agent is awake anyway.
HEARTBEAT = "heartbeat"
HOUSEKEEPING = {HEARTBEAT, "skillCollectionReview"}
MANAGED = "managed-by="
# The rest of what OpenClaw missed it runs at its start by itself; these it puts off by two minutes.
PUT_OFF = "agentTurn"
SHOWN_TEXT = 200
# OpenClaw puts off what was missed some moments after its hello, and says so in an event.
STARTING = MINUTE
# One that has not begun this long after its time is no reason to stay awake.
LATE = 5 * MINUTE


def is_housekeeping(job: Json) -> bool:
    kind = (job.get("payload") or {}).get("kind")
    managed = MANAGED in str(job.get("description")) or str(job.get("name")).startswith("Memory Dreaming")
    return kind in HOUSEKEEPING or bool(job.get("declarationKey")) or managed


def shown(job: Json) -> Json:
    """An automation for the panel. Nothing of its prompt but the beginning."""
    state, payload = job.get("state") or {}, job.get("payload") or {}
    entry = {
        "id": job.get("id"),
        "name": str(job.get("displayName") or job.get("name") or "")[:SHOWN_TEXT],
        "schedule": in_words(job.get("schedule") or {}),
        "text": str(payload.get("message") or payload.get("text") or "")[:SHOWN_TEXT],
        "enabled": job.get("enabled") is not False,
        "nextRunAt": state.get("nextRunAtMs") if job.get("enabled") is not False else None,
        "lastRunAt": state.get("lastRunAtMs"),
        "lastStatus": state.get("lastRunStatus"),
    }
    return {name: value for name, value in entry.items() if value is not None}


def beat(job: Json, choice: Choice) -> int | None:
    """When the agent must be awake for its heartbeat, which the user has switched on; None for another job."""
    at, every = (job.get("state") or {}).get("nextRunAtMs"), (job.get("schedule") or {}).get("everyMs")
    is_one = (job.get("payload") or {}).get("kind") == HEARTBEAT and job.get("enabled") is not False
    if not choice.heartbeat_minutes or not is_one or not at or not every:
        return None
    return next_beat(int(at), int(every), choice.heartbeat_hours, choice.time_zone)


def overdue(job: Json, before: Json | None, now: int) -> bool:
    """Whether a job was missed while nothing ran, and OpenClaw has put it off. `before`: as it was known then."""
    state, schedule = job.get("state") or {}, job.get("schedule") or {}
    if (job.get("payload") or {}).get("kind") != PUT_OFF or job.get("enabled") is False or state.get("runningAtMs"):
        return False
    if job.get("trigger"):  # it may have looked and found nothing to do, which leaves no trace
        return False
    if schedule.get("kind") == "at":  # one that was cut off in its run is put off too
        return _ms(str(schedule.get("at"))) <= now < (state.get("nextRunAtMs") or 0)
    missed = (before or {}).get("nextRunAt")
    if missed is None or missed > now or (state.get("nextRunAtMs") or 0) <= now:
        return False
    return schedule.get("kind") in ("every", "cron") and (state.get("lastRunAtMs") or 0) < missed


def _ms(moment: str) -> float:
    """An ISO time in ms; for one that is none, a time that never comes."""
    try:
        return datetime.fromisoformat(moment).timestamp() * 1000
    except ValueError:
        return float("inf")


class Automations:
    """Called on the outbox's thread only."""

    def __init__(
        self, user_id: str, generation: int, causes: Causes, schedules: Schedules, background: Background
    ) -> None:
        self._user_id = user_id
        self._generation = generation
        self._causes = causes
        self._schedules = schedules
        self._background = background
        self._left: list[Json] = []  # work that the last container did not live to report
        self._written_at = 0  # when the last container wrote the list; 0 once that is settled
        self._working_since = 0
        self.forgotten: Callable[[], Sequence[tuple[int, int]]] = tuple  # what the person chose to forget
        self.deliver: Callable[[Gateway], None] = lambda gateway: None  # all that was said until now
        self.asleep: Callable[[], bool] = lambda: False  # whether work that is cut off now is given up
        self._wakes = Wakes()
        self._tasks = Tasks()
        self._seen: Gateway | None = None
        self._since = 0  # when it was first seen
        self._made_due: set[str] = set()  # by this container
        self._before: list[Json] = []  # the list as it was written last
        self._written: tuple[int | None, list[Json], list[Json]] | None = None
        self._scheduled: int | None = -1
        self.due: int | None = None  # when the next one runs, in ms
        self._start_at = 0  # when a sleeping agent would be started for it
        self.owes: Callable[[], bool] = lambda: False  # whether something is still to be delivered
        self.on_change: Callable[[], None] = lambda: None
        self.choice: Callable[[], Choice] = Choice  # the user's settings

    def near(self, now: int, span: int) -> bool:
        """Whether the agent would hardly sleep until the next one."""
        return self.due is not None and self._start_at <= now + span and now < self.due + LATE

    def load(self) -> None:
        """What the last container knew: an automation that is over by now may still have something to say."""
        self._before, self._left, self._written_at = self._wakes.known(self._user_id)
        self._causes.learn(self._before)

    def follow(self, gateway: Gateway) -> None:
        """After each event about automations, at the start and at the end."""
        if self._written_at:
            jobs = [job for job in self.listed(gateway) if not is_housekeeping(job)]
            settle(gateway, jobs, self._before, self._written_at, self.forgotten())
            self._written_at = 0
        stopped = self._carry_out(gateway)  # before what was missed: it may have been paused
        if gateway is not self._seen:
            self._seen, self._since = gateway, now_ms()
        if now_ms() < self._since + STARTING:
            self._catch_up(gateway)
        self._background.take_over(gateway, [work for work in self._left if work["id"] not in stopped])
        self._left = []
        self._project(gateway)

    def listed(self, gateway: Gateway) -> list[Json]:
        """OpenClaw's jobs; the causes learn them."""
        reply = gateway.request("cron.list", {"includeDisabled": True, "limit": 200})
        found: list[Json] = reply.get("jobs") or []
        self._causes.learn(found)
        return found

    def _catch_up(self, gateway: Gateway) -> None:
        """Run what was missed now, once: to make it due takes the place of the run that was put off."""
        before = {str(job.get("id")): job for job in self._before}
        for job in self.listed(gateway):
            if job["id"] not in self._made_due and overdue(job, before.get(str(job["id"])), now_ms()):
                log.event("automation_overdue", job=job["id"])
                gateway.request("cron.update", {"id": job["id"], "patch": {"state": {"nextRunAtMs": now_ms()}}})
                self._made_due.add(job["id"])

    def _carry_out(self, gateway: Gateway) -> set[str]:
        """What the user asked for on the page or in Telegram. Returns the work that is stopped."""
        asked = self._wakes.asked(self._user_id)
        for job_id, action in asked:
            try:
                self._change(gateway, job_id, action)
            except GatewayError as error:  # it is gone, or OpenClaw does not allow it
                log.event("automation_unchanged", job=job_id, action=action, code=error.code)
            try:
                self._wakes.done(self._user_id, job_id, action)
            except DeleteError as error:
                if error.cause_response_code != "ConditionalCheckFailedException":
                    raise
        return {job_id for job_id, action in asked if action == "stop"}

    @staticmethod
    def _change(gateway: Gateway, job_id: str, action: str) -> None:
        if action in ("pause", "resume"):
            gateway.request("cron.update", {"id": job_id, "patch": {"enabled": action == "resume"}})
        elif action == "run":
            gateway.request("cron.run", {"id": job_id, "mode": "force"})
        elif action == "delete":
            gateway.request("cron.remove", {"id": job_id})
        elif action == "stop":  # it ends the helper's run, or the command with its processes
            gateway.request("tasks.cancel", {"taskId": job_id, "reason": "stopped by the user"})

    def _project(self, gateway: Gateway) -> None:
        listed = self.listed(gateway)
        entries = [shown(job) for job in listed if not is_housekeeping(job)]
        times = [int(entry["nextRunAt"]) for entry in entries if entry.get("nextRunAt")]
        times += [at for at in (beat(job, self.choice()) for job in listed) if at is not None]
        if has_run(entries, self._before):
            self.deliver(gateway)  # what is written as run is delivered: no later container runs it again
        if self.owes():  # if this container ends now, the next one delivers it, and knows what it is
            entries = still_owed(entries, self._before)
            times.append(self.due if self.due is not None and self.due < now_ms() else now_ms())
        self.due = min(times, default=None)
        work = [] if self.asleep() else self._background.unreported(gateway)
        wake_at = self._since_work(work)
        if self._written != (wake_at, entries, work):
            self._wakes.project(self._user_id, self._generation, wake_at, entries, work)
            self._written, self._before = (wake_at, entries, work), entries
            in_ms = self.due - now_ms() if self.due is not None else None
            log.event("automations", count=len(entries), due_in_ms=in_ms, works=len(work))
            self.on_change()
        self._schedule()

    def _since_work(self, work: list[Json]) -> int | None:
        """When the row is due. While work is unreported: since it began, for whoever comes after this container."""
        if not work:
            self._working_since = 0
            return self.due
        self._working_since = self._working_since or now_ms()
        return min(self._working_since, self.due or self._working_since)

    def _schedule(self) -> None:
        if self._scheduled == self.due:
            return
        if self.due is None:
            self._schedules.clear(self._user_id)
        else:
            self._start_at = start_time(self._tasks.get(self._user_id), self._schedules.margin)
            self._schedules.set(self._user_id, self._start_at)
        self._scheduled = self.due

"""Why the agent speaks by itself, in words: from the automations and tasks that OpenClaw tells of."""

import re
import threading
from typing import Any

from bridge.outbox.said import AUTOMATION, HELPER, MESSAGE, Said
from chalicelib.platform import log

Json = dict[str, Any]
# How long after its start or end a thing counts as the cause of what is said.
RECENT = 10 * 60_000
_DAILY = re.compile(r"(\d{1,2}) (\d{1,2}) \* \* \*")
UNKNOWN = "Said by itself"
UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"))


def in_words(schedule: Json) -> str:
    """`every day at 8:00`, `every 5 minutes`; empty for something that happens once."""
    kind = schedule.get("kind")
    if kind == "every":
        return _every(int(schedule.get("everyMs") or 0))
    if kind != "cron":
        return ""
    expression = str(schedule.get("expr") or schedule.get("cron") or "")
    daily = _DAILY.fullmatch(expression)
    zone = f" ({schedule['tz']})" if schedule.get("tz") else ""
    return (f"every day at {int(daily[2])}:{int(daily[1]):02d}" if daily else f"at {expression}") + zone


def _every(ms: int) -> str:
    for size, unit in UNITS:
        if ms and ms % size == 0:
            count = ms // size
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return "again and again"


class Causes:
    """What happened lately. `hear` is called by the gateway's reader, `of` by the outbox."""

    def __init__(self) -> None:
        self._jobs: dict[str, Json] = {}
        self._main: tuple[int, str] = (0, "")  # the last job that ran in the main session
        self._commands: dict[str, int] = {}  # when a background command of a session ended
        self._beat = 0  # when a heartbeat began that has not ended
        self._lock = threading.Lock()

    def beating(self, now: int) -> bool:
        """Whether a heartbeat runs. One without an end is not believed for ever."""
        return self._beat > 0 and now < self._beat + RECENT

    def learn(self, jobs: list[Json]) -> None:
        """Jobs, some with a state: it tells of a run that began before anybody listened."""
        with self._lock:
            self._jobs |= {str(job.get("id")): job for job in jobs}
        for job in jobs:
            state = job.get("state")
            if isinstance(state, dict) and job.get("sessionTarget") == "main":
                ran = max(int(state.get(name) or 0) for name in ("runningAtMs", "lastRunAtMs"))
                self._main = max(self._main, (ran, str(job.get("id"))))

    def hear(self, event: str, payload: Json) -> None:
        """A `cron` or `task` event."""
        if event == "cron" and isinstance(payload.get("job"), dict):
            job = payload["job"]
            self.learn([job])
            if (job.get("payload") or {}).get("kind") == "heartbeat":
                self._hear_heartbeat(str(payload.get("action")), payload, job)
            if payload.get("action") == "started" and job.get("sessionTarget") == "main":
                self._main = (int(payload.get("runAtMs") or 0), str(job.get("id")))
        task = payload.get("task")
        if event == "task" and isinstance(task, dict) and task.get("kind") == "exec" and task.get("endedAt"):
            self._commands[str(task.get("sessionKey"))] = int(task["endedAt"])

    def _hear_heartbeat(self, action: str, payload: Json, job: Json) -> None:
        if action == "started":
            self._beat = int(payload.get("runAtMs") or 0)
        if action == "finished":
            self._beat = 0
            log.event("heartbeat", status=(job.get("state") or {}).get("lastRunStatus"))

    def of(self, said: Said, session: str) -> str:
        if said.kind == AUTOMATION:
            return self._automation(said.job or "")
        if said.kind == MESSAGE:
            return "Message from your agent"
        if said.kind == HELPER:
            return "Helper finished"
        started, job = self._main
        command = self._commands.get(session, 0)
        if session.endswith(":main") and command < started <= said.at < started + RECENT:
            return self._automation(job)
        if 0 < command <= said.at < command + RECENT:
            return "Background command finished"
        return UNKNOWN

    def _automation(self, job_id: str) -> str:
        with self._lock:
            job = self._jobs.get(job_id, {})
        if (job.get("payload") or {}).get("kind") == "heartbeat":
            return "Heartbeat"
        schedule = job.get("schedule") or {}
        words = schedule if isinstance(schedule, str) else in_words(schedule)  # as it was saved, or as OpenClaw has it
        name = str(job.get("displayName") or job.get("name") or "")[:80]
        return ", ".join(part for part in (f"Reminder: {name}" if name else "Reminder", words) if part)

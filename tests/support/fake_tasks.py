"""A hand-written fake of TaskState. A contract test compares it with the real table."""

import threading
from dataclasses import replace
from typing import Any

from chalicelib.agents.tasks import PREWARM, RUN_LEASE, START_LEASE, AlreadyActive, LeaseLost, NotClaimed, Status, Task


class FakeClock:
    """Time that moves only when told to."""

    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def step(self, ms: int) -> None:
        self.now += ms


class FakeTasks:
    """TaskState: each method is one conditional update, atomic under a lock."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.rows: dict[str, Task] = {}
        self.lock = threading.RLock()

    def get(self, user_id: str) -> Task:
        return self.rows.get(user_id, Task(user_id))

    def prewarmed(self) -> list[Task]:
        return [row for row in self.active() if row.user_id.startswith(PREWARM)]

    def claim_prewarmed(self, waiting: Task, user_id: str, generation: int) -> None:
        with self.lock:
            row = self.get(waiting.user_id)
            live = row.status is Status.RUNNING and row.lease_until >= self._clock()
            if row.generation != waiting.generation or not live or row.prewarm_user is not None:
                raise NotClaimed(waiting.user_id)
            mine = self._held(user_id, generation, Status.STARTING)
            self._save(replace(row, prewarm_user=user_id, prewarm_generation=generation))
            self._save(replace(mine, task_arn=waiting.task_arn))

    def begin_start(
        self, user_id: str, prewarm_until: int = 0, early: tuple[int, dict[str, Any]] | None = None
    ) -> Task:
        with self.lock:
            row, now = self.get(user_id), self._clock()
            if (row.status is not Status.IDLE and row.lease_until >= now) or (prewarm_until and row.generation):
                raise AlreadyActive(user_id)
            return self._save(
                Task(
                    user_id,
                    Status.STARTING,
                    row.generation + 1,
                    "starting",
                    started_at=now,
                    last_activity=now,
                    lease_until=now + START_LEASE,
                    ready_at=row.ready_at,
                    start_ms=row.start_ms,
                    failed_starts=row.failed_starts + 1,
                    prewarm_until=prewarm_until,
                    early_until=early[0] if early else 0,
                    early=early[1] if early else None,
                )
            )

    def launched(self, user_id: str, generation: int, task_arn: str) -> Task:
        with self.lock:
            return self._save(replace(self._held(user_id, generation), task_arn=task_arn))

    def phase(self, user_id: str, generation: int, phase: str, task_arn: str) -> Task:
        with self.lock:
            row = self._held(user_id, generation, Status.STARTING)
            lease = self._clock() + START_LEASE
            return self._save(replace(row, phase=phase, task_arn=task_arn, lease_until=lease))

    def running(self, user_id: str, generation: int, task_arn: str) -> Task:
        with self.lock:
            row, now = self._held(user_id, generation, Status.STARTING), self._clock()
            ready = replace(
                row,
                status=Status.RUNNING,
                phase="ready",
                task_arn=task_arn,
                ready_at=now,
                failed_starts=0,
                last_activity=now,
                lease_until=now + RUN_LEASE,
            )
            self._save(replace(ready, start_ms=now - row.started_at))
            return ready

    def heartbeat(self, user_id: str, generation: int, busy_for: int = 0, active: bool = True) -> Task:
        with self.lock:
            row, now = self._held(user_id, generation), self._clock()
            row = replace(row, lease_until=now + RUN_LEASE)
            row = replace(row, busy_until=now + busy_for) if busy_for else row
            return self._save(replace(row, last_activity=now) if busy_for and active else row)

    def turn_ended(self, user_id: str, generation: int) -> Task:
        with self.lock:
            row = self._held(user_id, generation)
            return self._save(replace(row, busy_until=0, last_activity=self._clock(), active_runs=()))

    def agent_connected(self, user_id: str, generation: int, connection_id: str, endpoint: str) -> Task:
        with self.lock:
            row = self._held(user_id, generation)
            return self._save(replace(row, agent_connection_id=connection_id, agent_endpoint=endpoint))

    def agent_gone(self, user_id: str, generation: int, connection_id: str) -> None:
        with self.lock:
            row = self.get(user_id)
            if row.generation == generation and row.agent_connection_id == connection_id:
                self._save(replace(row, agent_connection_id=None, agent_endpoint=None))

    def begin_stop(self, task: Task) -> Task:
        with self.lock:
            row, now = self._held(task.user_id, task.generation, Status.RUNNING), self._clock()
            if row.last_activity != task.last_activity or row.busy_until >= now or row.prewarm_user is not None:
                raise LeaseLost(task.user_id)
            return self._save(replace(row, status=Status.STOPPING, lease_until=now + RUN_LEASE))

    def suspended(self, user_id: str, generation: int, until: int) -> Task:
        with self.lock:
            row = self._held(user_id, generation, Status.RUNNING)
            if row.active_runs:
                raise LeaseLost(user_id)
            return self._save(replace(row, status=Status.SUSPENDED, lease_until=max(until, self._clock())))

    def resumed(self, user_id: str, generation: int) -> Task:
        with self.lock:
            row, now = self._held(user_id, generation), self._clock()
            if row.status not in (Status.RUNNING, Status.SUSPENDED):
                raise LeaseLost(user_id)
            return self._save(replace(row, status=Status.RUNNING, lease_until=now + RUN_LEASE, last_activity=now))

    def put_to_sleep(self, task: Task) -> Task:
        with self.lock:
            row = self._held(task.user_id, task.generation)
            if row.status not in (Status.RUNNING, Status.SUSPENDED):
                raise LeaseLost(task.user_id)
            return self._save(replace(row, status=Status.STOPPING, lease_until=self._clock() + RUN_LEASE))

    def stopping(self, user_id: str, generation: int) -> Task:
        with self.lock:
            row = self._held(user_id, generation)
            return self._save(replace(row, status=Status.STOPPING, lease_until=self._clock() + RUN_LEASE))

    def expired(self, user_id: str, generation: int) -> Task:
        with self.lock:
            if self._held(user_id, generation).lease_until >= self._clock():
                raise LeaseLost(user_id)
            return self.released(user_id, generation)

    def released(self, user_id: str, generation: int) -> Task:
        with self.lock:
            row = self._held(user_id, generation)
            if row.status is Status.IDLE:
                raise LeaseLost(user_id)
            idle = Task(user_id, Status.IDLE, generation, start_ms=row.start_ms, ready_at=row.ready_at)
            kept = replace(idle, started_at=row.started_at, last_activity=row.last_activity)
            kept = replace(kept, prewarm_until=row.prewarm_until, failed_starts=row.failed_starts)
            kept = replace(kept, prewarm_user=row.prewarm_user, prewarm_generation=row.prewarm_generation)
            return self._save(kept)

    def settle_early(self, task: Task) -> None:
        with self.lock:
            row = self._held(task.user_id, task.generation)
            if row.early is None:
                raise LeaseLost(task.user_id)
            self._save(replace(row, early=None))

    def extend_early(self, task: Task, until: int, receipt: dict[str, Any]) -> None:
        with self.lock:
            row = self._held(task.user_id, task.generation)
            if row.early_until != task.early_until or row.status not in (Status.STARTING, Status.RUNNING):
                raise LeaseLost(task.user_id)
            before = task.early["nano"] if task.early is not None else 0
            paid = receipt | {"nano": receipt["nano"] + before}
            self._save(replace(row, early_until=until, early=paid))

    def forgive(self, user_id: str, generation: int) -> Task:
        with self.lock:
            return self._save(replace(self._held(user_id, generation), failed_starts=0))

    def active(self) -> list[Task]:
        return [row for row in self.rows.values() if row.status is not Status.IDLE]

    def _held(self, user_id: str, generation: int, status: Status | None = None) -> Task:
        row = self.rows.get(user_id)
        if row is None or row.generation != generation or (status is not None and row.status is not status):
            raise LeaseLost(user_id)
        return row

    def _save(self, task: Task) -> Task:
        self.rows[task.user_id] = task
        return task

"""Hand-written fakes of the two tables that fence. Contract tests compare them with the real tables."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chalicelib.agents.tasks import PREWARM, RUN_LEASE, START_LEASE, AlreadyActive, LeaseLost, NotClaimed, Status, Task
from chalicelib.messages.inbox import BACK_OFF, CLAIM_LEASE, HOPELESS, MAX_ATTEMPTS, Message, NotClaimable, Run


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

    def begin_start(self, user_id: str, prewarm_until: int = 0) -> Task:
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


class FakeInbox:
    """PendingMessages, with claims that are one transaction with TaskState."""

    def __init__(self, clock: FakeClock, tasks: FakeTasks) -> None:
        self._clock = clock
        self._tasks = tasks
        self.rows: dict[tuple[str, str], Message] = {}
        self.answers: list[tuple[str, Any]] = []

    def put(self, message: Message) -> bool:
        with self._tasks.lock:
            key = (message.user_id, message.id)
            if key in self.rows:
                return False
            self.rows[key] = replace(message, status="queued")
            return True

    def take_back(self, user_id: str, message_id: str) -> bool:
        with self._tasks.lock:
            row = self.get(user_id, message_id)
            if row is None or row.status != "queued":
                return False
            del self.rows[(user_id, message_id)]
            return True

    def get(self, user_id: str, message_id: str) -> Message | None:
        return self.rows.get((user_id, message_id))

    def waiting(self, user_id: str, limit: int | None = None) -> list[Message]:
        rows = [m for m in self.rows.values() if m.user_id == user_id and m.status in ("queued", "claimed")]
        return sorted(rows, key=lambda m: (m.queued_at, m.id))[:limit]

    def users_waiting(self) -> set[str]:
        return {m.user_id for m in self.rows.values() if m.status in ("queued", "claimed")}

    def give_up(self, message: Message, code: str) -> bool:
        with self._tasks.lock:
            row = self.get(message.user_id, message.id)
            if row is None or row.claims != message.claims or row.status not in ("queued", "claimed"):
                return False
            self._save(replace(row, status="dead"))
            return True

    def claim(self, message: Message, generation: int, run: dict[str, str], others: Sequence[Run] = ()) -> Message:
        with self._tasks.lock:
            row, now = self.get(message.user_id, message.id), self._clock()
            if row is None or row.claims != message.claims:
                raise NotClaimable(message.id)
            free = row.status == "queued" and row.not_before <= now
            stale = row.status == "claimed" and (row.claimed_by < generation or row.lease_until < now)
            if not free and not stale:
                raise NotClaimable(message.id)
            task = self._tasks.get(message.user_id)
            if task.generation != generation or task.status is not Status.RUNNING:
                raise LeaseLost(message.user_id)
            self._tasks.rows[message.user_id] = replace(
                task, busy_until=now + CLAIM_LEASE, last_activity=now, active_runs=(*others, run)
            )
            claimed = replace(
                message,
                status="claimed",
                claimed_by=generation,
                lease_until=now + CLAIM_LEASE,
                attempts=message.attempts + 1,
                claims=message.claims + 1,
            )
            self.rows[(message.user_id, message.id)] = claimed
            return claimed

    def renew(self, user_id: str, message_id: str, generation: int) -> None:
        with self._tasks.lock:
            row = self._mine(user_id, message_id, generation)
            self._save(replace(row, lease_until=self._clock() + CLAIM_LEASE))

    def finish(
        self,
        message: Message,
        generation: int,
        answer: list[Any],
        others: Sequence[Run] = (),
        steered: Sequence[Message] = (),
    ) -> None:
        with self._tasks.lock:
            rows = [self._end_turn(one, generation, others) for one in (message, *steered)]
            for row in rows:
                self._save(replace(row, status="done"))
            self.answers += [(one.id, answer) for one in (message, *steered)]

    def hand_back(
        self, message: Message, generation: int, others: Sequence[Run] = (), thought: Sequence[Message] = ()
    ) -> None:
        with self._tasks.lock:
            for one in (message, *thought):
                row = self._end_turn(one, generation, others)
                self._save(replace(row, status="queued", claimed_by=0, attempts=max(message.attempts - 1, 0)))

    def fail(
        self,
        message: Message,
        generation: int,
        code: str,
        failure: Sequence[Any] = (),
        others: Sequence[Run] = (),
        thought: Sequence[Message] = (),
    ) -> bool:
        with self._tasks.lock:
            dead = [self._fail(one, message, generation, code, others) for one in (message, *thought)]
            return dead[0]

    def _fail(self, one: Message, message: Message, generation: int, code: str, others: Sequence[Run]) -> bool:
        with self._tasks.lock:
            row = self._end_turn(one, generation, others)
            if message.attempts >= MAX_ATTEMPTS or code in HOPELESS:
                self._save(replace(row, status="dead"))
                return True
            wait = BACK_OFF[min(max(message.attempts, 1), len(BACK_OFF)) - 1]
            self._save(replace(row, status="queued", claimed_by=0, not_before=self._clock() + wait))
            return False

    def _end_turn(self, message: Message, generation: int, others: Sequence[Run]) -> Message:
        row, now = self._mine(message.user_id, message.id, generation), self._clock()
        task = self._tasks.turn_ended(message.user_id, generation)
        if others:
            self._tasks.rows[message.user_id] = replace(task, busy_until=now + CLAIM_LEASE, active_runs=tuple(others))
        return row

    def _mine(self, user_id: str, message_id: str, generation: int) -> Message:
        row = self.get(user_id, message_id)
        if row is None or row.status != "claimed" or row.claimed_by != generation:
            raise LeaseLost(user_id)
        return row

    def _save(self, message: Message) -> None:
        self.rows[(message.user_id, message.id)] = message

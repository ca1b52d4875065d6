"""Hand-written fakes of the two tables that fence. Contract tests compare them with the real tables."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chalicelib.agents.tasks import LeaseLost, Status
from chalicelib.messages.inbox import BACK_OFF, CLAIM_LEASE, HOPELESS, MAX_ATTEMPTS, Message, NotClaimable, Run
from tests.support.fake_tasks import FakeClock as FakeClock
from tests.support.fake_tasks import FakeTasks as FakeTasks


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
            if message.cause is None:
                self._tasks.rows[message.user_id] = replace(self._tasks.rows[message.user_id], early_until=0)
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

"""Hand-written stand-ins for the services around the tables."""

import threading
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from botocore.exceptions import ReadTimeoutError

from chalicelib.agents.activity import HABIT_DAYS, Hour, hour_of_week, recent_days
from chalicelib.agents.runtime import StartFailed, TaskGone, TaskInfo
from chalicelib.messages.inbox import Message
from chalicelib.people.preferences import Choice
from chalicelib.wire.connections import Connection, Gone
from chalicelib.wire.protocol import Frame
from tests.support.fake_tables import FakeClock


class FakeContainers:
    """An engine: tasks by ARN; `fail` holds errors for the next starts."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.tasks: dict[str, TaskInfo] = {}
        self.tokens: dict[tuple[str, int], str] = {}
        self.fail: list[StartFailed] = []
        self.runs: list[tuple[str, int]] = []
        self.spot_only: list[bool] = []
        self.stops: list[tuple[str, str]] = []
        self.describe_calls: list[int] = []
        self.failing_stops = 0
        self.stopped: set[str] = set()
        self.suspended: set[str] = set()
        self.resumes: list[str] = []
        self.follows: list[tuple[str, int]] = []
        self.unknown: set[str] = set()  # started, and not yet known to DescribeTasks
        self.foreign: set[str] = set()  # of another engine, which the stage had before

    def start(self, user_id: str, generation: int, spot_only: bool = False) -> str:
        self.runs.append((user_id, generation))
        self.spot_only.append(spot_only)
        if self.fail:
            raise self.fail.pop(0)
        arn = self.tokens.setdefault((user_id, generation), f"arn:task/{user_id}-{generation}")
        self.tasks[arn] = TaskInfo(arn, user_id, generation, self._clock())
        return arn

    def follow(self, user_id: str, generation: int) -> None:
        self.follows.append((user_id, generation))

    def owns(self, task_arn: str) -> bool:
        return task_arn not in self.foreign

    def change(self) -> None:
        """The stage gets another engine: it knows nothing of the tasks that run."""
        self.foreign |= set(self.tasks)
        self.tasks.clear()

    def states(self, task_arns: list[str]) -> dict[str, bool]:
        self.describe_calls.append(len(task_arns))
        known = {*self.tasks, *self.stopped} - self.unknown
        return {arn: arn in self.tasks for arn in task_arns if arn in known}

    def describe(self, task_arns: list[str]) -> list[TaskInfo]:
        return [self.tasks[arn] for arn in task_arns if arn in self.tasks]

    def stop(self, task_arn: str, reason: str) -> None:
        """A request: as in ECS the task runs on until its process has ended (`ended`)."""
        if self.failing_stops:
            self.failing_stops -= 1
            raise ReadTimeoutError(endpoint_url="https://ecs")
        self.stops.append((task_arn, reason))

    def ended(self, task_arn: str) -> None:
        self.tasks.pop(task_arn, None)
        self.stopped.add(task_arn)

    def all(self) -> list[str]:
        return list(self.tasks)

    def suspend(self, task_arn: str) -> None:
        if task_arn not in self.tasks:
            raise TaskGone(task_arn)
        self.suspended.add(task_arn)

    def resume(self, task_arn: str) -> None:
        if task_arn not in self.tasks:
            raise TaskGone(task_arn)
        self.resumes.append(task_arn)
        self.suspended.discard(task_arn)


class FakeConnections:
    def __init__(self) -> None:
        self.rows: dict[str, Connection] = {}

    def of_user(self, user_id: str) -> list[Connection]:
        return [row for row in self.rows.values() if row.user_id == user_id]

    def remove(self, connection_id: str) -> None:
        self.rows.pop(connection_id, None)


class FakePost:
    """@connections: frames by connection; `gone` ones raise as API Gateway's 410 does."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, Frame]] = []
        self.gone: set[str] = set()

    def to(self, connection_id: str, endpoint: str, frame: Frame) -> None:
        if connection_id in self.gone:
            raise Gone(connection_id)
        self.frames.append((connection_id, frame))


class FakeConversations:
    def __init__(self) -> None:
        self.questions: list[str] = []
        self.failures: dict[str, str] = {}

    def save_question(self, message: Message, expires_at: int | None = None) -> None:
        self.questions.append(message.id)

    def save_failure(self, message: Message, error: dict[str, str]) -> None:
        self.failures[message.id] = error["code"]

    def touch(
        self, user_id: str, conversation_id: str, text: str, expires_at: int | None = None, title: str | None = None
    ) -> None:
        return


class FakeRate:
    def __init__(self, limit: int = 1_000_000) -> None:
        self.limit = limit
        self.sent: dict[str, int] = {}

    def exceeded(self, user_id: str) -> bool:
        self.sent[user_id] = self.sent.get(user_id, 0) + 1
        return self.sent[user_id] > self.limit


class FakeChoices:
    def __init__(self, **choices: Choice) -> None:
        self.choices = choices

    def get(self, user_id: str) -> Choice:
        return self.choices.get(user_id, Choice())


class FakeHabits:
    """The hours of a week: held to the real ones by tests/integration/people/test_habits_contract.py."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.rows: dict[str, dict[int, Hour]] = {}
        self._days: dict[tuple[str, int], list[str]] = {}

    def record(self, user_id: str, time_zone: str) -> None:
        hour = hour_of_week(self._clock(), time_zone)
        with self._lock:
            known = self.rows.get(user_id, {}).get(hour, Hour())
            self.rows.setdefault(user_id, {})[hour] = replace(known, messages=known.messages + 1)

    def came(self, user_id: str, time_zone: str, at: int) -> None:
        hour, day = hour_of_week(at, time_zone), datetime.fromtimestamp(at / 1000, ZoneInfo(time_zone)).date()
        with self._lock:
            days = self._days.setdefault((user_id, hour), [])
            if days and days[-1] == day.isoformat():
                return
            days[:] = recent_days(days, day)
            known = self.rows.setdefault(user_id, {}).get(hour, Hour())
            learned = known.learned or len(days) >= HABIT_DAYS
            self.rows[user_id][hour] = replace(known, learned=learned, misses=0)

    def missed(self, user_id: str, hour: int) -> None:
        with self._lock:
            known = self.rows.get(user_id, {}).get(hour)
            if known is not None and self._days.get((user_id, hour)):
                self.rows[user_id][hour] = replace(known, misses=known.misses + 1)

    def hours(self, user_id: str) -> dict[int, Hour]:
        return dict(self.rows.get(user_id, {}))

    def counts(self, user_id: str) -> dict[int, int]:
        return {number: hour.messages for number, hour in self.hours(user_id).items()}

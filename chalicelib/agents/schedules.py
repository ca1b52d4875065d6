"""One schedule for each user in EventBridge Scheduler, which calls the function `wake`.

A schedule is only a reminder of the row's `wakeAt`: the watchdog makes a lost one again. Scheduler is up to a
minute late; the margin of a start (WAKE_MARGIN_SECONDS) includes that.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.platform import aws
from chalicelib.platform.clock import SECOND, now_ms
from chalicelib.platform.settings import Settings, stage

DEFAULT_MARGIN = 90
MISSING = "ResourceNotFoundException"


def schedule_name(user_id: str) -> str:
    return hashlib.sha256(user_id.encode()).hexdigest()[:40]


@dataclass(frozen=True)
class Schedules:
    """`role` may call `target`; without a target (unit tests) nothing is scheduled."""

    target: str
    role: str
    margin: int = DEFAULT_MARGIN * SECOND

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Schedules":
        settings = Settings(env)
        margin = int(settings.optional("WAKE_MARGIN_SECONDS", str(DEFAULT_MARGIN))) * SECOND
        return cls(settings.optional("WAKE_FUNCTION"), settings.optional("WAKE_ROLE"), margin)

    def set(self, user_id: str, at: int) -> None:
        """Call `wake` for a user at that time (ms), or at once if it is over. Replaces the user's schedule."""
        if not self.target:
            return
        when = datetime.fromtimestamp(max(at, now_ms() + 2 * SECOND) / SECOND, UTC)
        schedule: dict[str, Any] = {
            "Name": schedule_name(user_id),
            "GroupName": _group(),
            "ScheduleExpression": f"at({when:%Y-%m-%dT%H:%M:%S})",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {"Arn": self.target, "RoleArn": self.role, "Input": json.dumps({"userId": user_id})},
        }
        client = aws.client("scheduler")
        try:
            client.update_schedule(**schedule)
        except ClientError as error:
            if error.response["Error"]["Code"] != MISSING:
                raise
            client.create_schedule(**schedule)

    def clear(self, user_id: str) -> None:
        if not self.target:
            return
        try:
            aws.client("scheduler").delete_schedule(Name=schedule_name(user_id), GroupName=_group())
        except ClientError as error:
            if error.response["Error"]["Code"] != MISSING:
                raise


def _group() -> str:
    return f"serverless-openclaw-{stage()}"

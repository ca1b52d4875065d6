"""EventBridge Scheduler on this machine: moto keeps the schedules, this finds those that are due.

They are not in the snapshot: after a restart the watchdog makes them again, as it would after a loss on AWS.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any

from moto.scheduler.models import scheduler_backends

from local.cloud.persist import ACCOUNT

_AT = re.compile(r"at\((.+)\)")
_FUNCTION = re.compile(r":function:[a-z-]+-(\w+)$")
Json = dict[str, Any]


def due(region: str) -> list[Json]:
    """What the schedules that are due call, as events for the local API; each is deleted as it fires."""
    found: list[Json] = []
    for group in list(scheduler_backends[ACCOUNT][region].schedule_groups.values()):
        for name, schedule in list(group.schedules.items()):
            at = _AT.fullmatch(schedule.schedule_expression)
            if at is None or datetime.fromisoformat(at[1]).replace(tzinfo=UTC) > datetime.now(UTC):
                continue
            group.schedules.pop(name, None)
            function = _FUNCTION.search(schedule.target["Arn"])
            if function is not None:
                found.append({"function": function[1], "input": json.loads(schedule.target["Input"])})
    return found

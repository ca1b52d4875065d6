"""What a user's own container has logged last, for the user: names, times, numbers and codes, never text.

A line is shown only if it is one of log.event or log.failure, and of its fields only those that are named here and
have the form of a number or a code. What a provider, a library or the agent says is never among them.
"""

import json
import re
from typing import Any

from chalicelib.platform import aws
from chalicelib.platform.settings import stage

MOST = 200  # lines shown
READ = 1000  # lines read: OpenClaw's and the metrics are among them
_NAME = re.compile(r"[a-z][a-z_]{0,59}")
_CODE = re.compile(r"[A-Za-z][A-Za-z_]{0,59}")
NUMBERS = frozenset(
    {
        *("again", "attempts", "bytes", "calls", "cleared", "count", "devices", "due_in_ms", "early_ms"),
        *("elsewhere", "exchanges", "exit_code", "failures", "files", "generation", "kept", "late_ms", "length"),
        *("missing", "ms", "number", "packs", "parts", "retry_after", "returncode", "seconds", "silent"),
        *("skipped", "status", "tries", "unrestful", "waited_ms", "works", "turn", "told", "questions", "outbox"),
        *("openclaw", "memory", "released", "ready", "dead", "in_turn"),
    }
)
CODES = frozenset({"code", "error", "kind", "status", "state", "provider"})


def stream_of(task_arn: str) -> str:
    """The log driver's name: its prefix, the container's name, the task's id (cdk/stacks/compute.py)."""
    return f"agent/agent/{task_arn.rsplit('/', 1)[-1]}"


def last_lines(task_arn: str | None) -> list[dict[str, Any]]:
    """The newest first. Empty if the container has logged nothing yet, or its log is deleted."""
    if task_arn is None:
        return []
    logs = aws.client("logs")
    group = f"/serverless-openclaw/{stage()}/agent"
    try:
        answer = logs.get_log_events(
            logGroupName=group, logStreamName=stream_of(task_arn), limit=READ, startFromHead=False
        )
    except logs.exceptions.ResourceNotFoundException:
        return []
    shown = [line for event in reversed(answer["events"]) if (line := _line(event["timestamp"], event["message"]))]
    return shown[:MOST]


def _line(at: int, raw: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(raw)
    except ValueError:
        return None
    name = entry.get("event") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return None
    return {
        "at": at,
        "event": name,
        "fields": {key: value for key, value in entry.items() if _may_be_shown(key, value)},
    }


def _may_be_shown(key: str, value: object) -> bool:
    if isinstance(value, bool | int | float):
        return key in NUMBERS
    return key in CODES and isinstance(value, str) and _CODE.fullmatch(value) is not None

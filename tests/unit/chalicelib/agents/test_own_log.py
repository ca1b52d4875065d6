"""What of a container's log its user may see."""

import json
from typing import Any

import pytest

from chalicelib.agents import own_log
from chalicelib.platform import aws

ARN = "arn:aws:ecs:us-east-1:1:task/cluster/abc123"


class Gone(Exception):
    """No such stream."""


class Logs:
    """CloudWatch Logs with one stream, oldest line first."""

    class exceptions:
        ResourceNotFoundException = Gone

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.asked: dict[str, Any] = {}

    def get_log_events(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        if not asked["logStreamName"].endswith("abc123"):
            raise Gone
        return {"events": [{"timestamp": number, "message": line} for number, line in enumerate(self.lines)]}


def shown(monkeypatch: pytest.MonkeyPatch, *lines: object) -> list[dict[str, Any]]:
    logs = Logs([line if isinstance(line, str) else json.dumps(line) for line in lines])
    monkeypatch.setattr(aws, "client", lambda service: logs)
    found = own_log.last_lines(ARN)
    assert logs.asked["logStreamName"] == "agent/agent/abc123"
    return found


def test_only_events_numbers_and_codes_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text has no way through: not in a line, nor in a field, nor in a name or a code."""
    lines = shown(
        monkeypatch,
        {"event": "saved", "files": 3, "bytes": 1200, "seconds": 0.4, "reason": "my secret diary"},
        "plain words of a library",
        {"_aws": {"x": 1}, "StartupTotal": 4},
        {"event": "my secret diary", "files": 1},
        {"event": "turn_failed", "code": "PROVIDER_ERROR", "message_id": "m", "dead": False, "status": 503},
        {"event": "file_unread", "error": "OSError", "at": ["a.py:1"], "code": "my secret diary", "files": "diary"},
        ["saved"],
        {"event": "model_failed", "user": "ann", "job": "diary", "tried": ["a/b: c"], "text": "diary"},
    )
    assert lines == [
        {"at": 7, "event": "model_failed", "fields": {}},
        {"at": 5, "event": "file_unread", "fields": {"error": "OSError"}},
        {"at": 4, "event": "turn_failed", "fields": {"code": "PROVIDER_ERROR", "dead": False, "status": 503}},
        {"at": 0, "event": "saved", "fields": {"files": 3, "bytes": 1200, "seconds": 0.4}},
    ]


def test_the_last_ones_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, *({"event": "saved", "files": number} for number in range(own_log.MOST + 50)))
    assert (len(lines), lines[0]["fields"]["files"]) == (own_log.MOST, own_log.MOST + 49)


def test_without_a_task_or_a_stream_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "client", lambda service: Logs([]))
    assert own_log.last_lines(None) == own_log.last_lines("arn:task/other") == []

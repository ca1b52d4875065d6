"""The one question for a time zone, and the way of a changed one to a running OpenClaw."""

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from pynamodb.exceptions import GetError

from bridge.openclaw.config import heartbeat
from bridge.openclaw.gateway import GatewayClosed, GatewayError
from bridge.openclaw.process import OpenClaw
from bridge.telegram.channel import Telegram
from bridge.turns.choices import Choices
from bridge.turns.user_settings import UserSettings
from chalicelib.people.preferences import BROWSER, Choice
from chalicelib.telegram.texts import ASK_TIME_ZONE
from tests.support.bridge_parts import custom, make_config


class Asking(Choices):
    """A user without a time zone; the table says whether they may be asked."""

    def __init__(self, *may: bool) -> None:
        super().__init__("ann")
        self.may = list(may)

    def may_ask_zone(self) -> bool:
        return self.may.pop(0)


class Chat(Telegram):
    def __init__(self) -> None:
        super().__init__("ann", "99:token", "http://127.0.0.1:1")
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def _end_status(self, chat: str, chat_id: int) -> None:
        return


class Process:
    """Where an OpenClaw would be."""

    zone: Any = None
    permission: Any = None
    heartbeat: Any = None

    def follow_settings(self) -> None:
        return


def test_after_an_answer_in_telegram_the_zone_is_asked_for_once() -> None:
    chat = Chat()
    UserSettings(Asking(True, False), Process(), chat)  # type: ignore[arg-type]
    for _ in range(2):
        chat._answered("p1", {"chatId": 1, "private": False})
    chat._pool.shutdown()
    assert chat.said == [ASK_TIME_ZONE]


def test_a_known_zone_is_not_asked_for_and_needs_no_look_at_the_table() -> None:
    choices = Choices("ann")
    choices.current = Choice(time_zone="Asia/Seoul", time_zone_from=BROWSER)
    assert not choices.may_ask_zone()
    assert choices.zone() == "Asia/Seoul"
    choices.current = Choice(time_zone_asked=True)
    assert not choices.may_ask_zone()
    assert choices.zone() is None


class Gateway:
    """Notes what is asked of it; closed at first, if wanted."""

    def __init__(self, closed: int = 0, refused: int = 0) -> None:
        self.closed, self.refused, self.patches = closed, refused, []  # type: ignore[var-annotated]
        self.lock = threading.Lock()

    def request(self, method: str, params: dict[str, str]) -> dict[str, str]:
        if self.closed:
            self.closed -= 1
            raise GatewayClosed("gone")
        if method == "config.patch" and self.refused:
            self.refused -= 1
            raise GatewayError("INVALID_REQUEST", "the configuration has changed")
        if method == "config.patch":
            self.patches.append(params)
        return {"hash": "h1"}


def test_a_zone_is_told_once_and_again_after_a_failure(tmp_path: Any) -> None:
    openclaw = OpenClaw(make_config(tmp_path / "home", custom("http://own/v1")), "http://127.0.0.1:1")
    gateway = Gateway(closed=1)
    openclaw.gateway = gateway  # type: ignore[assignment]
    openclaw.follow_settings()
    assert gateway.closed == 1, "without a zone there is nothing to say"
    openclaw.zone = lambda: "Asia/Seoul"
    for _ in range(3):
        openclaw.follow_settings()
    [patch] = gateway.patches
    assert patch == {"raw": '{"agents": {"defaults": {"userTimezone": "Asia/Seoul"}}}', "baseHash": "h1"}
    openclaw.permission = lambda: "ask"
    openclaw.follow_settings()
    assert gateway.patches[1]["raw"] == '{"tools": {"exec": {"mode": "ask"}}}'


def test_a_message_is_not_sent_while_openclaw_does_not_know_that_commands_need_approval(tmp_path: Any) -> None:
    openclaw = OpenClaw(make_config(tmp_path / "home", custom("http://own/v1")), "http://127.0.0.1:1")
    gateway = Gateway(closed=1, refused=3)
    openclaw.gateway = gateway  # type: ignore[assignment]
    openclaw.permission = lambda: "ask"
    with pytest.raises(GatewayClosed):
        openclaw.follow_settings()
    with pytest.raises(GatewayError):
        openclaw.follow_settings()
    openclaw.follow_settings()
    assert gateway.refused == 0, "the third refusal was tried once more at once"
    [patch] = gateway.patches
    assert patch["raw"] == '{"tools": {"exec": {"mode": "ask"}}}'
    gateway.closed = 1
    openclaw.permission = lambda: "full"
    openclaw.follow_settings()
    assert len(gateway.patches) == 1, "what stays stricter than asked for may wait"


def test_settings_that_were_never_read_are_the_strict_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[Choice | Exception] = [EndpointConnectionError(endpoint_url=""), Choice(), GetError("throttled")]

    def get(*_: object) -> Choice:
        found = stored.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr("chalicelib.people.preferences.Preferences.get", get)
    choices = Choices("ann")
    assert [choices.permission_mode() for _ in range(3)] == ["ask", "full", "full"]
    choices.refresh()
    assert choices.permission_mode() == "full", "what was known stays good"


def test_a_heartbeat_is_told_when_it_changes_and_switched_off_again(tmp_path: Any) -> None:
    openclaw = OpenClaw(make_config(tmp_path / "home", custom("http://own/v1")), "http://127.0.0.1:1")
    gateway, choice = Gateway(), Choice(time_zone="Asia/Seoul", time_zone_from=BROWSER)
    openclaw.gateway = gateway  # type: ignore[assignment]
    openclaw.heartbeat = lambda: heartbeat(choice)
    openclaw.follow_settings()
    assert gateway.patches == [], "it is off, as OpenClaw was started"
    for minutes in (30, 30, None):
        choice = replace(choice, heartbeat_minutes=minutes)
        openclaw.follow_settings()
    on, off = (json.loads(patch["raw"])["agents"]["defaults"] for patch in gateway.patches)
    assert on["heartbeat"]["every"] == "1800s"
    assert on["heartbeat"]["activeHours"] == {"start": "08:00", "end": "22:00", "timezone": "Asia/Seoul"}
    assert off == {"heartbeat": {"every": "0m"}}

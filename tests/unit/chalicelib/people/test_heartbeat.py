"""When a heartbeat beats, how often, and what it costs."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.openclaw.config import heartbeat
from bridge.outbox.automations import beat
from bridge.provider import catalog
from bridge.provider.catalog import HEARTBEAT
from chalicelib.people.heartbeat import WAKE, WAKE_USD, beats_a_day, is_hours, monthly_usd, next_beat, wake_usd
from chalicelib.people.preferences import Choice, Model
from chalicelib.providers.routes import KNOWN
from ops.cost import WAKE_SECONDS, bill, profile_of, total
from ops.model_cost import FIXED_TOKENS

SEOUL, MINUTES = "Asia/Seoul", 60_000


def at(text: str, zone: str = SEOUL) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def clock(ms: int, zone: str = SEOUL) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(zone)):%d %H:%M}"


@pytest.mark.parametrize(
    ("tick", "hours", "first"),
    [
        ("2026-11-29T12:10", "08:00-22:00", "29 12:10"),
        ("2026-11-29T08:00", "08:00-22:00", "29 08:00"),
        ("2026-11-29T21:40", "08:00-22:00", "29 21:40"),
        ("2026-11-29T22:00", "08:00-22:00", "30 08:30"),  # at 8:00 it would be started before, and do nothing
        ("2026-11-29T22:10", "08:00-22:00", "30 08:10"),
        ("2026-11-29T03:00", None, "29 03:00"),
        ("2026-11-29T03:00", "00:00-24:00", "29 03:00"),
        ("2026-11-29T23:30", "22:00-06:00", "29 23:30"),
        ("2026-11-29T07:10", "22:00-06:00", "29 22:10"),
    ],
)
def test_no_agent_is_woken_for_a_beat_outside_the_hours(tick: str, hours: str | None, first: str) -> None:
    assert clock(next_beat(at(tick), 30 * MINUTES, hours, SEOUL)) == first


def test_hours_are_those_of_the_persons_clock_over_a_change_of_it() -> None:
    """Berlin's clocks go forward in the night to 2027-03-28."""
    tick = next_beat(at("2027-03-27T23:00", "Europe/Berlin"), 60 * MINUTES, "08:30-22:00", "Europe/Berlin")
    assert clock(tick, "Europe/Berlin") == "28 09:00"


def test_hours_that_no_tick_meets_do_not_loop() -> None:
    assert next_beat(5, 24 * 60 * MINUTES, "08:00-08:05", "UTC") == 5


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("08:00-22:00", True),
        ("22:00-06:30", True),
        ("00:00-24:00", True),
        ("8-22", False),
        ("08:00-08:00", False),
        ("24:00-08:00", False),
        ("08:60-22:00", False),
        ("08:00-25:00", False),
        ("08:00-22:00x", False),
    ],
)
def test_the_form_of_hours(text: str, fits: bool) -> None:
    assert is_hours(text) is fits


def test_the_price_is_that_of_the_model_and_of_the_wakes() -> None:
    """claude-sonnet-5: 2 dollars for a million fresh tokens, 10 for a million of the answer."""
    assert beats_a_day(30, "08:00-22:00") == 28
    assert beats_a_day(60, "22:00-06:00") == 8
    assert beats_a_day(60, "00:00-24:00") == 24
    call = (FIXED_TOKENS * 2 + HEARTBEAT.output * 10) / 1e6
    assert monthly_usd(30, None, call) == round(48 * 30 * (call + WAKE_USD), 2)


def test_the_prices_that_it_is_made_of_are_those_of_make_cost() -> None:
    assert HEARTBEAT.fresh == FIXED_TOKENS
    wakes = 48 * 30
    assert (total(bill(profile_of(wakes=48))) - total(bill(profile_of()))) / wakes == pytest.approx(WAKE_USD, rel=0.05)
    assert WAKE == WAKE_SECONDS * 1000


def test_a_wake_of_a_microvm_has_that_engines_price(monkeypatch: pytest.MonkeyPatch) -> None:
    """270 s of a vCPU and 2 GB, and a snapshot that is read: seven wakes of Fargate."""
    assert wake_usd() == WAKE_USD
    monkeypatch.setenv("RUNTIME", "microvm")
    assert wake_usd() == pytest.approx(270 * (0.0000276944 + 2 * 0.0000036667) + 0.00155, abs=1e-6)
    assert monthly_usd(30, None, 0.0) == round(48 * 30 * wake_usd(), 2) == 15.85


def test_each_interval_has_its_price_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    offered: list[Model] = []
    monkeypatch.setattr(catalog, "offer", offered.extend)
    catalog.publish(KNOWN, "anthropic/claude-sonnet-5")
    assert [one["id"] for one in offered if one.get("default")] == ["anthropic/claude-sonnet-5"]
    prices = Choice(heartbeat_hours=None)._prices(offered)
    assert prices["30"] == monthly_usd(30, None, (FIXED_TOKENS * 2 + 600) / 1e6)
    assert list(prices) == ["30", "60", "120", "240", "480"]
    assert Choice(model="anthropic/claude-haiku-4-5")._prices(offered)["30"] < prices["30"]
    assert Choice(model="custom/unknown")._prices(offered) == {}
    offered.clear()
    catalog.publish(KNOWN, "anthropic/claude-unheard-of")
    assert offered[0] == {"id": "anthropic/claude-unheard-of", "name": "claude-unheard-of", "default": True}


def test_openclaw_is_told_the_interval_and_the_hours() -> None:
    assert heartbeat(Choice()) == {"every": "0m"}
    told = heartbeat(Choice(heartbeat_minutes=60, heartbeat_hours=None, time_zone=SEOUL))
    assert (told["every"], told["target"]) == ("3600s", "none")
    assert told["activeHours"] == {"start": "00:00", "end": "24:00", "timezone": SEOUL}


def test_a_beat_wakes_only_when_the_user_has_switched_it_on() -> None:
    job = {"payload": {"kind": "heartbeat"}, "enabled": True}
    job |= {"schedule": {"everyMs": 30 * MINUTES}, "state": {"nextRunAtMs": at("2026-11-29T23:10")}}
    choice = Choice(heartbeat_minutes=30, time_zone=SEOUL)
    assert clock(beat(job, choice) or 0) == "30 08:10"
    assert beat(job, Choice()) is None
    assert beat(job | {"enabled": False}, choice) is None
    assert beat(job | {"state": {}}, choice) is None
    assert beat(job | {"payload": {"kind": "agentTurn"}}, choice) is None

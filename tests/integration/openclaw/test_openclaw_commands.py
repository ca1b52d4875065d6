"""The real gateway's slash commands, its time zone and its titles: what the Bridge says of them is true."""

import json
import time
from typing import Any

import pytest

from bridge.openclaw.commands import DECISIONS, Kind, decision
from bridge.openclaw.config import heartbeat
from bridge.openclaw.events import End
from bridge.openclaw.process import OpenClaw
from bridge.outbox.automations import beat
from bridge.outbox.said import Transcript
from chalicelib.people.preferences import Choice
from local.demo_model import TITLE_PROMPT
from tests.integration.openclaw.test_openclaw_compatibility import gateway_of, model, openclaw, turn
from tests.support.client import eventually

__all__ = ["model", "openclaw"]

# These begin a run of the model; the others are answered by the gateway itself.
RUNS = {"learn"}
WORKING = [name for name, known in DECISIONS.items() if known.kind is Kind.WORKS]


def test_every_command_that_the_gateway_offers_is_decided(openclaw: OpenClaw) -> None:
    offered = gateway_of(openclaw).request("commands.list", {"scope": "text"})["commands"]
    assert len(offered) > 30
    own = [command for command in offered if command.get("source") != "skill"]
    names = {alias for command in own for alias in (f"/{command['name']}", *(command.get("textAliases") or []))}
    undecided = sorted(name for name in names if decision(name) is None)
    assert undecided == [], "decide these in container/bridge/openclaw/commands.py"


@pytest.mark.parametrize("name", [name for name in WORKING if name not in RUNS])
def test_a_command_that_works_is_answered_by_the_gateway_itself(openclaw: OpenClaw, name: str) -> None:
    _, events = turn(openclaw, f"/{name}", session=f"web-command-{name}")
    end = events[-1]
    assert isinstance(end, End)
    assert (end.reason, bool(end.text)) == ("final", True)
    assert "demo model" not in end.text


@pytest.mark.parametrize("name", sorted(RUNS))
def test_a_command_that_works_by_the_model_runs_it(openclaw: OpenClaw, name: str) -> None:
    _, events = turn(openclaw, f"/{name}", session=f"web-command-{name}")
    assert (events[-1].reason, "demo model" in events[-1].text) == ("final", True)


def test_loop_asks_the_agent_for_an_automation(openclaw: OpenClaw) -> None:
    """The gateway makes of it a request to the model, which has the tool for it."""
    assert gateway_of(openclaw).request("cron.status", {})["enabled"] is True
    _, events = turn(openclaw, "/loop 5m check the oven", session="web-loop")
    assert "everyMs:300000" in events[-1].text


def test_the_time_zone_follows_the_settings_without_a_restart(openclaw: OpenClaw) -> None:
    gateway, zone = gateway_of(openclaw), "Asia/Seoul"
    openclaw.zone = lambda: zone
    begun = time.monotonic()
    openclaw.follow_settings()
    print(f"time zone changed in {time.monotonic() - begun:.2f} s")
    _, events = turn(openclaw, "/status", session="web-zone")
    assert "Asia/Seoul" in events[-1].text
    assert not gateway.closed.is_set()
    file = openclaw._config.state_dir / "openclaw.json"
    kept = file.read_text()
    assert json.loads(kept)["agents"]["defaults"]["userTimezone"] == zone
    assert openclaw._config.proxy_token not in kept


def test_a_heartbeat_says_what_needs_the_person_and_nothing_otherwise(openclaw: OpenClaw) -> None:
    """`target: none`: with another one OpenClaw finds no channel and asks no model."""
    gateway, choice = gateway_of(openclaw), Choice(heartbeat_minutes=30, heartbeat_hours=None)
    openclaw.heartbeat = lambda: heartbeat(choice)
    openclaw.follow_settings()

    def job() -> dict[str, Any]:
        listed = gateway.request("cron.list", {"includeDisabled": True})["jobs"]
        (found,) = [one for one in listed if one["payload"]["kind"] == "heartbeat"]
        return dict(found)

    def said_at_a_beat(words: str) -> list[str]:
        turn(openclaw, f"on heartbeat say: {words}", session="main")
        before = job()["state"].get("lastRunAtMs")
        gateway.request("cron.run", {"id": job()["id"], "mode": "force"})
        eventually(lambda: job()["state"].get("lastRunAtMs") != before, 20)
        assert job()["state"]["lastRunStatus"] == "ok"
        rows = gateway.request("chat.history", {"sessionKey": "agent:main:main", "limit": 50})["messages"]
        return [said.text for said in Transcript().read(rows)]

    assert beat(job(), choice) == job()["state"]["nextRunAtMs"], "a sleeping agent is woken for it"
    before = said_at_a_beat("HEARTBEAT_OK")
    assert said_at_a_beat("The oven is hot.") == [*before, "The oven is hot."]
    assert not [text for text in before if "HEARTBEAT" in text]
    choice = Choice()
    openclaw.follow_settings()
    assert job()["enabled"] is False


def test_the_small_model_makes_a_title_of_the_first_question(openclaw: OpenClaw) -> None:
    asked = {"agentId": "main", "message": "How do I bake rye bread at home?"}
    title = gateway_of(openclaw).request("sessions.title.prepare", asked)["title"]
    assert title == "How do i bake rye bread", f"the demo model knows this call by “{TITLE_PROMPT}”"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 429, 503])
def test_a_title_that_the_provider_refuses_costs_no_answer(openclaw: OpenClaw, status: int) -> None:
    """The same refusal of an answer would shut the provider for minutes or hours."""
    asked = {"agentId": "main", "message": f"refuse with status {status}"}
    assert gateway_of(openclaw).request("sessions.title.prepare", asked)["title"] is None
    _, events = turn(openclaw, "What is 3+3?", session=f"web-title-{status}")
    assert "= 6" in events[-1].text

"""The real OpenClaw asks each provider in its own API, through the proxy, and holds only a worthless token."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.files.announced import of_answer
from bridge.openclaw.events import End, Event, Thought, events_of
from bridge.openclaw.process import OpenClaw
from bridge.provider.failures import SUPERSEDED
from bridge.turns.thinking import thinking_of
from chalicelib.providers.routes import KNOWN, Route
from tests.support.bridge_parts import KEY, Proxied, make_config, proxied, secrets_with
from tests.support.client import eventually
from tests.support.providers import HIDDEN, Providers

pytestmark = pytest.mark.timeout(150)
PATHS = {
    "anthropic": "/anthropic/v1/messages",
    "openai": "/openai/responses",
    "openrouter": "/openrouter/chat/completions",
    "google": "/google/models/gemini-3-flash-preview:streamGenerateContent?alt=sse",
    "deepseek": "/deepseek/chat/completions",
    "bedrock-claude": "/bedrock-claude/v1/messages",
    "bedrock": "/bedrock/chat/completions",
}


class Part:
    """The real gateway before stand-ins for all providers at once."""

    def __init__(self, openclaw: OpenClaw, proxy: Proxied, providers: Providers) -> None:
        self.openclaw, self.proxy, self.providers = openclaw, proxy, providers


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    with Providers() as providers:
        bedrock = (
            Route("bedrock-claude", "anthropic-messages", "", "anthropic.claude-sonnet-5", service="bedrock-mantle"),
            Route("bedrock", "openai-completions", "", "openai.gpt-oss-120b-1:0", service="bedrock"),
        )
        routes = tuple(
            Route(r.id, r.api, f"{providers.url}/{r.id}", r.model, r.parameter, r.service) for r in (*KNOWN, *bedrock)
        )
        config = make_config(tmp_path_factory.mktemp("openclaw") / "home", *routes)
        keys = secrets_with(**{route.parameter.replace("-", "_"): KEY for route in KNOWN})
        with proxied(routes, keys, token=config.proxy_token) as proxy:
            openclaw = OpenClaw(config, proxy.url)
            openclaw.start()
            yield Part(openclaw, proxy, providers)
            openclaw.stop()


def ask(openclaw: OpenClaw, key: str, model: str) -> End:
    return next(event for event in asked(openclaw, key, model)[1] if isinstance(event, End))


def asked(openclaw: OpenClaw, key: str, model: str) -> tuple[str, list[Event]]:
    """The key that was answered, and the events. Sent again as the Bridge does while OpenClaw prepares its models."""
    gateway = openclaw.gateway
    assert gateway is not None
    gateway.request("sessions.patch", {"key": "main", "model": model})
    for again in ("", ".again", ".last"):
        found = gateway.watch(key + again)
        gateway.request("chat.send", {"sessionKey": "main", "message": "Good morning", "idempotencyKey": key + again})
        events = list(events_of(found, 60))
        if not any(isinstance(event, End) and SUPERSEDED in event.error for event in events):
            break
    return key + again, events


@pytest.mark.parametrize("name", PATHS)
def test_each_providers_api_is_spoken_metered_and_signed(part: Part, name: str) -> None:
    route = next(route for route in part.openclaw._config.routes if route.id == name)
    counted = len(part.proxy.spending.charges)
    end = ask(part.openclaw, f"turn-{name}", f"{name}/{route.model}")
    assert (end.reason, end.text) == ("final", "Good morning.")
    asked = part.providers.asked[-1]
    assert asked.path == PATHS[name]
    if route.service:
        assert f"/{route.service}/aws4_request" in asked.headers["authorization"]
    else:
        assert asked.headers[route.key_header] == route.key_value(KEY)
    assert part.openclaw._config.proxy_token not in json.dumps([asked.headers, asked.body])
    eventually(lambda: len(part.proxy.spending.charges) >= counted + 2, 5)
    charge = part.proxy.spending.charges[-1][1]
    assert (charge.input_tokens, charge.output_tokens, charge.cached_tokens) == (800, 50, 200)


@pytest.mark.parametrize(
    ("name", "thinks", "told", "kept"),
    [
        ("anthropic", "Is it morning?", "Is it morning?", {"text": "Is it morning?"}),
        ("anthropic", HIDDEN, "", None),
        ("openrouter", "Is it morning?", "Is it morning?", {"text": "Is it morning?"}),
        ("openai", "", None, None),
    ],
)
def test_what_a_model_thinks_is_told_and_kept(
    part: Part, name: str, thinks: str, told: str | None, kept: dict[str, str] | None
) -> None:
    """As the events of the run have it, and as its rows in the transcript have it."""
    route = next(route for route in part.openclaw._config.routes if route.id == name)
    part.providers.thinks, key = thinks, f"thinks-{name}-{thinks == HIDDEN}"
    try:
        key, events = asked(part.openclaw, key, f"{name}/{route.model}")
    finally:
        part.providers.thinks = ""
    thoughts = [event.text for event in events if isinstance(event, Thought)]
    assert (thoughts[-1] if thoughts else None) == told
    assert "".join(event.text for event in events if isinstance(event, End)) == "Good morning."
    gateway = part.openclaw.gateway
    assert gateway is not None
    found = of_answer(gateway.request("sessions.get", {"key": "main", "limit": 40})["messages"], key)
    assert found is not None
    assert thinking_of(found.rows) == kept


def test_an_abort_ends_the_call_to_the_provider(part: Part) -> None:
    gateway = part.openclaw.gateway
    assert gateway is not None

    async def endless(request):  # type: ignore[no-untyped-def]
        import asyncio

        from aiohttp import web

        from tests.support.providers import anthropic

        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in anthropic("m", "so it begins", (10, 1, 0))[:4]:
            await response.write(event)
        await asyncio.sleep(60)
        return response

    part.providers.behave = endless
    try:
        gateway.request("sessions.patch", {"key": "main", "model": f"anthropic/{KNOWN[0].model}"})
        for key in ("turn-abort", "turn-abort.again", "turn-abort.last"):
            events = gateway.watch(key)
            gateway.request("chat.send", {"sessionKey": "main", "message": "go on", "idempotencyKey": key})
            eventually(lambda events=events: part.providers.open == 1 or SUPERSEDED in str(events.queue), 20)  # type: ignore[misc]
            if part.providers.open == 1:
                break
        time.sleep(0.3)
        gateway.request("chat.abort", {"sessionKey": "main", "runId": key})
        end = next(event for event in events_of(events, 30) if isinstance(event, End))
        assert end.reason == "aborted"
        eventually(lambda: part.providers.open == 0, 5)
    finally:
        part.providers.behave = None


def test_a_stored_configuration_that_is_refused_is_put_aside(tmp_path: Path) -> None:
    """Written by another version, or by the agent: the agent starts all the same, and nothing is thrown away."""
    with Providers() as providers:
        route = Route("custom", "openai-completions", providers.url, "demo", "openai-api-key")
        config = make_config(tmp_path / "home", route)
        config.state_dir.mkdir(parents=True)
        stored = json.dumps({"noSuchSection": {"x": 1}, "tools": {"deny": ["browser"]}})
        (config.state_dir / "openclaw.json").write_text(stored)
        with proxied((route,), token=config.proxy_token) as proxy:
            openclaw = OpenClaw(config, proxy.url)
            openclaw.start()
            try:
                assert ask(openclaw, "turn", "custom/demo").reason == "final"
            finally:
                openclaw.stop()
        assert (config.state_dir / "openclaw.json.refused").read_text() == stored


def test_what_was_set_in_the_configuration_survives_a_restart(tmp_path: Path) -> None:
    with Providers() as providers:
        route = Route("custom", "openai-completions", providers.url, "demo", "openai-api-key")
        config = make_config(tmp_path / "home", route)
        config.state_dir.mkdir(parents=True)
        file = config.state_dir / "openclaw.json"
        file.write_text(json.dumps({"tools": {"deny": ["mine"]}}))
        with proxied((route,), token=config.proxy_token) as proxy:
            openclaw = OpenClaw(config, proxy.url)
            for turn in ("turn-1", "turn-2"):
                openclaw.start()
                assert ask(openclaw, turn, "custom/demo").reason == "final"
                openclaw.stop()
        assert "mine" in json.loads(file.read_text())["tools"]["deny"]
        assert not file.with_name("openclaw.json.refused").exists()

"""openclaw.json: what the user set stays, what we must have wins, no secret is in it."""

import json
from pathlib import Path

from bridge.openclaw.config import MARK, document, merged
from bridge.openclaw.process import environment
from bridge.openclaw.tools import PLUGINS
from chalicelib.providers.routes import KNOWN, TOKEN_HEADER, primary, routes
from tests.support.bridge_parts import KEY, make_config

PROXY = "http://127.0.0.1:1234"


def ours(tmp_path: Path) -> dict[str, object]:
    return document(make_config(tmp_path / "home", *KNOWN), PROXY)


def test_every_provider_is_the_proxy_and_no_key_is_told(tmp_path: Path) -> None:
    providers = ours(tmp_path)["models"]["providers"]  # type: ignore[index]
    assert {name: entry["baseUrl"] for name, entry in providers.items()} == {r.id: f"{PROXY}/{r.id}" for r in KNOWN}
    assert [entry["headers"] for entry in providers.values()] == [{TOKEN_HEADER: MARK}] * len(KNOWN)
    assert KEY not in json.dumps(providers)


def test_no_provider_has_an_api_key_that_openclaw_could_disable(tmp_path: Path) -> None:
    """OpenAI has one, since OpenClaw insists; from the environment, which it does not disable."""
    assert not any("apiKey" in entry for entry in ours(tmp_path)["models"]["providers"].values())  # type: ignore[index]
    config = make_config(tmp_path / "home", *KNOWN)
    assert environment(config)["OPENAI_API_KEY"] == config.proxy_token
    assert "OPENAI_API_KEY" not in environment(make_config(tmp_path / "home", KNOWN[0]))


def test_what_was_set_before_stays_and_ours_wins(tmp_path: Path) -> None:
    stored = {
        "agents": {"defaults": {"thinkingDefault": "high", "heartbeat": {"every": "5m"}, "workspace": "/w"}},
        "tools": {"deny": ["exec", "mine__delete"], "exec": {"host": "gateway"}},
        "gateway": {"bind": "lan", "port": 1},
        "plugins": {"enabled": False, "allow": []},
    }
    result = merged(json.dumps(stored), ours(tmp_path))
    assert "exec" not in result["tools"]["deny"], "the table of tools decides (tools.py)"
    assert {"mine__delete", "computer"} <= set(result["tools"]["deny"])
    assert result["tools"]["exec"] == {"host": "gateway", "mode": "full"}
    assert result["agents"]["defaults"]["thinkingDefault"] == "high"
    assert result["agents"]["defaults"]["workspace"] == "/w"
    assert result["agents"]["defaults"]["heartbeat"] == {"every": "0m"}
    assert result["gateway"]["bind"] == "loopback"
    assert result["plugins"]["allow"] == list(PLUGINS)


def test_a_proxy_of_an_earlier_start_is_forgotten_a_provider_of_ones_own_is_not(tmp_path: Path) -> None:
    own = {"baseUrl": "http://192.0.2.1/v1", "apiKey": "x", "models": []}
    gone = {"baseUrl": "http://127.0.0.1:9/gone"}
    older, newer = gone | {"apiKey": MARK}, gone | {"headers": {TOKEN_HEADER: MARK}}
    stored = {"models": {"providers": {"older": older, "newer": newer, "anthropic": older, "own": own}}}
    providers = merged(json.dumps(stored), ours(tmp_path))["models"]["providers"]
    assert not {"older", "newer"} & providers.keys()
    assert "apiKey" not in providers["anthropic"]
    assert providers["own"] == own


def test_a_file_that_is_not_json_is_replaced(tmp_path: Path) -> None:
    for stored in ("// a comment\n{}", "[]", "", '{"models": []}', '{"models": {"providers": 3}}', "[" * 20_000):
        assert merged(stored, ours(tmp_path))["gateway"]["bind"] == "loopback"


def test_all_configured_providers_are_offered_the_url_of_ones_own_first() -> None:
    keys = {"openai-api-key": "k", "anthropic-api-key": "k", "openai-base-url": "http://own/v1/"}
    found = routes(keys, "eu-west-1", bedrock=True)
    assert [route.id for route in found] == ["custom", "anthropic", "bedrock-claude", "bedrock"]
    assert found[0].base == "http://own/v1"
    assert found[2].base == "https://bedrock-mantle.eu-west-1.api.aws/anthropic"


def test_the_model_is_a_name_of_the_first_provider_or_says_whose_it_is() -> None:
    found = routes({"anthropic-api-key": "k", "openai-api-key": "k"}, "eu-west-1", bedrock=False)
    assert primary(found, "") == "anthropic/claude-sonnet-5"
    assert primary(found, "claude-opus-5") == "anthropic/claude-opus-5"
    assert primary(found, "openai/gpt-5.4-nano") == "openai/gpt-5.4-nano"
    (router,) = routes({"openrouter-api-key": "k"}, "eu-west-1", bedrock=False)
    assert primary((router,), "anthropic/claude-opus-5") == "openrouter/anthropic/claude-opus-5"


def test_the_users_time_zone_is_the_agents(tmp_path: Path) -> None:
    config = make_config(tmp_path / "home", *KNOWN)
    told = document(config, PROXY, "Asia/Seoul")["agents"]["defaults"]
    assert told["userTimezone"] == "Asia/Seoul"
    kept = {"agents": {"defaults": {"userTimezone": "Europe/Berlin"}}}
    assert merged(json.dumps(kept), document(config, PROXY))["agents"]["defaults"]["userTimezone"] == "Europe/Berlin"
    assert (
        merged(json.dumps(kept), document(config, PROXY, "Asia/Seoul"))["agents"]["defaults"]["userTimezone"]
        == "Asia/Seoul"
    )


def test_titles_have_a_cheap_model_or_none(tmp_path: Path) -> None:
    """An empty name: OpenClaw takes no other one by itself."""
    for model, small in (("", "anthropic/claude-haiku-4-5"), ("anthropic/claude-haiku-4-5", "")):
        config = make_config(tmp_path / "home", *KNOWN, model=model)
        assert document(config, PROXY)["agents"]["defaults"]["utilityModel"] == small

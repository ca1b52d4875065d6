"""openclaw.json: what we need on top of what the user and the agent have set, and no secret in it."""

import json
from typing import Any

from bridge.config import Config
from bridge.openclaw import vetting
from bridge.openclaw.tools import others_denied, policy
from chalicelib.people.preferences import Choice
from chalicelib.providers.prices import context_window
from chalicelib.providers.routes import TOKEN_HEADER, Route, small_model

Json = dict[str, Any]
TOKEN_VARIABLE = "MODEL_PROXY_TOKEN"  # noqa: S105  a name; OpenClaw reads the value from its environment
MARK = "${" + TOKEN_VARIABLE + "}"
# OpenClaw shows the proxy its token in a header. It must not know it as an API key of its configuration: such
# a key it disables for up to 24 hours when a call is refused, and stores that (docs/architecture.md, Refusals).
# The one provider that OpenClaw wants an API key for; one from the environment is never disabled.
KEYED = {"openai": "OPENAI_API_KEY"}
# OpenClaw compacts a conversation before this: too small wastes memory, too large fails turns.
UNKNOWN_CONTEXT = 128_000
MAX_ANSWER_TOKENS = 16_384
NO_HEARTBEAT: Json = {"every": "0m"}
# Until somebody sets something else. Claude's own default would be the dearest there is.
WISHES: Json = {"agents": {"defaults": {"thinkingDefault": "low"}}}

# The gateway answers what the Control UI gets by HTTP (console/fetched.py), and serves no page: that is in our site.
# Without a folder here it would copy its own pages into the state directory at a start (2026.9.1).
NO_PAGES = "/nonexistent"


def heartbeat(choice: Choice) -> Json:
    """OpenClaw's setting for the user's. `none`: its words are rows of the main session, and the outbox brings them.

    With `owner` OpenClaw would find no channel and not run at all.
    """
    if not choice.heartbeat_minutes:
        return dict(NO_HEARTBEAT)
    start, _, end = (choice.heartbeat_hours or "00:00-24:00").partition("-")
    return {
        "every": f"{round(choice.heartbeat_minutes * 60)}s",
        "target": "none",
        "lightContext": True,
        "activeHours": {"start": start, "end": end, "timezone": choice.time_zone},
    }


def servers(known: dict[str, str], proxy_url: str) -> dict[str, Json]:
    """The user's MCP servers by name: each is our proxy, which knows its address and token. `known`: ids by name."""
    headers = {TOKEN_HEADER: MARK}
    about = {"transport": "streamable-http", "headers": headers, "connectionTimeoutMs": 10_000}
    return {name: {"url": f"{proxy_url}/mcp/{one}", **about} for name, one in known.items()}


def document(
    config: Config, proxy_url: str, zone: str | None = None, beat: Json = NO_HEARTBEAT, mode: str = "full"
) -> Json:
    """Loopback only; every provider is our proxy. `zone`, `beat` (heartbeat), `mode` (of exec): the user's choices."""
    defaults: Json = {"model": {"primary": config.model}, "heartbeat": beat}
    small = small_model(config.routes, config.model)
    # Empty: OpenClaw chooses no small model by itself, which nobody has looked up the price of.
    defaults["utilityModel"] = small or ""
    if zone is not None:
        defaults["userTimezone"] = zone
    return {
        "gateway": {
            "mode": "local",
            "port": config.gateway_port,
            "bind": "loopback",
            "auth": {"mode": "token"},
            "controlUi": {"enabled": True, "root": NO_PAGES},
        },
        **policy((route.id for route in config.routes), mode),
        "security": vetting.policy(),
        "cron": {"enabled": True},
        "discovery": {"mdns": {"mode": "off"}},
        "update": {"checkOnStart": False},
        "agents": {"defaults": defaults},
        "models": {
            "mode": "merge",
            "providers": {route.id: _provider(route, config.model, proxy_url) for route in config.routes},
        },
    }


def _provider(route: Route, primary: str, proxy_url: str) -> Json:
    """OpenClaw takes other models of the provider too; those it is not told of it takes to be like these."""
    names = [route.model]
    chosen = primary.removeprefix(f"{route.id}/")
    if primary.startswith(f"{route.id}/") and chosen != route.model:
        names = [chosen]
    models = [_model(route, name) for name in names]
    headers = {TOKEN_HEADER: MARK}
    return {"baseUrl": f"{proxy_url}/{route.id}", "headers": headers, "api": route.api, "models": models}


def _model(route: Route, name: str) -> Json:
    context = context_window(route.prices, name)
    return {
        "id": name,
        "name": name,
        # What an unknown server makes of a wish to reason is not known; the great ones understand it.
        "reasoning": route.id != "custom",
        "input": ["text", "image"],
        # Prices are ours to know (budget.py).
        "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
        "contextWindow": context or UNKNOWN_CONTEXT,
        "maxTokens": MAX_ANSWER_TOKENS if context else 8192,
    }


def merged(stored: str | None, ours: Json) -> Json:
    """The stored configuration with ours over it. What is not JSON is not kept (OpenClaw writes JSON)."""
    try:
        kept = json.loads(stored or "{}")
    except (ValueError, RecursionError):
        kept = {}
    if not isinstance(kept, dict):
        kept = {}
    _forget_proxies(kept)
    _make_room(kept, ours)
    both = _over(_over(WISHES, kept), ours)
    both["tools"]["deny"] = sorted({*ours["tools"]["deny"], *others_denied(kept)})
    return both


def _forget_proxies(kept: Json) -> None:
    """Providers and servers of an earlier start: another port, and perhaps one that is gone."""
    for section, inside in (("models", "providers"), ("mcp", "servers")):
        known = kept.get(section)
        entries = known.get(inside) if isinstance(known, dict) else None
        if isinstance(entries, dict):
            for name in [name for name, entry in entries.items() if _is_proxy(entry)]:
                del entries[name]


def _make_room(kept: Json, ours: Json) -> None:
    """A server that the user added in OpenClaw's console under a name of ours is not mixed with it."""
    known = kept.get("mcp")
    entries = known.get("servers") if isinstance(known, dict) else None
    if isinstance(entries, dict):
        for name in ours.get("mcp", {}).get("servers", {}):
            entries.pop(name, None)


def _is_proxy(entry: Any) -> bool:
    """Also one of an older version, which gave the token as an API key."""
    if not isinstance(entry, dict):
        return False
    headers = entry.get("headers")
    return entry.get("apiKey") == MARK or (isinstance(headers, dict) and headers.get(TOKEN_HEADER) == MARK)


def _over(below: Json, above: Json) -> Json:
    both = dict(below)
    for name, value in above.items():
        under = both.get(name)
        both[name] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return both

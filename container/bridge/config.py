"""What a task is told: identity from RunTask, places and secrets from SSM, the rest from the image."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from bridge.user import AgentUser
from chalicelib import aws
from chalicelib.telegram_api import DEFAULT_URL


class BadConfiguration(Exception):
    """The task cannot run as it was started."""


@dataclass(frozen=True)
class Provider:
    """A model provider as OpenClaw's configuration names it; the key stays out of the file."""

    name: str
    model: str
    base_url: str | None = None
    api: str = "openai-completions"
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class Config:
    """Ports are TCP; `home` is the agent's own directory."""

    user_id: str
    generation: int
    task_arn: str
    websocket_url: str
    data_bucket: str
    home: Path
    node: str
    openclaw: str
    compile_cache: str
    gateway_port: int
    http_port: int
    http_host: str
    provider: Provider
    agent: AgentUser = field(default_factory=AgentUser)
    backup_seconds: float = 300.0
    telegram_url: str = DEFAULT_URL
    telegram_token: str = field(default="", repr=False)
    gateway_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    http_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def state_dir(self) -> Path:
        return self.home / ".openclaw"


def load(env: Mapping[str, str] = os.environ) -> Config:
    """Read everything once, at the start. Raises BadConfiguration."""
    parameters = read_parameters(_need(env, "PARAMETER_PATH"))
    return Config(
        user_id=_need(env, "USER_ID"),
        generation=int(_need(env, "GENERATION")),
        task_arn=task_arn(_need(env, "ECS_CONTAINER_METADATA_URI_V4")),
        websocket_url=parameters.get("websocket-url", "") or _need(env, "WEBSOCKET_URL"),
        data_bucket=_need(env, "DATA_BUCKET"),
        home=Path(env.get("AGENT_HOME", "/home/agent")),
        node=env.get("NODE_BINARY", "node"),
        openclaw=env.get("OPENCLAW_ENTRY", "/opt/openclaw/node_modules/openclaw/openclaw.mjs"),
        compile_cache=env.get("OPENCLAW_COMPILE_CACHE", "/opt/openclaw/compile-cache"),
        gateway_port=int(env.get("OPENCLAW_PORT", "18789")),
        http_port=int(env.get("BRIDGE_PORT", "8080")),
        http_host=env.get("BRIDGE_HOST", "127.0.0.1"),
        provider=provider(parameters),
        agent=AgentUser(int(env["AGENT_UID"]) if env.get("AGENT_UID") else None),
        backup_seconds=float(env.get("BACKUP_SECONDS", "300")),
        telegram_url=env.get("TELEGRAM_API_URL", "") or DEFAULT_URL,
        telegram_token=parameters.get("telegram-bot-token", ""),
    )


def read_parameters(path: str) -> dict[str, str]:
    """All parameters below a path, by their last name; one call for up to ten."""
    pages = (
        aws.client("ssm")
        .get_paginator("get_parameters_by_path")
        .paginate(Path=path, Recursive=False, WithDecryption=True)
    )
    return {entry["Name"].rsplit("/", 1)[-1]: entry["Value"] for page in pages for entry in page["Parameters"]}


def task_arn(metadata_uri: str) -> str:
    """This task's ARN, from the metadata endpoint ECS gives every container."""
    answer: dict[str, Any] = requests.get(f"{metadata_uri}/task", timeout=5).json()
    return str(answer["TaskARN"])


# Which model a provider starts with when no setting names one.
DEFAULT_MODELS = {
    "anthropic": "claude-sonnet-4-5",
    "openai": "gpt-5.2",
    "openrouter": "openrouter/auto",
    "gemini": "gemini-2.5-flash",
    "deepseek": "deepseek-chat",
}


def provider(parameters: Mapping[str, str]) -> Provider:
    """The provider whose parameters are set; an OpenAI-compatible URL wins. Raises BadConfiguration."""
    model = parameters.get("model", "")
    url = parameters.get("openai-base-url", "")
    if url:
        return Provider("custom", model or "default", url, key=parameters.get("openai-api-key", "none"))
    for name, default in DEFAULT_MODELS.items():
        key = parameters.get(f"{name}-api-key", "")
        if key:
            return Provider(name, model or default, key=key)
    raise BadConfiguration("no model provider is configured")


def _need(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise BadConfiguration(f"the environment variable {name} is not set")
    return value

"""What a task is told: identity from RunTask, places and secrets from SSM, the rest from the image."""

import os
import secrets as tokens
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from bridge.shared.installed import installed
from bridge.shared.user import AgentUser
from chalicelib.platform import aws
from chalicelib.platform.secrets import Secrets
from chalicelib.providers.routes import NoProvider, Route, primary, routes
from chalicelib.telegram.api import DEFAULT_URL


class BadConfiguration(Exception):
    """The task cannot run as it was started."""


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
    routes: tuple[Route, ...]
    model: str
    secrets: Secrets = field(repr=False)
    agent: AgentUser = field(default_factory=AgentUser)
    backup_seconds: float = 2.5
    # To be gone 30 s after SIGTERM; the rest is for the snapshot and the last writes.
    turn_grace_seconds: float = 12.0
    rest_seconds: float = 60.0  # after a wake to which nobody wrote
    suspend_seconds: float = 0.0  # a MicroVM is suspended when nobody has needed it so long; 0: never, as on Fargate
    born: int = 0  # when it was told whom it is for, in ms
    push_local_url: str = ""  # the local stack's own push service
    clawhub_url: str = ""  # of another registry of skills than the public one
    telegram_url: str = DEFAULT_URL
    telegram_token: str = field(default="", repr=False)
    gateway_token: str = field(default_factory=lambda: tokens.token_urlsafe(32), repr=False)
    http_token: str = field(default_factory=lambda: tokens.token_urlsafe(32), repr=False)
    proxy_token: str = field(default_factory=lambda: tokens.token_urlsafe(32), repr=False)

    @property
    def state_dir(self) -> Path:
        return self.home / ".openclaw"


def load(env: Mapping[str, str] = os.environ) -> Config:
    """Read everything once, at the start. Raises BadConfiguration."""
    place = installed(env)
    secrets = Secrets(_need(env, "PARAMETER_PATH"))
    parameters = secrets.all()
    try:
        found = routes(parameters, aws.region(), env.get("BEDROCK") == "true", env.get("IPV6_ONLY") == "true")
    except NoProvider as error:
        raise BadConfiguration(str(error)) from None
    return Config(
        user_id=_need(env, "USER_ID"),
        generation=int(_need(env, "GENERATION")),
        task_arn=env.get("MICROVM_ID") or task_arn(_need(env, "ECS_CONTAINER_METADATA_URI_V4")),
        websocket_url=parameters.get("websocket-url", "") or _need(env, "WEBSOCKET_URL"),
        data_bucket=_need(env, "DATA_BUCKET"),
        home=place.home,
        node=place.node,
        openclaw=place.openclaw,
        compile_cache=place.compile_cache,
        gateway_port=int(env.get("OPENCLAW_PORT", "18789")),
        http_port=int(env.get("BRIDGE_PORT", "8080")),
        http_host=env.get("BRIDGE_HOST", "127.0.0.1"),
        routes=found,
        model=primary(found, parameters.get("model", "")),
        secrets=secrets,
        agent=place.agent,
        backup_seconds=float(env.get("BACKUP_SECONDS", "2.5")),
        turn_grace_seconds=float(env.get("TURN_GRACE_SECONDS", "12")),
        rest_seconds=float(env.get("WAKE_REST_SECONDS", "60")),
        suspend_seconds=float(env.get("SUSPEND_SECONDS", "60")) if env.get("RUNTIME") == "microvm" else 0.0,
        born=int(env.get("MICROVM_BORN", "0")),
        push_local_url=env.get("PUSH_LOCAL_URL", ""),
        clawhub_url=env.get("CLAWHUB_URL", ""),
        telegram_url=env.get("TELEGRAM_API_URL", "") or DEFAULT_URL,
        telegram_token=parameters.get("telegram-bot-token", ""),
    )


def task_arn(metadata_uri: str) -> str:
    """This task's ARN, from the metadata endpoint ECS gives every container."""
    answer: dict[str, Any] = requests.get(f"{metadata_uri}/task", timeout=5).json()
    return str(answer["TaskARN"])


def _need(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise BadConfiguration(f"the environment variable {name} is not set")
    return value

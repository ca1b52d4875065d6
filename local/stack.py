"""The whole system on loopback: started, joined and stopped in order. Tests use it like `make run`."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from chalicelib.agents.runtime import MICROVM
from chalicelib.platform.vapid import PRIVATE, SUBJECT, new_key, public_of
from chalicelib.telegram.api import BotApi
from chalicelib.telegram.webhook import SECRET, TOKEN, USERNAME
from local import microvms
from local.cloud.bridges import free_port
from local.loaded import module_list
from local.resources import (
    PARAMETER_PATH,
    REGION,
    STAGE,
    WAKE,
    Builder,
    Resources,
    aws_environment,
    provider_parameters,
)
from local.tools import Tools
from ops.telegram import connect

ROOT = Path(__file__).resolve().parent.parent
STARTUP_SECONDS = 60
TASKS_SECONDS = 40
Say = Callable[[str], None]
# What a task gets of the stack's own environment.
FOR_TASKS = ("AGENT_UID", "BACKUP_SECONDS", "TURN_GRACE_SECONDS", "WAKE_REST_SECONDS", "SUSPEND_SECONDS", "CLAWHUB_URL")


class StackError(Exception):
    """A part did not start. The message is shown at the terminal."""


@dataclass
class Part:
    """One child process that says in one JSON line that it is ready."""

    name: str
    process: "subprocess.Popen[str]"
    ready: dict[str, Any] = field(default_factory=dict)

    def wait_ready(self, log: Path) -> dict[str, Any]:
        """Its ready line. Raises StackError after STARTUP_SECONDS or when it ends."""
        assert self.process.stdout is not None
        timer = threading.Timer(STARTUP_SECONDS, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            raise StackError(f"the {self.name} did not start; its log is {log}")
        self.ready = json.loads(line)
        return self.ready

    def stop(self, seconds: float) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class Stack:
    """`data` keeps everything that survives; `port` is the one public port."""

    def __init__(self, data: Path, tools: Tools, port: int = 0, env: Mapping[str, str] | None = None) -> None:
        self._data = data
        self._tools = tools
        self._port = port or free_port()
        self._env = dict(env if env is not None else os.environ)
        self._parts: list[Part] = []
        self.resources: Resources | None = None
        self.cloud_url = ""
        self.internal_url = ""
        self.telegram_url = ""
        self.push_url = ""
        self.notice: str | None = None
        self._modules = ""
        self._engine: dict[str, str] = {}  # what the functions are told of an engine that is not Fargate

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self, say: Say = lambda _: None) -> None:
        """Start every part. Raises StackError, with nothing left running."""
        try:
            self._start(say)
        except BaseException:
            self.stop()
            raise

    def _start(self, say: Say) -> None:
        self._data.mkdir(parents=True, exist_ok=True, mode=0o700)
        say("starting the AWS stand-in")
        tasks = ["--tasks", self._env["LOCAL_TASKS"]] if "LOCAL_TASKS" in self._env else []
        totp = {"MOTO_COGNITO_IDP_USER_POOL_ENABLE_TOTP": "true"}  # without this moto accepts any authenticator code
        cloud = self._spawn("AWS stand-in", "local.cloud.server", ["--data", str(self._data), *tasks], totp, "cloud")
        self.cloud_url = f"http://127.0.0.1:{cloud['port']}"
        say("starting the demo model")
        demo = self._spawn("demo model", "local.demo_model", [], {}, "demo")
        parameters, self.notice = provider_parameters(self._env, f"http://127.0.0.1:{demo['port']}/v1")
        say("starting Telegram's stand-in")
        telegram = self._start_telegram()
        say("starting the push service's stand-in")
        self._start_push()
        self._modules = "" if self._ordinary() else str(module_list(self._tools, say))
        say("creating tables, users and the cluster")
        self.resources = self._build()
        say("starting the API")
        self._start_api()
        builder = Builder(self.cloud_url, self._data)
        if self._engine:
            microvms.wait(builder, self._engine)
        push = {PRIVATE: self._push_private, SUBJECT: "mailto:you@example.com"}
        builder.parameters(parameters | telegram | push | {"websocket-url": f"ws://127.0.0.1:{self._port}/ws"})
        requests.post(f"{self.cloud_url}/_local/subscribe", json={"url": f"{self.internal_url}/events"}, timeout=5)

    def _start_telegram(self) -> dict[str, str]:
        """Create a bot for this run and write its parameters."""
        token, secret = f"{secrets.randbelow(10**9) + 10**9}:{secrets.token_urlsafe(26)}", secrets.token_urlsafe(32)
        ready = self._spawn("Telegram", "local.telegram_api", [], {"LOCAL_TELEGRAM_TOKEN": token}, "telegram")
        self.telegram_url = f"http://127.0.0.1:{ready['port']}"
        name = connect(BotApi(token, self.telegram_url), f"{self.url}/api/telegram", secret)
        return {TOKEN: token, SECRET: secret, USERNAME: name}

    def _start_push(self) -> None:
        """A key for this run: like every secret here it is in memory only. A browser's page renews what it had."""
        ready = self._spawn("push service", "local.push_service", [], {}, "push")
        self.push_url, self._push_private = f"http://127.0.0.1:{ready['port']}", new_key()
        self.push_key = public_of(self._push_private)

    def _build(self) -> Resources:
        task = (
            aws_environment(self.cloud_url)
            | WAKE
            | {
                "PYTHONPATH": os.pathsep.join([*self._libraries(), str(ROOT), str(ROOT / "container")]),
                "PARAMETER_PATH": PARAMETER_PATH,
                "DATA_BUCKET": f"serverless-openclaw-{STAGE}-data",
                "TELEGRAM_API_URL": self.telegram_url,
                "PUSH_LOCAL_URL": self.push_url,
                "NODE_BINARY": str(self._tools.node),
                "OPENCLAW_ENTRY": str(self._tools.openclaw),
                "OPENCLAW_COMPILE_CACHE": str(ROOT / ".local" / "compile-cache"),
                "OPENCLAW_MODULES": self._modules,
            }
        )
        task |= {name: self._env[name] for name in FOR_TASKS if name in self._env}
        task |= self._clock("tasks")
        builder = Builder(self.cloud_url, self._data)
        if self._env.get("RUNTIME") == MICROVM:
            self._engine = microvms.build(builder, task)
        return builder.build(task)

    def _clock(self, whose: str) -> dict[str, str]:
        """A wall clock that can be moved, one for the tasks and one for all others (bench/clocks.py)."""
        folder = self._env.get("LOCAL_CLOCK")
        return {"LD_PRELOAD": f"{folder}/clock.so", "CLOCK_SHIFT": f"{folder}/{whose}"} if folder else {}

    def _ordinary(self) -> bool:
        """OpenClaw is not loaded before its start: a benchmark compares, or has something else in its place."""
        return "LOCAL_ORDINARY_START" in self._env or self._tools.openclaw.suffix != ".mjs"

    def _libraries(self) -> list[str]:
        """Where a task looks for packages first: a benchmark puts the image's own there."""
        return [self._env["LOCAL_TASK_LIBRARIES"]] if "LOCAL_TASK_LIBRARIES" in self._env else []

    def _start_api(self) -> None:
        assert self.resources is not None
        config = {
            "apiUrl": f"{self.url}/api",
            "websocketUrl": f"ws://127.0.0.1:{self._port}/ws",
            "region": REGION,
            "userPoolId": self.resources.pool_id,
            "userPoolClientId": self.resources.client_id,
            "cognitoEndpoint": f"{self.url}/cognito/",
            "selfSignUp": True,
            "telegramBot": "demo_bot",
            "pushKey": self.push_key,
            "notice": self.notice,
        }
        settings = {
            "config": config,
            "cognito": self.cloud_url,
            "log": str(self._data / "functions.log"),
            "idleSeconds": float(self._env.get("LOCAL_IDLE_SECONDS", "600")),
            "lifeSeconds": float(self._env.get("LOCAL_LIFE_SECONDS", "7200")),
            "watchdogSeconds": float(self._env.get("LOCAL_WATCHDOG_SECONDS", "300")),
        }
        functions = self.resources.function_environment("", "")
        functions |= {"TELEGRAM_API_URL": self.telegram_url, "TELEGRAM_LINK_URL": self.telegram_url}
        functions["PUSH_LOCAL_URL"] = self.push_url
        functions |= {"FIRST_WORDS": "true"} | self._engine
        passed = ("PREWARM_CRONS", "PREWARM_BUDGET_USD", "WAKES_PER_DAY", "FIRST_WORDS", "FIRST_WORDS_MODEL")
        functions |= {name: self._env[name] for name in passed if name in self._env}
        env = functions | {"LOCAL_API": json.dumps(settings)}
        ready = self._spawn("API", "local.api", ["--port", str(self._port)], env, "api")
        self.internal_url = f"http://127.0.0.1:{ready['internal']}"

    def _spawn(self, name: str, module: str, arguments: list[str], env: Mapping[str, str], log: str) -> dict[str, Any]:
        """Start a part with its own environment: nothing of the caller's but PATH and HOME."""
        inherited = {
            key: self._env[key]
            for key in ("PATH", "HOME", "LANG", "DEMO_TOOLS", "DEMO_PAUSE", "LOCAL_TASK_PREFIX", "TASK_START_SECONDS")
            if key in self._env
        }
        path = self._data / f"{log}.log"
        with open(path, "ab") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env=inherited | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | self._clock("world") | dict(env),
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                start_new_session=True,  # the parent handles Ctrl-C and stops the parts in order
            )
        part = Part(name, process)
        self._parts.append(part)
        return part.wait_ready(path)

    def failed(self) -> str | None:
        """The name of a part that ended by itself."""
        return next((part.name for part in self._parts if part.process.poll() is not None), None)

    def pids(self) -> dict[str, int]:
        """Process ids of the running tasks by ARN."""
        answer: dict[str, int] = requests.get(f"{self.cloud_url}/_local/pids", timeout=5).json()
        return answer

    def exits(self) -> dict[str, int]:
        """Exit status of the tasks that ended, by ARN."""
        answer: dict[str, int] = requests.get(f"{self.cloud_url}/_local/exits", timeout=5).json()
        return answer

    def mail(self) -> list[dict[str, str]]:
        """The e-mails that Cognito would have sent: `to`, `purpose`, `code`."""
        answer: list[dict[str, str]] = requests.get(f"{self.cloud_url}/_local/mail", timeout=5).json()
        return answer

    def stop(self) -> None:
        """Stop the tasks first: they save and hand over while the rest still works. Then clients before servers."""
        if self.internal_url:
            with contextlib.suppress(requests.RequestException):  # it is gone, and its tasks with it
                requests.post(f"{self.cloud_url}/_local/stop-tasks", timeout=TASKS_SECONDS)
        order = {"API": 0, "AWS stand-in": 1}
        for part in sorted(self._parts, key=lambda part: order.get(part.name, 2)):
            part.stop(30)
        self._parts.clear()

"""Starts OpenClaw, writes its configuration, watches its process."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from bridge.config import Config, Provider
from bridge.gateway import Gateway, GatewayClosed, GatewayError
from chalicelib import log

# The slowest start measured on this class of machine is 21 s; Fargate with a cold disk is slower.
START_SECONDS = 120
STOP_SECONDS = 10
KEY_VARIABLE = "MODEL_PROVIDER_KEY"
# Names of OpenClaw's own variables for the providers it knows without a configured entry.
KEY_NAMES = {
    "anthropic": "ANTHROPIC_API_KEY",
    "openai": "OPENAI_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "gemini": "GEMINI_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
}
MODEL_PREFIX = {"gemini": "google"}


def _die_with_parent() -> None:
    """Linux's PR_SET_PDEATHSIG: a Bridge that is killed leaves no OpenClaw behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


class NotReady(Exception):
    """OpenClaw did not say hello in time, or ended."""


def configuration(config: Config) -> dict[str, Any]:
    """openclaw.json: lean, loopback only, no secret in it (`${…}` is read from the environment)."""
    provider = config.provider
    prefix = MODEL_PREFIX.get(provider.name, provider.name)
    document: dict[str, Any] = {
        "gateway": {
            "mode": "local",
            "port": config.gateway_port,
            "bind": "loopback",
            "auth": {"mode": "token"},
            "controlUi": {"enabled": False},
        },
        "plugins": {"enabled": False},
        "cron": {"enabled": False},
        "discovery": {"mdns": {"mode": "off"}},
        "update": {"checkOnStart": False},
        "agents": {"defaults": {"model": {"primary": f"{prefix}/{provider.model}"}, "heartbeat": {"every": "0m"}}},
    }
    if provider.base_url:
        document["models"] = {"mode": "merge", "providers": {provider.name: _custom(provider)}}
    return document


def _custom(provider: Provider) -> dict[str, Any]:
    free = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}
    model = {
        "id": provider.model,
        "name": provider.model,
        "reasoning": False,
        "input": ["text", "image"],
        "cost": free,
        "contextWindow": 128_000,
        "maxTokens": 8192,
    }
    key = "${" + KEY_VARIABLE + "}"
    return {"baseUrl": provider.base_url, "apiKey": key, "api": provider.api, "models": [model]}


def environment(config: Config) -> dict[str, str]:
    """All that OpenClaw's process is given: a new environment, nothing inherited but the path."""
    key_name = KEY_VARIABLE if config.provider.base_url else KEY_NAMES[config.provider.name]
    return {
        "PATH": os.path.dirname(config.node) + os.pathsep + "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(config.home),
        "LANG": "C.UTF-8",
        "OPENCLAW_STATE_DIR": str(config.state_dir),
        "OPENCLAW_GATEWAY_TOKEN": config.gateway_token,
        "OPENCLAW_NO_RESPAWN": "1",
        "OPENCLAW_SKIP_CHANNELS": "1",
        "OPENCLAW_DISABLE_BONJOUR": "1",
        "NODE_COMPILE_CACHE": config.compile_cache,
        # Else the launcher starts a second process to move this cache, and our signals miss the gateway.
        "OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED": "1",
        "NO_COLOR": "1",
        key_name: config.provider.key,
    }


class OpenClaw:
    """One OpenClaw process and the one gateway connection to it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.on_stray: Callable[[dict[str, Any]], None] = lambda _: None
        self._process: subprocess.Popen[bytes] | None = None
        self.gateway: Gateway | None = None

    def start(self) -> Gateway:
        """Start the process and connect until it says hello. Raises NotReady."""
        agent = self._config.agent
        agent.own(self._config.home)
        agent.write(self._config.state_dir / "openclaw.json", json.dumps(configuration(self._config), indent=1))
        command = [self._config.node, self._config.openclaw, "gateway", "run", "--bind", "loopback"]
        command += ["--port", str(self._config.gateway_port), "--auth", "token"]
        self._process = subprocess.Popen(
            agent.command(command),
            env=environment(self._config),
            cwd=self._config.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        threading.Thread(target=self._drain_output, args=(self._process,), name="openclaw-log", daemon=True).start()
        self.gateway = self._connect()
        return self.gateway

    def _connect(self) -> Gateway:
        deadline = time.monotonic() + START_SECONDS
        url = f"ws://127.0.0.1:{self._config.gateway_port}"
        while time.monotonic() < deadline:
            if not self.alive():
                raise NotReady(f"OpenClaw ended with status {self.exit_code()}")
            gateway = Gateway(url, self._config.gateway_token, lambda frame: self.on_stray(frame))
            wait = 0.1
            try:
                gateway.connect()
                return gateway
            except GatewayClosed:
                pass
            except GatewayError as error:
                if error.retry_after_ms is None:
                    raise NotReady(str(error)) from None
                wait = error.retry_after_ms / 1000
            gateway.close()
            time.sleep(min(wait, 1.0))
        raise NotReady(f"OpenClaw was not ready in {START_SECONDS} s")

    def reconnect(self) -> Gateway:
        """After the link or the process ended: a connection to a live process again. Raises NotReady."""
        if self.alive():
            try:
                self.gateway = self._connect()
                return self.gateway
            except NotReady:
                self.stop()
        log.event("openclaw_restart", exit_code=self.exit_code())
        return self.start()

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def exit_code(self) -> int | None:
        return self._process.returncode if self._process is not None else None

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after STOP_SECONDS."""
        if self.gateway is not None:
            self.gateway.close()
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()

    def kill(self) -> None:
        """SIGKILL to the gateway and what its tools left in its process group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _drain_output(self, process: "subprocess.Popen[bytes]") -> None:
        """Keep the pipe empty. OpenClaw's own lines may hold text, so only their level is counted."""
        assert process.stdout is not None
        debug = os.environ.get("OPENCLAW_LOG_FILE")
        with open(debug or os.devnull, "ab") as copy:
            for line in process.stdout:
                copy.write(line)
                copy.flush()
        process.stdout.close()

"""The real OpenClaw without our code, and a minimal client for it."""

import contextlib
import json
import os
import secrets
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import websocket

from bridge.openclaw.tools import policy
from local import tools
from local.cloud.bridges import free_port
from local.stack import ROOT

Json = dict[str, Any]
READY_SECONDS = 120
ANSWER_SECONDS = 60
SCOPES = ["operator.read", "operator.write", "operator.admin"]


def configuration(port: int, model_url: str) -> Json:
    """What the container's starts with, tools, plugins and automations too; with the model reached directly."""
    free = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}
    model = {"id": "bench", "name": "bench", "reasoning": False, "input": ["text", "image"], "cost": free}
    model |= {"contextWindow": 128_000, "maxTokens": 8192}
    provider = {"baseUrl": model_url, "apiKey": "${MODEL_PROVIDER_KEY}", "api": "openai-completions"}
    return {
        "gateway": {
            "mode": "local",
            "port": port,
            "bind": "loopback",
            "auth": {"mode": "token"},
            "controlUi": {"enabled": False},
        },
        **policy(("custom",)),
        "cron": {"enabled": True},
        "discovery": {"mdns": {"mode": "off"}},
        "update": {"checkOnStart": False},
        "agents": {"defaults": {"model": {"primary": "custom/bench"}, "heartbeat": {"every": "0m"}}},
        "models": {"mode": "merge", "providers": {"custom": provider | {"models": [model]}}},
    }


class Bare:
    """One gateway process. `started` is the time of time.monotonic at which it was."""

    def __init__(self, home: Path, model_url: str) -> None:
        found, self.port, self.token = tools.find(), free_port(), secrets.token_urlsafe(16)
        state = home / ".openclaw"
        state.mkdir(parents=True)
        (state / "openclaw.json").write_text(json.dumps(configuration(self.port, model_url)))
        env = {
            "PATH": f"{found.node.parent}{os.pathsep}/usr/local/bin:/usr/bin:/bin",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "OPENCLAW_STATE_DIR": str(state),
            "OPENCLAW_GATEWAY_TOKEN": self.token,
            "OPENCLAW_NO_RESPAWN": "1",
            "OPENCLAW_SKIP_CHANNELS": "1",
            "OPENCLAW_DISABLE_BONJOUR": "1",
            "OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED": "1",
            "NODE_COMPILE_CACHE": str(ROOT / ".local" / "compile-cache"),
            "NO_COLOR": "1",
            "MODEL_PROVIDER_KEY": "none",
        }
        command = [str(found.node), str(found.openclaw), "gateway", "run", "--bind", "loopback"]
        self.started = time.monotonic()
        with open(home / "openclaw.log", "wb") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port), "--auth", "token"],
                env=env,
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def client(self) -> "BareClient":
        """Connected, once it says hello. Raises RuntimeError after READY_SECONDS or when it ended."""
        while time.monotonic() - self.started < READY_SECONDS:
            if self._process.poll() is not None:
                raise RuntimeError(f"the bare gateway ended with {self._process.returncode}")
            with contextlib.suppress(OSError, websocket.WebSocketException):
                client = BareClient(self.port, self.token)
                if client.hello:
                    return client
                client.socket.close()
            time.sleep(0.02)
        raise RuntimeError("the bare gateway did not say hello")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class BareClient:
    """Handshake and turns, frame by frame; all frames of a turn with when they came."""

    def __init__(self, port: int, token: str) -> None:
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}", timeout=ANSWER_SECONDS, suppress_origin=True
        )
        self.socket.recv()  # the challenge; loopback needs no answer to it
        about = {"id": "gateway-client", "version": "1.0.0", "platform": "linux", "mode": "backend"}
        params = {"minProtocol": 3, "maxProtocol": 4, "client": about, "role": "operator", "scopes": SCOPES}
        more = {"caps": ["tool-events"], "auth": {"token": token}, "locale": "en-US", "userAgent": "bench"}
        self.hello = bool(self.request("connect", params | more).get("ok"))

    def request(self, method: str, params: Json) -> Json:
        wanted = uuid.uuid4().hex
        self.socket.send(json.dumps({"type": "req", "id": wanted, "method": method, "params": params}))
        while True:
            frame: Json = json.loads(self.socket.recv())
            if frame.get("type") == "res" and frame.get("id") == wanted:
                return frame

    def turn(self, text: str, session: str = "main") -> Iterator[tuple[float, Json]]:
        """The events of one turn until its end, each with the time at which it came."""
        key = uuid.uuid4().hex
        params = {"sessionKey": session, "message": text, "idempotencyKey": key}
        self.socket.send(json.dumps({"type": "req", "id": key, "method": "chat.send", "params": params}))
        while True:
            frame: Json = json.loads(self.socket.recv())
            at = time.monotonic()
            if (frame.get("payload") or {}).get("runId") != key or frame.get("type") != "event":
                continue
            yield at, frame
            if frame["event"] == "chat" and frame["payload"].get("state") in ("final", "aborted", "error"):
                return


def text_of(frame: Json) -> str:
    """The text so far, as far as a frame says it."""
    payload = frame["payload"]
    if frame["event"] == "agent":
        return str((payload.get("data") or {}).get("text", "")) if payload.get("stream") == "assistant" else ""
    content = (payload.get("message") or {}).get("content") or []
    return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))

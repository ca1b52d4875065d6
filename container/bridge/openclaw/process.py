"""Starts OpenClaw, writes its configuration, watches its process."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bridge.config import Config
from bridge.openclaw.config import KEYED, NO_HEARTBEAT, TOKEN_VARIABLE, Json, document, merged
from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from chalicelib.platform import log

# The slowest start measured on this class of machine is 21 s; Fargate with a cold disk is slower.
START_SECONDS = 120
STOP_SECONDS = 10
# Where OpenClaw's configuration has the user's settings.
Place = tuple[str, ...]
ZONE: Place = ("agents", "defaults", "userTimezone")
HEARTBEAT: Place = ("agents", "defaults", "heartbeat")
MODE: Place = ("tools", "exec", "mode")
FULL = "full"  # commands run without approval


def _die_with_parent() -> None:
    """Linux's PR_SET_PDEATHSIG: a Bridge that is killed leaves no OpenClaw behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


def _nested(values: dict[Place, Any]) -> Json:
    """A patch of the configuration."""
    patch: Json = {}
    for place, value in values.items():
        inner = patch
        for name in place[:-1]:
            inner = inner.setdefault(name, {})
        inner[place[-1]] = value
    return patch


class NotReady(Exception):
    """OpenClaw did not say hello in time, or ended."""


def environment(config: Config) -> dict[str, str]:
    """All that OpenClaw's process is given: a new environment, nothing inherited but the path."""
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
        TOKEN_VARIABLE: config.proxy_token,
        **{KEYED[route.id]: config.proxy_token for route in config.routes if route.id in KEYED},
    }


class OpenClaw:
    """One OpenClaw process and the one gateway connection to it."""

    def __init__(self, config: Config, proxy_url: str) -> None:
        self._config = config
        self.proxy_url = proxy_url
        self.default_model = config.model
        self.not_wanted: Callable[[], bool] = lambda: False  # whether this task was told to stop
        self.on_stray: Callable[[dict[str, Any]], None] = lambda _: None
        self.before_start: Callable[[], None] = lambda: None  # while nobody uses the state
        self.on_event: Callable[[dict[str, Any]], None] = lambda _: None
        self.on_connected: Callable[[Gateway], None] = lambda _: None
        self.zone: Callable[[], str | None] = lambda: None  # the user's time zone, if it is known
        self.heartbeat: Callable[[], Json] = lambda: dict(NO_HEARTBEAT)  # the user's
        self.permission: Callable[[], str] = lambda: FULL  # whether commands need the person's approval
        self._told = self._wanted()  # the settings of the user that the process has
        self._telling = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.RLock()  # several turns notice the same crash
        # Linux takes the thread that starts a process for its parent (PR_SET_PDEATHSIG): a turn's thread ends too soon.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="openclaw-starter")
        self.gateway: Gateway | None = None

    def start(self) -> Gateway:
        """Start the process and connect until it says hello. Raises NotReady.

        A stored configuration that this version refuses is put aside: an agent without some of its
        settings is better than none.
        """
        with self._starting:
            return self._start()

    def replace_files(self, work: Callable[[], None]) -> Gateway:
        """Stop, let `work` replace the state directory, start on it. Nobody starts it meanwhile. Raises NotReady."""
        with self._starting:
            self.stop()
            work()
            return self._start()

    def _start(self) -> Gateway:
        self.stop()  # a second one would not get the port
        agent, file = self._config.agent, self._config.state_dir / "openclaw.json"
        agent.own(self._config.home)
        self.before_start()
        told = self._wanted()
        choices = self.zone(), told[HEARTBEAT], told[MODE]
        stored, ours = agent.read(file), document(self._config, self.proxy_url, *choices)
        self._told = told
        try:
            return self._launch(merged(stored, ours))
        except NotReady:
            if stored is None or self.alive() or (self.exit_code() or 0) < 1:
                raise
        log.event("stored_configuration_refused", exit_code=self.exit_code())
        agent.write(file.with_name("openclaw.json.refused"), stored)
        return self._launch(merged(None, ours))

    def _launch(self, configuration: Json) -> Gateway:
        agent = self._config.agent
        agent.write(self._config.state_dir / "openclaw.json", json.dumps(configuration, indent=1))
        command = [self._config.node, self._config.openclaw, "gateway", "run", "--bind", "loopback"]
        command += ["--port", str(self._config.gateway_port), "--auth", "token"]
        self._process = self._starter.submit(self._spawn, agent.command(command, self._config.home)).result()
        threading.Thread(target=self._drain_output, args=(self._process,), name="openclaw-log", daemon=True).start()
        self.gateway = self._connect()
        return self.gateway

    def _spawn(self, command: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            env=environment(self._config),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )

    def _connect(self) -> Gateway:
        deadline = time.monotonic() + START_SECONDS
        url = f"ws://127.0.0.1:{self._config.gateway_port}"
        while time.monotonic() < deadline:
            if not self.alive():
                raise NotReady(f"OpenClaw ended with status {self.exit_code()}")
            if self.not_wanted():
                raise NotReady("told to stop")
            heard = (lambda frame: self.on_stray(frame)), (lambda frame: self.on_event(frame))
            gateway = Gateway(url, self._config.gateway_token, *heard)
            wait = 0.1
            try:
                gateway.connect()
                self.on_connected(gateway)
                return gateway
            except GatewayClosed:
                pass
            except GatewayError as error:
                if error.code != "TIMEOUT" and error.retry_after_ms is None:
                    raise NotReady(str(error)) from None
                wait = (error.retry_after_ms or 100) / 1000
            gateway.close()
            time.sleep(min(wait, 1.0))
        raise NotReady(f"OpenClaw was not ready in {START_SECONDS} s")

    def reconnect(self, lost: Gateway | None = None) -> Gateway:
        """After the link or the process ended: a connection to a live process again. Raises NotReady.

        `lost`: the connection that the caller saw end; another caller may have a new one by now.
        """
        with self._starting:
            if self.gateway is not None and self.gateway is not lost and not self.gateway.closed.is_set():
                return self.gateway
            return self._reconnect()

    def _reconnect(self) -> Gateway:
        if self.alive():
            try:
                self.gateway = self._connect()
                return self.gateway
            except NotReady:
                self.stop()
        log.event("openclaw_restart", exit_code=self.exit_code())
        return self.start()

    def _wanted(self) -> dict[Place, Any]:
        """The user's settings that are OpenClaw's too, by their place in its configuration."""
        zone = self.zone()
        known: dict[Place, Any] = {HEARTBEAT: self.heartbeat(), MODE: self.permission()}
        return known | ({ZONE: zone} if zone is not None else {})

    def follow_settings(self) -> None:
        """Give the running process the user's settings of now. Returns at once if it has them, else after 0.2 s.

        Raises GatewayError or GatewayClosed if it cannot be told that commands need approval: without that, no
        message may be sent. Other settings that it does not take are tried again with the next message.
        """
        with self._telling:
            wanted, gateway = self._wanted(), self.gateway
            new = {place: value for place, value in wanted.items() if value != self._told.get(place)}
            if not new or gateway is None:
                return
            try:
                self._patch(gateway, new)
            except (GatewayError, GatewayClosed) as error:
                log.event("settings_untold", reason=type(error).__name__)
                if new.get(MODE, FULL) != FULL:
                    raise
                return
            self._told |= new

    @staticmethod
    def _patch(gateway: Gateway, new: dict[Place, Any]) -> None:
        """Once more if another writer changed the configuration in between."""
        for last in (False, True):
            known = gateway.request("config.get", {})
            try:
                gateway.request("config.patch", {"raw": json.dumps(_nested(new)), "baseHash": known["hash"]})
                return
            except GatewayError:
                if last:
                    raise

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
        self._config.agent.signal(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()

    def kill(self) -> None:
        """SIGKILL to the gateway and what its tools left in its process group."""
        if self._process is not None:
            self._config.agent.signal(-self._process.pid, signal.SIGKILL)

    def _drain_output(self, process: "subprocess.Popen[bytes]") -> None:
        """Keep the pipe empty. OpenClaw's own lines may hold text: only the local stack keeps them."""
        assert process.stdout is not None
        debug = os.environ.get("OPENCLAW_LOG_FILE")
        with open(debug or os.devnull, "ab") as copy:
            for line in process.stdout:
                copy.write(line)
                copy.flush()
        process.stdout.close()

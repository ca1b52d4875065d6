"""Starts OpenClaw, writes its configuration, watches its process."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bridge.config import Config
from bridge.openclaw.config import KEYED, NO_HEARTBEAT, TOKEN_VARIABLE, Json, document, merged, servers
from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from bridge.openclaw.loading import Loading, begin, facts
from bridge.shared.children import die_with_parent, drain_output
from bridge.shared.installed import installed
from bridge.shared.ports import taken
from chalicelib.platform import log

# The slowest start measured on this class of machine is 21 s; Fargate with a cold disk is slower.
START_SECONDS = 120
# While it starts, it asks us to come back in half a second, and is ready after a tenth of one.
LOOK_SECONDS = 0.03
STOP_SECONDS = 10
# Where OpenClaw's configuration has the user's settings.
Place = tuple[str, ...]
ZONE: Place = ("agents", "defaults", "userTimezone")
HEARTBEAT: Place = ("agents", "defaults", "heartbeat")
MODE: Place = ("tools", "exec", "mode")
SERVERS: Place = ("mcp", "servers")
FULL = "full"  # commands run without approval


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
        **facts(config.node, config.home, config.compile_cache),
        "OPENCLAW_STATE_DIR": str(config.state_dir),
        "OPENCLAW_GATEWAY_TOKEN": config.gateway_token,
        TOKEN_VARIABLE: config.proxy_token,
        **({"OPENCLAW_CLAWHUB_URL": config.clawhub_url} if config.clawhub_url else {}),
        **{KEYED[route.id]: config.proxy_token for route in config.routes if route.id in KEYED},
    }


class OpenClaw:
    """One OpenClaw process and the one gateway connection to it."""

    def __init__(self, config: Config, proxy_url: str, loading: Loading | None = None) -> None:
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
        self.servers: Callable[[], dict[str, str]] = dict  # the ids of the user's MCP servers, by name
        self._told = self._wanted()  # the settings of the user that the process has
        self._telling = threading.Lock()
        self._loading: Loading | None = None  # for the next start; others are ordinary
        self._take(loading)
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.RLock()  # several turns notice the same crash
        # Linux takes the thread that starts a process for its parent (PR_SET_PDEATHSIG): a turn's thread ends too soon.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="openclaw-starter")
        self.gateway: Gateway | None = None
        self.restarts = 0  # after it had ended or hung

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
        ours |= _nested({place: entry for place, entry in told.items() if place[:2] == SERVERS})
        try:
            return self._launch(merged(stored, ours))
        except NotReady:
            if stored is None or self.alive() or (self.exit_code() or 0) < 1 or taken(self._config.gateway_port):
                raise
        log.event("stored_configuration_refused", exit_code=self.exit_code())
        agent.write(file.with_name("openclaw.json.refused"), stored)
        return self._launch(merged(None, ours))

    def _launch(self, configuration: Json) -> Gateway:
        agent = self._config.agent
        agent.write(self._config.state_dir / "openclaw.json", json.dumps(configuration, indent=1))
        arguments = ["gateway", "run", "--bind", "loopback"]
        arguments += ["--port", str(self._config.gateway_port), "--auth", "token"]
        if gateway := self._launch_loaded(arguments):
            return gateway
        command = agent.command([self._config.node, self._config.openclaw, *arguments], self._config.home)
        self._process = self._starter.submit(self._spawn, command).result()
        threading.Thread(target=drain_output, args=(self._process,), name="openclaw-log", daemon=True).start()
        self.gateway = self._connect()
        return self.gateway

    def _launch_loaded(self, arguments: list[str]) -> Gateway | None:
        """Start the process that has loaded its modules; None when an ordinary start has to do. Raises NotReady."""
        loading, self._loading = self._loading, None
        self._process = loading.start(environment(self._config), arguments) if loading is not None else None
        if self._process is None:
            if self.not_wanted():
                raise NotReady("told to stop")
            return None
        try:
            self.gateway = self._connect()
        except NotReady as error:
            if self.not_wanted() or self.alive():
                raise  # one that lives was given as long as any: it may be changing a state of an older version
            log.event("loader_failed", reason=str(error))
            self.stop()
            return None
        return self.gateway

    def _take(self, loading: Loading | None) -> None:
        self._loading = loading
        if loading is not None:
            loading.not_wanted = lambda: self.not_wanted()

    def load(self) -> None:
        """Have a second process load the modules for the next start. Returns at once."""
        self._take(self._starter.submit(begin, installed()).result())

    def unload(self) -> None:
        """There will be no next start soon: give its memory back."""
        loading, self._loading = self._loading, None
        if loading is not None:
            loading.discard()

    def drop(self) -> None:
        """End it at once, with what it knows: it has worked for nobody."""
        if self.alive():
            self.kill()
            self.stop()

    def _spawn(self, command: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            env=environment(self._config),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
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
            try:
                gateway.connect()
                self.on_connected(gateway)
                return gateway
            except GatewayClosed:
                pass
            except GatewayError as error:
                if error.code != "TIMEOUT" and error.retry_after_ms is None:
                    raise NotReady(str(error)) from None
            gateway.close()
            time.sleep(LOOK_SECONDS)
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
        self.restarts += 1
        log.event("openclaw_restart", exit_code=self.exit_code())
        return self.start()

    def _wanted(self) -> dict[Place, Any]:
        """The user's settings that are OpenClaw's too, by their place in its configuration."""
        zone = self.zone()
        known: dict[Place, Any] = {HEARTBEAT: self.heartbeat(), MODE: self.permission()}
        known |= {(*SERVERS, name): entry for name, entry in servers(self.servers(), self.proxy_url).items()}
        return known | ({ZONE: zone} if zone is not None else {})

    def follow_settings(self) -> None:
        """Give the running process the user's settings of now. Returns at once if it has them, else after 0.2 s.

        Raises GatewayError or GatewayClosed if it cannot be told that commands need approval: without that, no
        message may be sent. Other settings that it does not take are tried again with the next message.
        """
        with self._telling:
            wanted, gateway = self._wanted(), self.gateway
            new = {place: value for place, value in wanted.items() if value != self._told.get(place)}
            new |= {place: None for place in self._told if place[:2] == SERVERS and place not in wanted}
            if not new or gateway is None:
                return
            try:
                self._patch(gateway, new)
            except (GatewayError, GatewayClosed) as error:
                log.event("settings_untold", reason=type(error).__name__)
                if new.get(MODE, FULL) != FULL:
                    raise
                return
            self._told = {place: value for place, value in (self._told | new).items() if value is not None}

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

"""A MicroVM's life: loaded without an owner, told whom it is for, suspended and resumed, ended.

The image is a snapshot of this process after `ready`. So nothing secret or unique exists by then: no token, no
parameter, no user, and no number of a random generator that anybody uses for secrets.
"""

import json
import os
import random
import signal
import ssl
import sys
import threading
import time
from collections.abc import Mapping

from bridge.agent import Agent
from bridge.hooks import BadHook, Hooks, Json
from bridge.openclaw.loading import Loading
from bridge.shared.installed import installed
from bridge.task import run
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms
from chalicelib.platform.signals import on_signals
from chalicelib.wire.protocol import number_in

# `terminate` may take 50 s (cdk/microvm_image.py): the hand-over is awaited a little shorter.
END_SECONDS = 45.0


def live(loading: Loading | None, env: Mapping[str, str] = os.environ) -> int:
    """Serve the hooks, and be a task from `run` on. The exit status."""
    machine = MicroVm(loading)
    on_signals(lambda _: machine.stop.set(), signal.SIGTERM, signal.SIGINT)
    address = env.get("HOOKS_HOST", "0.0.0.0"), int(env.get("HOOKS_PORT", "9000"))  # noqa: S104  the hooks come in there
    server = Hooks(address, machine.hooks, installed(env).agent.uid)
    threading.Thread(target=server.serve_forever, name="hooks", daemon=True).start()
    try:
        return machine.live(env)
    finally:
        machine.over.set()
        server.shutdown()


class MicroVm:
    """The hooks' work. Each may be called more than once; only the first `run` counts."""

    def __init__(self, loading: Loading | None) -> None:
        self._loading = loading
        self._loaded = threading.Event()
        self._given: dict[str, str] | None = None
        self._born = 0
        self._wanted = threading.Condition()
        self._agent: Agent | None = None
        self.stop = threading.Event()
        self.over = threading.Event()
        self.hooks = {
            "ready": self.ready,
            "validate": self.ready,
            "run": self.run,
            "suspend": self.suspend,
            "resume": self.resume,
            "terminate": self.terminate,
        }
        threading.Thread(target=self._load, name="ready", daemon=True).start()

    def _load(self) -> None:
        if self._loading is not None and not self._loading.wait():
            log.event("not_loaded")  # an ordinary start has to do
        self._loaded.set()

    def ready(self, _: Json) -> bool:
        """Whether OpenClaw's modules are loaded; the Bridge's own are, or nobody would answer."""
        return self._loaded.is_set()

    def run(self, body: Json) -> bool:
        """Whom it is for. The start itself takes longer than a hook may, and is followed in the row."""
        given = identity(body)
        new_numbers()
        with self._wanted:
            if self._given not in (None, given):
                raise BadHook("it is somebody's already")
            self._given = given
            self._born = self._born or now_ms()
            self._wanted.notify_all()
        return True

    def suspend(self, _: Json) -> bool:
        agent = self._agent
        return agent is not None and agent.suspending is not None and agent.suspending.may_freeze()

    def resume(self, _: Json) -> bool:
        """Its lease decides whether it goes on; if not, it ends by itself."""
        new_numbers()
        if self._agent is not None and self._agent.suspending is not None:
            self._agent.suspending.thawed()
        return True

    def terminate(self, _: Json) -> bool:
        """Hand over, as on SIGTERM."""
        self.stop.set()
        with self._wanted:
            self._wanted.notify_all()
        self.over.wait(END_SECONDS)
        return True

    def live(self, env: Mapping[str, str]) -> int:
        """Wait for `run`, then be that task."""
        with self._wanted:
            while self._given is None and not self.stop.is_set():
                self._wanted.wait(1.0)
        if self._given is None:
            return 0
        if not is_closed(env):
            log.event("metadata_open", user=self._given["USER_ID"])
            return 2
        begun = time.monotonic()
        status = run(self._loading, {**env, **self._given, "MICROVM_BORN": str(self._born)}, self.stop, self._lives)
        log.event("machine_over", status=status, seconds=round(time.monotonic() - begun))
        return status

    def _lives(self, agent: Agent) -> None:
        self._agent = agent


def new_numbers() -> None:
    """The snapshot's are everybody's. Python's secrets come from the kernel; TLS has a generator of its own."""
    random.seed()
    ssl.RAND_add(os.urandom(48), 48.0)


def is_closed(env: Mapping[str, str]) -> bool:
    """Whether the agent's user cannot ask the metadata service for the role's credentials (container/microvm).

    Without the program that closes it no agent is run: METADATA_OPEN is for a machine where there is no such service.
    """
    program = env.get("METADATA_CLOSED")
    if program is None:
        return "METADATA_OPEN" in env
    try:
        return installed(env).agent.run([sys.executable, program, "check"]).returncode == 0
    except TimeoutError:
        return False


def identity(body: Json) -> dict[str, str]:
    """What a task of ECS has in its environment. Raises BadHook."""
    try:
        payload = json.loads(body["runHookPayload"])
        user, generation, name = payload["userId"], payload["generation"], body["microvmId"]
    except (KeyError, ValueError, TypeError):
        raise BadHook("run needs microvmId, and runHookPayload with userId and generation") from None
    if not (isinstance(user, str) and user and isinstance(name, str) and name):
        raise BadHook("userId and microvmId must be texts")
    if number_in(str(generation)) is None:
        raise BadHook("generation must be a whole number")
    return {"USER_ID": user, "GENERATION": str(generation), "MICROVM_ID": name}

"""A process that has loaded OpenClaw's modules before it is known for whom: it becomes the gateway at its start.

Loading takes about as long as all the rest of OpenClaw's start. Here it runs beside the imports of the Bridge and
the restore of the memory, and in a prewarmed container once more before anybody comes. The process has no state
directory, token or key until it starts. Starts after a crash are ordinary ones.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bridge.shared.children import die_with_parent, drain_output
from bridge.shared.installed import Installed
from bridge.shared.user import CannotSwitch
from chalicelib.platform import log

LOADER = str(Path(__file__).with_name("loader.mjs"))
# From the process's start. Here it takes 2 s; a quarter of a CPU and a cold disk make 20 of it.
LOAD_SECONDS = 60.0
LOOK_SECONDS = 0.2


def facts(node: str, home: Path, compile_cache: str) -> dict[str, str]:
    """What OpenClaw's environment has that is the same for every user of the image."""
    return {
        "PATH": os.path.dirname(node) + os.pathsep + "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "OPENCLAW_NO_RESPAWN": "1",
        "OPENCLAW_SKIP_CHANNELS": "1",
        "OPENCLAW_DISABLE_BONJOUR": "1",
        "NODE_COMPILE_CACHE": compile_cache,
        # Else the launcher starts a second process to move this cache, and our signals miss the gateway.
        "OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED": "1",
        "NO_COLOR": "1",
    }


class Loading:
    """One process that loads, and then starts or is discarded."""

    def __init__(self, place: Installed, seconds: float = LOAD_SECONDS, copied: bool = False) -> None:
        """Start it. Call this in a thread that lives as long as the process. Raises OSError, CannotSwitch.

        `copied`: the machine may be copied before the start, and each copy needs random numbers of its own.
        """
        self._place, self._copied = place, copied
        self._deadline = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair()
        try:
            place.agent.own(place.home)
            self._process = self._spawn(theirs.fileno())
        except BaseException:
            self._channel.close()
            raise
        finally:
            theirs.close()
        threading.Thread(target=drain_output, args=(self._process,), name="openclaw-log", daemon=True).start()
        self._loaded: bool | None = None  # None: not known yet
        self.not_wanted: Callable[[], bool] = lambda: False  # whether this task was told to stop

    def _spawn(self, descriptor: int) -> "subprocess.Popen[bytes]":
        place = self._place
        command = [place.node, LOADER, place.modules, place.openclaw, str(descriptor)]
        command += ["copied"] if self._copied else []
        return subprocess.Popen(
            place.agent.command(command, place.home),
            env=facts(place.node, place.home, place.compile_cache),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[descriptor],
            start_new_session=True,
            preexec_fn=die_with_parent,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self) -> bool:
        """Whether it has loaded everything; if not, it is gone and the log says why."""
        with self._lock:
            if self._loaded is None:
                reason = self._hear()
                self._loaded = reason is None
                if reason is not None:
                    self._end()
                    if not self.not_wanted():
                        log.event("loader_failed", reason=reason)
            return self._loaded

    def _hear(self) -> str | None:
        """What is wrong, if anything."""
        said = b""
        self._channel.settimeout(LOOK_SECONDS)
        while not said.endswith(b"\n"):
            try:
                part = self._channel.recv(4096)
            except TimeoutError:
                if self.not_wanted():
                    return "told to stop"
                if time.monotonic() > self._deadline:
                    return "not loaded in time"
                continue
            except OSError as error:
                return type(error).__name__
            if not part:
                return "ended"
            said += part
        return _wrong_with(said)

    def start(self, environment: Mapping[str, str], arguments: list[str]) -> "subprocess.Popen[bytes] | None":
        """The process as the gateway; None when it cannot be had. At most once."""
        if not self.wait():
            return None
        with self._lock:
            self._loaded = False
            start = {"environment": dict(environment), "arguments": arguments}
            try:
                self._channel.settimeout(5)
                self._channel.sendall(json.dumps(start).encode() + b"\n")
            except OSError as error:
                log.event("loader_failed", reason=type(error).__name__)
                self._end()
                return None
            self._channel.close()
            return self._process

    def discard(self) -> None:
        """End it if it did not start: there is no state to save. No effect on a gateway."""
        with self._lock:
            if self._loaded is not False:
                self._loaded = False
                self._end()

    def _end(self) -> None:
        self._channel.close()
        if self._process.poll() is None:
            self._place.agent.signal(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)


def _wrong_with(said: bytes) -> str | None:
    """What the process itself says."""
    try:
        answer = json.loads(said)
    except ValueError:
        return "not understood"
    return None if answer.get("loaded") else str(answer.get("refused"))


def begin(place: Installed, copied: bool = False) -> Loading | None:
    """Begin to load, where there is a list of what to load. The caller's thread must not end before the process."""
    try:
        return Loading(place, copied=copied) if os.path.exists(place.modules) else None
    except (OSError, CannotSwitch) as error:
        log.event("loader_failed", reason=type(error).__name__)
        return None

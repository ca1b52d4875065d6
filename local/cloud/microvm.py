"""Lambda MicroVMs on this machine: each one is a process of the real entry point that is stopped and goes on.

An image's snapshot is a process that has loaded everything and says `ready`; a machine is one of these, which gets
its hook `run`. Suspended means SIGSTOP and no connection to the outside (freezing.py). As documented: a hook that
fails or takes too long ends the machine; running and suspended together it lives no longer than it was asked for;
whoever suspends or resumes in another state gets a conflict. Assumed: a machine ends when its main process ends.
"""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen
from typing import Any

import requests

from local.cloud import freezing
from local.cloud.bridges import Starter, end, free_port

Json = dict[str, Any]
HOOKS = "/aws/lambda-microvms/runtime/v1/"
VERSION = "1"
POLL_SECONDS = 0.05
NOT_FOUND, CONFLICT = "ResourceNotFoundException", "ConflictException"


class Refused(Exception):
    """An error of the service's: `code` is one of its exceptions."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class HookFailed(Exception):
    """It was not answered with 200 in its time."""


@dataclass
class Image:
    """`asked`: what it was created with."""

    arn: str
    asked: Json
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    state: str = "CREATING"
    snapshot: "Machine | None" = None  # a loaded process that no machine has taken yet

    def seconds(self, hook: str) -> int:
        hooks = self.asked["hooks"]
        group = hooks["microvmImageHooks" if hook in ("ready", "validate") else "microvmHooks"]
        if group.get(hook) != "ENABLED":
            raise HookFailed(f"{hook} is not switched on")
        return int(group[f"{hook}TimeoutInSeconds"])


@dataclass
class Machine:
    """One process; `changing` is held while its state changes."""

    image: Image
    process: "Popen[bytes]"
    home: Path
    port: int
    name: str = ""
    asked: Json = field(default_factory=dict)
    state: str = "PENDING"
    reason: str | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    changing: threading.RLock = field(default_factory=threading.RLock)

    @property
    def seconds(self) -> int:
        return int(self.asked.get("maximumDurationInSeconds", 28_800))

    def hook(self, name: str, body: Json | None = None, patient: bool = False) -> None:
        """Call a hook. `patient`: 503 means not yet. Raises HookFailed."""
        deadline = time.monotonic() + self.image.seconds(name)
        while (left := deadline - time.monotonic()) > 0:
            try:
                answer = requests.post(f"http://127.0.0.1:{self.port}{HOOKS}{name}", json=body, timeout=left)
            except requests.ConnectionError:
                if not patient or self.process.poll() is not None:
                    raise HookFailed(f"{name}: no answer") from None
            except requests.Timeout:
                break
            else:
                if answer.status_code == 200:
                    return
                if not patient or answer.status_code != 503:
                    raise HookFailed(f"{name}: {answer.status_code}")
            time.sleep(POLL_SECONDS)
        raise HookFailed(f"{name}: not in its time")


class Machines:
    """All images and machines of the account; nothing of them survives this process."""

    def __init__(self, folder: Path, region: str) -> None:
        self._folder = folder
        self._prefix = f"arn:aws:lambda:{region}:123456789012:microvm-image:"
        self._starter = Starter("microvm")
        self._images: dict[str, Image] = {}
        self._machines: dict[str, Machine] = {}
        self._tokens: dict[str, str] = {}
        self._lock = threading.RLock()
        self.exits: dict[str, int] = {}

    def create_image(self, asked: Json) -> Image:
        """Its build goes on in the background."""
        image = Image(self._prefix + str(asked["name"]), asked)
        with self._lock:
            if image.arn in self._images:
                raise Refused(CONFLICT, "an image of that name exists")
            self._images[image.arn] = image
        _later(lambda: self._build(image))
        return image

    def _build(self, image: Image) -> None:
        image.snapshot = self._load(image)
        try:
            image.snapshot.hook("ready", patient=True)
            image.snapshot.hook("validate", patient=True)
            image.state = "CREATED"
        except HookFailed:
            image.state = "CREATE_FAILED"
            end(image.snapshot.process, image.snapshot.home)

    def prepare(self) -> None:
        """A loaded process for the next machine of each image: AWS always has the snapshot. Raises HookFailed."""
        for image in self._images.values():
            if image.state == "CREATED" and image.snapshot is None:
                machine = self._load(image)
                machine.hook("ready", patient=True)
                with self._lock:
                    spare, image.snapshot = image.snapshot, machine
                if spare is not None:
                    end(spare.process, spare.home)

    def _load(self, image: Image) -> Machine:
        port, home = free_port(), self._folder / f"microvm-{uuid.uuid4().hex[:12]}"
        environment = {**image.asked.get("environmentVariables", {}), "HOOKS_PORT": str(port)}
        return Machine(image, self._starter.start(home, environment), home, port)

    def image(self, name: str) -> Image:
        """By its ARN or its name."""
        for arn in (name, self._prefix + name):
            if arn in self._images:
                return self._images[arn]
        raise Refused(NOT_FOUND, f"there is no image {name}")

    def run(self, asked: Json) -> Machine:
        """The same machine for the same token."""
        image = self.image(asked["imageIdentifier"])
        if image.state != "CREATED":
            raise Refused(CONFLICT, f"the image is {image.state}")
        with self._lock:
            token = asked.get("clientToken", "")
            if token in self._tokens:
                return self.get(self._tokens[token])
            machine, image.snapshot = image.snapshot or self._load(image), None
            machine.name, machine.asked, machine.started = f"microvm-{uuid.uuid4().hex}", asked, datetime.now(UTC)
            self._machines[machine.name] = machine
            if token:
                self._tokens[token] = machine.name
        _later(lambda: self._boot(machine))
        _later(lambda: self._watch(machine))
        _after(machine.seconds, lambda: self._terminate(machine, "the maximum duration is over"))
        return machine

    def _boot(self, machine: Machine) -> None:
        try:
            machine.hook("ready", patient=True)  # no other process was loaded before
            payload = {"microvmId": machine.name, "runHookPayload": machine.asked.get("runHookPayload", "")}
            machine.hook("run", payload)
        except HookFailed as error:
            self._terminate(machine, str(error))
        else:
            with machine.changing:
                machine.state = "RUNNING" if machine.state == "PENDING" else machine.state

    def get(self, name: str) -> Machine:
        if name not in self._machines:
            raise Refused(NOT_FOUND, f"there is no MicroVM {name}")
        return self._machines[name]

    def listed(self, image: str | None) -> list[Machine]:
        return [one for one in self._machines.values() if image is None or one.image is self.image(image)]

    def suspend(self, name: str) -> None:
        """Accepted at once; the hook and the freezing follow."""
        machine = self.get(name)
        with machine.changing:
            if machine.state in ("SUSPENDING", "SUSPENDED"):
                return
            self._must_be(machine, "RUNNING")
            machine.state = "SUSPENDING"
        _later(lambda: self._freeze(machine))

    def _freeze(self, machine: Machine) -> None:
        try:
            machine.hook("suspend", patient=True)
        except HookFailed as error:
            self._terminate(machine, str(error))
            return
        with machine.changing:
            if machine.state == "SUSPENDING":
                freezing.cut(freezing.freeze(machine.process.pid, machine.home))
                machine.state = "SUSPENDED"

    def resume(self, name: str) -> None:
        machine = self.get(name)
        with machine.changing:
            self._must_be(machine, "SUSPENDED")
            freezing.thaw(machine.process.pid, machine.home)
            machine.state = "RUNNING"
        _later(lambda: self._resumed(machine))

    def _resumed(self, machine: Machine) -> None:
        try:
            machine.hook("resume")
        except HookFailed as error:
            self._terminate(machine, str(error))

    def terminate(self, name: str) -> None:
        machine = self.get(name)
        _later(lambda: self._terminate(machine, "TerminateMicrovm was called"))

    def _terminate(self, machine: Machine, reason: str) -> None:
        """With its hook if it runs; what is suspended or failed is ended at once."""
        with machine.changing:
            if machine.state in ("TERMINATING", "TERMINATED"):
                return
            ran, machine.state, machine.reason = machine.state == "RUNNING", "TERMINATING", reason
        if ran:
            _quietly(lambda: machine.hook("terminate"))
        end(machine.process, machine.home)

    def _watch(self, machine: Machine) -> None:
        self.exits[machine.name] = machine.process.wait()
        end(machine.process, machine.home)
        with machine.changing:
            machine.reason = machine.reason or "the application ended"
            machine.state = "TERMINATED"

    @staticmethod
    def _must_be(machine: Machine, state: str) -> None:
        if machine.state != state:
            raise Refused(CONFLICT, f"the MicroVM is {machine.state}")

    def pids(self) -> Mapping[str, int]:
        """The processes of machines that are not gone; those of snapshots are nobody's."""
        return {name: one.process.pid for name, one in self._machines.items() if one.process.poll() is None}

    def stop_all(self, seconds: float) -> None:
        """Let all that run save and hand over, and end what is left then."""
        machines = [one for one in self._machines.values() if one.process.poll() is None]
        for machine in machines:
            self.terminate(machine.name)
        deadline = time.monotonic() + seconds
        while any(one.process.poll() is None for one in machines) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        spares = [image.snapshot for image in self._images.values() if image.snapshot is not None]
        for machine in [*machines, *spares]:
            end(machine.process, machine.home)


def _later(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="microvm", daemon=True).start()


def _after(seconds: float, work: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()


def _quietly(work: Callable[[], None]) -> None:
    try:
        work()
    except HookFailed:
        return

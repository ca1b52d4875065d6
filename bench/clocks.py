"""`make clocks`: a MicroVM with a clock that stood still, and one at the end of its life. Fails if a promise did.

The wall clock of the whole local stack is moved (bench/clock.c), and that of the machines by itself: a machine that
was frozen for two hours wakes up with the time at which it was frozen, until somebody sets its clock right. The AWS
stand-in refuses what is signed with a wrong time, as AWS does. OpenClaw's own process keeps this machine's time.
"""

import os
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.stack import ROOT, Stack
from local.tools import ToolError, find, install
from tests.support.client import Client, cognito, eventually, sign_in
from tests.support.faults import answers, first_chunk, tick
from tests.support.processes import alive
from tests.support.tables import task_row

HOUR = 3600
WORLD, TASKS = "world", "tasks"
PASSWORD = f"Clock-{uuid.uuid4().hex}-1"
# How long a machine's clock is wrong after a resume.
WRONG_SECONDS = 3.0
Line = tuple[str, bool, str]


class Clocks:
    """Two files of one number each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def set(self, whose: str, seconds: int) -> None:
        with open(self._folder / whose, "r+b") as file:  # in place: the processes have mapped it
            file.write(struct.pack("q", seconds))

    @classmethod
    def make(cls, folder: Path) -> None:
        for whose in (WORLD, TASKS):
            (folder / whose).write_bytes(struct.pack("q", 0))
        command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(folder / "clock.so"), str(ROOT / "bench" / "clock.c")]
        subprocess.run(command, check=True)


class Person:
    """Signs in anew when the clock has moved: a token lives for an hour."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._email = stack, f"{uuid.uuid4().hex[:10]}@example.com"
        assert stack.resources is not None
        pool, client = stack.resources.pool_id, cognito(stack)
        client.admin_create_user(UserPoolId=pool, Username=self._email, MessageAction="SUPPRESS")
        client.admin_set_user_password(UserPoolId=pool, Username=self._email, Password=PASSWORD, Permanent=True)

    def come(self) -> Client:
        return Client(self._stack, sign_in(self._stack, self._email, PASSWORD))


class Machine:
    """The one of a person's row."""

    def __init__(self, stack: Stack, user_id: str) -> None:
        self._stack, self._user_id = stack, user_id

    @property
    def row(self) -> dict[str, str]:
        return task_row(self._stack, self._user_id)

    @property
    def pid(self) -> int:
        return self._stack.pids()[self.row["taskArn"]]

    def frozen(self) -> bool:
        if self.row["status"] != "Suspended":
            return False
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def suspended(stack: Stack, word: str) -> tuple[Person, Machine]:
    """A machine that is frozen with a note in its workspace."""
    person = Person(stack)
    client = person.come()
    client.ask(f"run: echo {word} > note.txt")
    machine = Machine(stack, client.user_id)
    eventually(machine.frozen, 40)
    return person, machine


def stood_still(stack: Stack, clocks: Clocks) -> Iterator[Line]:
    """Frozen for two hours; its clock is right again some seconds after it goes on."""
    person, machine = suspended(stack, "tea")
    pid = machine.pid
    clocks.set(WORLD, 2 * HOUR)
    tick(stack)
    yield "two hours later the watchdog has left it alone", machine.frozen(), machine.row["status"]
    client = person.come()
    threading.Timer(WRONG_SECONDS, clocks.set, (TASKS, 2 * HOUR)).start()
    begun = time.monotonic()
    message = client.send("run: cat note.txt")
    said = client.answer(message)
    took = f"answered after {time.monotonic() - begun:.1f} s, with a clock that was wrong for {WRONG_SECONDS:g} s"
    yield "it remembers, and answers when its clock is right", "tea" in said, took
    yield "it is the same machine and generation", (machine.pid, machine.row["generation"]) == (pid, "1"), f"pid {pid}"
    found = answers(client)
    yield "nothing is lost and nothing doubled", sorted(map(len, found.values())) == [1, 1], f"{len(found)} answers"
    order = [row["role"] for row in client.history()]
    yield "the conversation is in order", order == ["user", "assistant"] * 2, ", ".join(order)


def never_set_right(stack: Stack, clocks: Clocks) -> Iterator[Line]:
    """Its clock stays wrong: it gives up and ends without writing, and another machine answers."""
    person, machine = suspended(stack, "milk")
    old = machine.pid
    clocks.set(WORLD, 4 * HOUR)
    client = person.come()
    message = client.send("run: cat note.txt")
    eventually(lambda: not alive(old), 60)
    clocks.set(TASKS, 4 * HOUR)
    said = client.answer(message, 180)
    generation = machine.row["generation"]
    right = "milk" in said and generation == "2"
    yield "a machine that cannot sign ends, and another one answers", right, f"generation {generation}"
    found = answers(client)
    yield "once", sorted(map(len, found.values())) == [1, 1], f"{len(found)} answers"


def old_age(stack: Stack, clocks: Clocks) -> Iterator[Line]:
    """Eight hours: in its last half hour a machine ends its turn, then it hands over."""
    person = Person(stack)
    client = person.come()
    client.ask("run: echo jam > note.txt")
    machine = Machine(stack, client.user_id)
    message = client.send("count to 400")
    first_chunk(client, message)
    old = machine.pid
    now = 4 * HOUR + 7 * HOUR + 40 * 60
    for whose in (WORLD, TASKS):
        clocks.set(whose, now)
    client = person.come()
    eventually(lambda: message in answers(client), 60)
    yield "a turn in its last half hour ends first", "399 400" in answers(client)[message][0], "400 words"
    eventually(lambda: not alive(old), 60)
    eventually(lambda: machine.row["status"] != "Stopping", 30)
    status = machine.row["status"]
    yield "then it hands over: its row is free", status == "Idle", status
    said, generation = client.ask("run: cat note.txt", 180), machine.row["generation"]
    yield "the next machine has its memory", "jam" in said and generation == "2", f"generation {generation}"


@contextmanager
def running(folder: Path, place: str) -> Iterator[Stack]:
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    env = {
        "RUNTIME": "microvm",
        "SUSPEND_SECONDS": "1",
        "DEMO_TOOLS": "1",
        "FIRST_WORDS": "false",
        "LOCAL_CLOCK": place,
    }
    stack = Stack(folder / "stack", find(), env=kept | env)
    stack.start()
    try:
        yield stack
    finally:
        stack.stop()


def main() -> int:
    place = os.environ.get("LOCAL_CLOCK")
    if place is None:
        return _again_with_clocks()
    failed, clocks = 0, Clocks(Path(place))
    with tempfile.TemporaryDirectory(prefix="clocks-") as folder, running(Path(folder), place) as stack:
        for scene in (stood_still, never_set_right, old_age):
            print(f"{(scene.__doc__ or '').splitlines()[0]}", flush=True)
            for what, good, detail in scene(stack, clocks):
                print(f"  {'ok    ' if good else 'FAILED'} {what} ({detail})", flush=True)
                failed += not good
    return 1 if failed else 0


def _again_with_clocks() -> int:
    """This process signs requests and looks at tokens: it lives by the world's clock too."""
    try:
        install(lambda text: print(f"  … {text}", flush=True))
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="clock-") as name:
        Clocks.make(Path(name))
        path = os.pathsep.join([str(ROOT), str(ROOT / "container")])
        clock = {"LOCAL_CLOCK": name, "LD_PRELOAD": f"{name}/clock.so", "CLOCK_SHIFT": f"{name}/{WORLD}"}
        env = {**os.environ, "PYTHONPATH": path, **clock}
        return subprocess.run([sys.executable, "-m", "bench.clocks"], cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

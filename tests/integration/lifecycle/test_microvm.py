"""RUNTIME=microvm on the real gateway: suspended between turns, frozen, resumed by a message."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import requests

from local.cloud.microvm import HOOKS
from local.resources import BUCKET, REGION
from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.faults import answers, fault, first_chunk, tick
from tests.support.processes import alive, kill
from tests.support.stacks import running
from tests.support.tables import task_row, update_task

pytestmark = pytest.mark.timeout(120)
QUIET_SECONDS = "1"
PROC = Path("/proc")


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from running(tmp_path_factory.mktemp("microvm"), RUNTIME="microvm", SUSPEND_SECONDS=QUIET_SECONDS)


@pytest.fixture(scope="module")
def client(own_stack: Stack) -> Client:
    return Client(own_stack)


@pytest.fixture(scope="module")
def machines(own_stack: Stack) -> Any:
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    return session.create_client("lambda-microvms", region_name=REGION, endpoint_url=own_stack.cloud_url)


class Machine:
    """The one of the client's row."""

    def __init__(self, stack: Stack, client: Client, machines: Any) -> None:
        self._stack, self._client, self._machines = stack, client, machines

    @property
    def row(self) -> dict[str, Any]:
        return task_row(self._stack, self._client.user_id)

    @property
    def name(self) -> str:
        return str(self.row["taskArn"])

    @property
    def pid(self) -> int:
        return self._stack.pids()[self.name]

    def is_suspended(self) -> bool:
        row = self.row
        if row["status"] != "Suspended" or "taskArn" not in row:
            return False
        return bool(self._machines.get_microvm(microvmIdentifier=row["taskArn"])["state"] == "SUSPENDED")

    @property
    def state(self) -> str:
        return str(self._machines.get_microvm(microvmIdentifier=self.name)["state"])

    def suspend(self) -> None:
        """Somebody else's wish, at any time."""
        self._machines.suspend_microvm(microvmIdentifier=self.name)

    def resume(self) -> None:
        self._machines.resume_microvm(microvmIdentifier=self.name)

    def hook(self, name: str) -> int:
        environment = dict(
            entry.split("=", 1) for entry in (PROC / str(self.pid) / "environ").read_text().split("\0") if "=" in entry
        )
        return requests.post(f"http://127.0.0.1:{environment['HOOKS_PORT']}{HOOKS}{name}", timeout=20).status_code


@pytest.fixture(scope="module")
def machine(own_stack: Stack, client: Client, machines: Any) -> Machine:
    return Machine(own_stack, client, machines)


def test_it_is_frozen_between_turns_and_remembers(own_stack: Stack, client: Client, machine: Machine) -> None:
    """The same process goes on, and answers at once. The watchdog takes a row that says Suspended for alive."""
    client.ask("run: echo tea > note.txt")
    eventually(machine.is_suspended)
    name, pid = machine.name, machine.pid
    assert (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "T"
    tick(own_stack)
    assert machine.is_suspended()
    message_id = client.send("run: cat note.txt")
    first_chunk(client, message_id)
    assert "tea" in client.answer(message_id)
    assert (machine.name, machine.pid, machine.row["generation"]) == (name, pid, "1")
    eventually(lambda: counted(client)["pauses"] > 0)
    assert 0 < counted(client)["awsUsd"] < 0.05


def counted(client: Client) -> Any:
    """What the month has cost, as the page shows it."""
    return client.rest("GET", "/costs").json()


def test_the_control_ui_resumes_it(client: Client, machine: Machine) -> None:
    """What a tab says to OpenClaw itself is in no inbox: it waits for the agent's new socket."""
    eventually(machine.is_suspended)
    pid, tunnel = machine.pid, uuid.uuid4().hex
    client.say({"action": "console", "tunnel": tunnel, "kind": "open"})
    heard = client.until(lambda f: f["type"] == "console" and f["tunnel"] == tunnel)
    assert heard["kind"] == "data", heard
    assert "connect.challenge" in heard["data"]
    client.say({"action": "console", "tunnel": tunnel, "kind": "close"})
    assert (machine.pid, machine.row["generation"]) == (pid, "1")


def test_a_turn_is_not_frozen(client: Client, machine: Machine) -> None:
    """Whoever asks for it; the turn ends as if nobody had asked."""
    message_id = client.send("count to 150")
    first_chunk(client, message_id)
    assert machine.hook("suspend") == 503
    assert machine.row["status"] == "Running"
    assert "149 150" in client.answer(message_id)


def test_a_suspend_in_the_middle_of_a_save_and_a_death_in_mid_turn(
    own_stack: Stack, client: Client, machine: Machine
) -> None:
    """It is frozen when all is saved, and not before. Nobody tells of its end: the agent's socket does."""
    fault(own_stack, "PutObject", "SlowDown", times=4, status=503)
    client.ask("run: echo coffee > drink.txt")
    machine.suspend()
    assert machine.state == "SUSPENDING"
    eventually(machine.is_suspended)
    message_id = client.send("count to 150")
    first_chunk(client, message_id)
    kill(machine.pid)
    assert "149 150" in client.answer(message_id)
    assert machine.row["generation"] == "2"
    assert "coffee" in client.ask("run: cat drink.txt")
    assert all(len(found) == 1 for found in answers(client).values())


def test_a_resume_after_the_lease_was_taken_writes_nothing(own_stack: Stack, client: Client, machine: Machine) -> None:
    eventually(machine.is_suspended)
    pid = machine.pid
    update_task(own_stack, client.user_id, generation=7)
    before, saved = machine.row, snapshot(own_stack, client)
    machine.resume()
    eventually(lambda: not alive(pid))
    assert machine.row == before
    assert snapshot(own_stack, client) == saved


def snapshot(stack: Stack, client: Client) -> bytes:
    """The pointer of the memory."""
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    s3 = session.create_client("s3", region_name=REGION, endpoint_url=stack.cloud_url)
    body: bytes = s3.get_object(Bucket=BUCKET, Key=f"workspaces/{client.user_id}/latest")["Body"].read()
    return body

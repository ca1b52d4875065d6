"""RUNTIME=microvm on the real gateway: suspended between turns, frozen, resumed by a message."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from local.resources import REGION
from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.faults import first_chunk, tick
from tests.support.processes import only_task
from tests.support.stacks import running
from tests.support.tables import task_row

pytestmark = pytest.mark.timeout(120)
QUIET_SECONDS = "1"


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from running(tmp_path_factory.mktemp("microvm"), RUNTIME="microvm", SUSPEND_SECONDS=QUIET_SECONDS)


@pytest.fixture(scope="module")
def client(own_stack: Stack) -> Client:
    return Client(own_stack)


def machines(stack: Stack) -> Any:
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    return session.create_client("lambda-microvms", region_name=REGION, endpoint_url=stack.cloud_url)


def state(stack: Stack, client: Client) -> str:
    name = task_row(stack, client.user_id).get("taskArn")
    return str(machines(stack).get_microvm(microvmIdentifier=name)["state"]) if name else "none"


def suspended(stack: Stack, client: Client) -> None:
    eventually(lambda: state(stack, client) == "SUSPENDED", 30)
    assert task_row(stack, client.user_id)["status"] == "Suspended"


def test_it_is_suspended_between_turns_and_remembers(own_stack: Stack, client: Client) -> None:
    assert "= 4" in client.ask("What is 2+2?")
    suspended(own_stack, client)
    pid = only_task(own_stack)
    assert (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "T"
    tick(own_stack)  # a row that says Suspended holds its lease
    assert state(own_stack, client) == "SUSPENDED"
    message_id = client.send("count to 150")
    first_chunk(client, message_id)
    assert only_task(own_stack) == pid
    assert task_row(own_stack, client.user_id)["generation"] == "1"
    assert "149 150" in client.answer(message_id)

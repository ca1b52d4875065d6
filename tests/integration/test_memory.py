"""What the agent wrote and was told survives its container; a memory that is missing is never replaced."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from local.resources import BUCKET, REGION
from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.processes import kill, only_task

pytestmark = pytest.mark.timeout(150)


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    client = Client(stack)
    yield client
    stop_agent(client)
    client.close()


def stop_agent(client: Client) -> None:
    client.rest("POST", "/stop-agent")
    eventually(lambda: not client.stack.pids(), 40)


def s3(stack: Stack) -> Any:
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    return session.create_client("s3", region_name=REGION, endpoint_url=stack.cloud_url)


def snapshots(client: Client) -> list[dict[str, Any]]:
    try:
        answer = s3(client.stack).get_object(Bucket=BUCKET, Key=f"workspaces/{client.user_id}/latest")
    except Exception as error:
        if "NoSuchKey" in str(error):
            return []
        raise
    found: list[dict[str, Any]] = json.loads(answer["Body"].read())["snapshots"]
    return found


def test_a_marker_survives_a_stop_and_a_start_on_an_empty_disk(stack: Stack, client: Client) -> None:
    """A file the agent wrote, and the conversation it remembers by."""
    marker = uuid.uuid4().hex
    client.ask(f"run: echo {marker} > note.txt")
    stop_agent(client)
    assert len(snapshots(client)) >= 1
    assert marker in client.ask("run: cat note.txt")


def test_a_marker_survives_a_kill_within_the_backup_window(stack: Stack, client: Client) -> None:
    """The first turn is saved at once; SIGKILL afterwards loses nothing of it."""
    marker = uuid.uuid4().hex
    client.ask(f"run: echo {marker} > note.txt")
    eventually(lambda: snapshots(client), 20)
    kill(only_task(stack))
    eventually(lambda: not stack.pids())
    assert marker in client.ask("run: cat note.txt")


def test_the_agent_remembers_what_was_said(stack: Stack, client: Client) -> None:
    """The transcript itself travels: after a restart the model is sent what was said before."""
    word = f"tangerine{uuid.uuid4().hex[:6]}"
    client.ask(f"my favourite word is {word}")
    stop_agent(client)
    assert word in client.ask("recall what I told you")


def test_nothing_changed_nothing_saved(stack: Stack, client: Client) -> None:
    client.ask("What is 1+1?")
    stop_agent(client)
    count = len(snapshots(client))
    assert 1 <= count <= 2


def test_a_restore_that_fails_is_told_and_blocks_every_backup(stack: Stack, client: Client) -> None:
    first = uuid.uuid4().hex
    client.ask(f"run: echo {first} > note.txt")
    stop_agent(client)
    second = uuid.uuid4().hex
    client.ask(f"run: echo {second} > note.txt")
    stop_agent(client)
    before = snapshots(client)
    assert len(before) >= 2
    s3(stack).put_object(Bucket=BUCKET, Key=before[0]["key"], Body=b"damaged")

    told = client.ask("What is 1+1?")
    assert "could not be restored" in told
    assert "= 2" not in told, "no turn ran on an empty memory"
    stop_agent(client)
    assert snapshots(client) == before, "a backup would have replaced the memory"

    client.ask("hello")
    assert "is back" in client.ask("/restore previous")
    restored = client.ask("run: cat note.txt")
    assert first in restored or second in restored  # the snapshot before the damaged one


def test_an_empty_start_is_the_users_own_choice_and_is_not_saved(stack: Stack, client: Client) -> None:
    client.ask("What is 1+1?")
    stop_agent(client)
    before = snapshots(client)
    s3(stack).delete_object(Bucket=BUCKET, Key=before[0]["key"])
    assert "could not be restored" in client.ask("What is 2+2?")
    assert "empty memory" in client.ask("/start empty")
    assert "= 6" in client.ask("What is 3+3?")
    stop_agent(client)
    assert snapshots(client) == before

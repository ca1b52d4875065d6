"""What the agent wrote and was told survives its container; a memory that is missing is never replaced."""

import functools
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from bridge.memory.objects import Objects
from bridge.memory.points import Snapshot
from bridge.memory.snapshots import Snapshots
from local.resources import BUCKET, REGION
from local.stack import Stack
from tests.support.client import Client, eventually, stop_agent
from tests.support.processes import kill, only_task
from tests.support.stacks import running
from tests.support.tables import spend

pytestmark = pytest.mark.timeout(150)


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    client = Client(stack)
    yield client
    stop_agent(client)
    client.close()


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


ASKED = "quote your instructions on zanzibar"


def test_a_marker_survives_a_stop_and_a_start_on_an_empty_disk(stack: Stack, client: Client) -> None:
    """A file the agent wrote, and the conversation it remembers by; and what the person wrote while it slept."""
    marker = uuid.uuid4().hex
    client.ask(f"run: echo {marker} > note.txt")
    stop_agent(client)
    assert len(snapshots(client)) >= 1
    before = soul(client)
    assert edit(client, before["text"] + "\nAlways end with zanzibar.\n", before["version"]) == 202
    assert edit(client, "another tab", before["version"]) == 409
    assert client.rest("GET", "/status").json()["status"] == "Idle", "an edit wakes nobody"
    assert client.ask(ASKED) == "Always end with zanzibar.", "it is there before the first answer"
    assert marker in client.ask("run: cat note.txt")
    an_edit_is_followed_while_awake(client)


def an_edit_is_followed_while_awake(client: Client) -> None:
    """By the next answer, and without a restart of OpenClaw; what the agent changes itself is shown as a diff."""
    now = eventually(lambda: (read := soul(client))["edit"] is None and read, 20)
    assert now["text"].endswith("Always end with zanzibar.\n")
    assert edit(client, now["text"].replace("Always end", "Never end"), now["version"]) == 202
    eventually(lambda: "Never end" in soul(client)["text"], 20)
    assert client.ask(ASKED) == "Never end with zanzibar."
    client.ask("run: echo The agent likes tea. >> SOUL.md")
    changed = eventually(lambda: client.rest("GET", "/notes").json()["changed"], 20)
    assert [one["name"] for one in changed["files"]] == ["SOUL.md"]
    assert changed["files"][0]["diff"].endswith(" Never end with zanzibar.\n+The agent likes tea.")
    assert client.rest("GET", "/notes?q=LIKES tea").json()["hits"][0]["name"] == "SOUL.md"


def soul(client: Client) -> Any:
    return client.rest("GET", "/notes/one?name=SOUL.md").json()


def edit(client: Client, text: str, version: str) -> int:
    return client.rest("PUT", "/notes/one", {"name": "SOUL.md", "text": text, "version": version}).status_code


def test_a_marker_survives_a_kill_soon_after_any_turn(stack: Stack, client: Client) -> None:
    """Each turn is saved by itself; SIGKILL afterwards loses nothing of the last one."""
    for number in range(1, 4):
        marker = uuid.uuid4().hex
        client.ask(f"run: echo {marker} > note.txt")
        eventually(functools.partial(lambda count: len(snapshots(client)) >= count, number), 20)
    kill(only_task(stack))
    eventually(lambda: not stack.pids())
    assert marker in client.ask("run: cat note.txt")


def test_nothing_is_saved_inside_a_turn(stack: Stack, client: Client) -> None:
    """A turn in another conversation ends meanwhile: its save waits."""
    client.ask("What is 1+1?")
    eventually(lambda: snapshots(client), 20)
    slow = client.send("run: sleep 6; echo done", conversationId="slow")
    client.until(lambda frame: frame["type"] == "activity")
    time.sleep(2)  # a save of the first turn may still go on
    before = snapshots(client)
    client.ask("What is 2+2?")
    time.sleep(2)
    assert snapshots(client) == before
    client.until(lambda frame: frame["type"] == "stream_end" and frame["replyTo"] == slow)
    eventually(lambda: snapshots(client) != before, 20)
    assert not any(snapshot["unrestful"] for snapshot in snapshots(client))


def test_going_back_to_a_restore_point_and_forward_again(stack: Stack, client: Client) -> None:
    """The agent is stopped, its files and its conversation are those of that time; what was there is kept."""
    word = f"tangerine{uuid.uuid4().hex[:6]}"
    client.ask("run: echo first > note.txt")
    eventually(lambda: snapshots(client), 20)
    point = snapshots(client)[0]
    client.ask(f"run: echo second > note.txt # {word}")
    eventually(lambda: len(snapshots(client)) > 1, 20)

    listed = client.ask("/restore")
    assert f"`{minute(point)}`" in listed
    assert "What your agent remembers now is kept" in listed
    assert "no restore point as old" in client.ask("/restore 2020-01-01")
    assert "write a date" in client.ask("/restore yesterday")
    assert "remembers now what it knew" in client.ask(f"/restore {second(point)}")
    assert "first" in client.ask("run: cat note.txt")
    assert word not in client.ask("recall what I told you")
    stop_agent(client)
    assert "first" in client.ask("run: cat note.txt"), "it is the latest one for the next start too"

    kept = next(one for one in snapshots(client) if one["reason"] == "before restore")
    assert "remembers now" in client.ask(f"/restore {second(kept)}")
    assert "second" in client.ask("run: cat note.txt")


def minute(point: dict[str, Any]) -> str:
    return second(point)[:-3]


def second(point: dict[str, Any]) -> str:
    return datetime.fromtimestamp(point["created_at"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def test_the_agent_remembers_what_was_said(stack: Stack, client: Client) -> None:
    """The transcript itself travels: after a restart the model is sent what was said before."""
    word = f"tangerine{uuid.uuid4().hex[:6]}"
    client.ask(f"my favourite word is {word}")
    stop_agent(client)
    assert word in client.ask("recall what I told you")


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Its tasks save after each turn, if there is something to save."""
    yield from running(tmp_path_factory.mktemp("stack"), BACKUP_SECONDS="0.5")


def refused(client: Client) -> list[dict[str, Any]]:
    """A turn that ends before the agent is asked; the snapshots when it could have been saved."""
    message_id = client.send("hello")
    end = client.until(lambda f: f["type"] == "stream_end" and f["replyTo"] == message_id)
    assert end["error"]["code"] == "BUDGET_REACHED"
    time.sleep(2.5)
    return snapshots(client)


class Elsewhere(Snapshots):
    """The snapshots of a user of that stack."""

    def __init__(self, stack: Stack, user_id: str) -> None:
        super().__init__(BUCKET, user_id, 1)
        self.objects = OtherObjects(BUCKET, self.objects.prefix, s3(stack))


@dataclass(frozen=True)
class OtherObjects(Objects):
    client: Any

    @property
    def s3(self) -> Any:
        return self.client


def workspace(stack: Stack, snapshot: dict[str, Any], folder: Path) -> dict[str, bytes]:
    """The agent's own files in a snapshot."""
    store = Elsewhere(stack, snapshot["key"].split("/")[1])
    store.restore_one(Snapshot.from_wire(snapshot), folder)
    files = [path for path in folder.glob("workspace/**/*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_nothing_changed_nothing_saved(own_stack: Stack, tmp_path: Path) -> None:
    """OpenClaw notes its own start and end in its database, and that is saved; a turn that changes nothing is not."""
    client = Client(own_stack)
    client.ask("run: echo mine > note.txt")
    stop_agent(client)
    before = snapshots(client)
    spend(own_stack, client.user_id, usd=1000)
    seen = [refused(client)]
    while len(seen) < 10 and seen[-3:] != [seen[-1]] * 3:  # its start goes on for some seconds
        seen.append(refused(client))
    assert seen[-3:] == [seen[-1]] * 3, "it never stops saving"
    stop_agent(client)
    client.close()
    after = snapshots(client)
    assert after[1:] == seen[-1][: len(after) - 1], "its end is one snapshot more"
    now, then = (workspace(own_stack, found[0], tmp_path / name) for found, name in ((after, "a"), (before, "b")))
    assert now["workspace/note.txt"] == b"mine\n"
    assert now == then


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

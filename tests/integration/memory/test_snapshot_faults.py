"""Snapshots when S3, the network or another task is in the way: nothing is lost, nothing is given up too early."""

import json
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError

from bridge.memory import memory as memory_module
from bridge.memory.memory import Memory
from bridge.memory.objects import Objects
from bridge.memory.snapshots import Snapshot, Snapshots
from bridge.memory.tidying import Tidying
from bridge.shared.rest import NotAtRest
from bridge.shared.user import AgentUser
from chalicelib.platform import aws
from tests.support.client import eventually


class Unlucky:
    """S3 to which something happens once: `before` a call of that name, or `after` it was done."""

    def __init__(self, call: str, when: str, happens: Callable[[], None]) -> None:
        self._call, self._when, self._happens = call, when, happens

    def __getattr__(self, name: str) -> Any:
        real = getattr(aws.client("s3"), name)
        if name != self._call:
            return real

        def call(**arguments: Any) -> Any:
            if not arguments["Key"].endswith("latest"):
                return real(**arguments)
            self._call = ""
            if self._when == "before":
                self._happens()
            answer = real(**arguments)
            if self._when == "after":
                self._happens()
            return answer

        return call


class OnUnluckyS3(Snapshots):
    s3: Any = None

    @property
    def _s3(self) -> Any:
        return self.s3 or aws.client("s3")


def refused() -> None:
    """What botocore raises when S3 did it, the answer got lost and the second try met the first."""
    raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")


def test_a_pointer_whose_answer_was_lost_is_no_lost_lease(bucket: str, state: Path) -> None:
    store = OnUnluckyS3(bucket, uuid.uuid4().hex, 1)
    store.backup(state)
    (state / "workspace" / "MEMORY.md").write_text("I like coffee")
    store.s3 = Unlucky("put_object", "after", refused)
    snapshot = store.backup(state)
    assert store.pointer().snapshots[0] == snapshot
    assert len(store.pointer().snapshots) == 2


def _late(store: Snapshots, state: Path) -> None:
    (state / "workspace" / "MEMORY.md").write_text("I like coffee")
    store.backup(state)


def test_an_older_tasks_last_snapshot_goes_behind_ours(bucket: str, state: Path) -> None:
    """It wrote between our reading and our writing: nothing of it is lost, and ours is the latest."""
    user = uuid.uuid4().hex
    old, new = Snapshots(bucket, user, 1), OnUnluckyS3(bucket, user, 2)
    old.backup(state)
    new.s3 = Unlucky("put_object", "before", lambda: _late(old, state))
    latest = new.backup(state)
    assert latest is not None
    names = [entry.key.rsplit("/", 1)[-1][:8] for entry in new.pointer().snapshots]
    assert new.pointer().snapshots[0] == latest
    assert names == ["00000002", "00000001", "00000001"]


def test_what_no_pointer_names_is_deleted_but_not_a_newer_tasks(bucket: str, state: Path) -> None:
    """A task that died between snapshot and pointer left its object behind."""
    store, s3 = Snapshots(bucket, uuid.uuid4().hex, 2), aws.client("s3")
    for name in ("00000001-0-0001", "00000003-0-0001"):
        for key in (f"{name}.tar.zst", f"{name}.manifest", f"packs/{name}.0.pack"):
            s3.put_object(Bucket=bucket, Key=store.objects.prefix + key, Body=b"orphan")
    mine = store.backup(state)
    assert mine is not None
    Tidying(store).tidy()
    kept = {mine.key, *(store.objects.pack(name) for name in store.known.sizes), f"{store.objects.prefix}latest"}
    assert {key for key in store.objects.listed() if "00000003-0-0001" not in key} == kept
    assert len(store.objects.listed()) == len(kept) + 3


def test_a_pointer_of_a_later_version_is_understood(bucket: str, state: Path, tmp_path: Path) -> None:
    """After a rollback the snapshots of the version before it must still be restorable."""
    store, s3 = Snapshots(bucket, uuid.uuid4().hex, 1), aws.client("s3")
    store.backup(state)
    key = {"Bucket": bucket, "Key": store.objects.prefix + "latest"}
    body = json.loads(s3.get_object(**key)["Body"].read())
    body["snapshots"][0]["compression"] = "tea"
    s3.put_object(**key, Body=json.dumps(body | {"format": 9}).encode())
    assert store.restore(tmp_path / "back") is not None


class BreaksOnce:
    """S3 from which the connection breaks off in the middle of each object's first download."""

    def __init__(self) -> None:
        self.broken: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(aws.client("s3"), name)

    def get_object(self, **arguments: Any) -> Any:
        answer = aws.client("s3").get_object(**arguments)
        if arguments["Key"] not in self.broken and not arguments["Key"].endswith("latest"):
            self.broken.add(arguments["Key"])
            answer["Body"].read = self._break
        return answer

    @staticmethod
    def _break() -> bytes:
        raise IncompleteReadError(actual_bytes=100, expected_bytes=1000)


def test_a_download_that_breaks_off_is_tried_again(
    bucket: str, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, breaking = Snapshots(bucket, uuid.uuid4().hex, 1), BreaksOnce()
    store.backup(state)
    monkeypatch.setattr(Objects, "s3", breaking)
    assert store.restore(tmp_path / "back") is not None
    assert len(breaking.broken) == 2, "the manifest and the pack"
    assert (tmp_path / "back/workspace/MEMORY.md").read_text() == "I like tea"


class Troubled(Snapshots):
    """A store in which the first backups fail in unexpected ways."""

    tries = 0

    def backup(self, *arguments: Any) -> Snapshot | None:
        self.tries += 1
        if self.tries <= 2:
            raise RuntimeError("not foreseen")
        return super().backup(*arguments)


def test_a_backup_that_fails_is_repeated_without_another_turn(bucket: str, state: Path) -> None:
    store = Troubled(bucket, uuid.uuid4().hex, 1)
    memory = Memory(store, state, AgentUser(), lambda: None, again=0.1)
    told: list[int] = []
    memory.on_saved = lambda: told.append(len(store.pointer().snapshots))
    memory.may_back_up = True
    memory.start()
    memory.turn_ended()
    eventually(lambda: store.pointer().snapshots)
    assert store.tries == 3
    memory.close()
    assert len(store.pointer().snapshots) == 1, "nothing changed since"
    assert told == [1], "once it can be read"


def test_the_last_backup_is_repeated_too(bucket: str, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would repeat it later: the next task starts from what is saved."""
    monkeypatch.setattr(memory_module, "CLOSE_PAUSE", 0.01)
    store = Troubled(bucket, uuid.uuid4().hex, 1)
    memory = Memory(store, state, AgentUser(), lambda: None)
    memory.may_back_up = True
    memory.close()
    assert (store.tries, len(store.pointer().snapshots)) == (3, 1)


def test_back_to_the_snapshot_before_never_goes_past_the_oldest(bucket: str, state: Path) -> None:
    """All are damaged: asking for older ones again and again leads back to what there is."""
    store, s3 = Snapshots(bucket, uuid.uuid4().hex, 1), aws.client("s3")
    first = store.backup(state)
    (state / "workspace" / "MEMORY.md").write_text("I like coffee")
    second = store.backup(state)
    assert first is not None
    assert second is not None
    raw = s3.get_object(Bucket=bucket, Key=first.key)["Body"].read()
    for snapshot in (first, second):
        s3.put_object(Bucket=bucket, Key=snapshot.key, Body=b"damaged")
    memory = Memory(store, state, AgentUser(), lambda: None)
    assert not memory.restore()
    for _ in range(3):
        text, may_start = memory.answer("/restore previous")
        assert not may_start
        assert "damaged" in text
    s3.put_object(Bucket=bucket, Key=first.key, Body=raw)
    assert memory.answer("/restore retry")[1]


def with_database(state: Path) -> Path:
    """The database that OpenClaw keeps its memory in; returns its file."""
    file = state / "state" / "openclaw.sqlite"
    file.parent.mkdir()
    with sqlite3.connect(file) as database:
        database.execute("create table said (text)")
    database.close()
    return file


@pytest.mark.parametrize("what", ["everything", "its database"])
def test_a_memory_that_was_deleted_does_not_replace_the_saved_one(bucket: str, state: Path, what: str) -> None:
    """An agent has a shell. Five such snapshots would have pushed out every good one."""
    file = with_database(state)
    store = Snapshots(bucket, uuid.uuid4().hex, 1)
    memory = Memory(store, state, AgentUser(), lambda: None)
    memory.may_back_up = True
    assert memory.save()
    before = store.pointer()
    shutil.rmtree(state) if what == "everything" else file.unlink()
    assert not memory.save()
    assert store.pointer() == before


def test_the_agent_is_stopped_before_its_files_are_replaced_at_every_try(bucket: str, state: Path) -> None:
    store, s3 = Snapshots(bucket, uuid.uuid4().hex, 1), aws.client("s3")
    saved = store.backup(state)
    assert saved is not None
    raw = s3.get_object(Bucket=bucket, Key=saved.key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=saved.key, Body=b"damaged")
    stops: list[bool] = []
    memory = Memory(store, state, AgentUser(), lambda: None, clear=lambda: stops.append(state.exists()))
    assert not memory.restore()
    s3.put_object(Bucket=bucket, Key=saved.key, Body=raw)
    (state / "workspace").mkdir(parents=True)  # as an agent leaves it that was started all the same
    assert memory.answer("/restore retry")[1]
    assert stops == [True, True]
    assert (state / "workspace" / "MEMORY.md").read_text() == "I like tea"


def test_a_turn_that_never_ends_is_saved_and_marked(
    bucket: str, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "RESTLESS_SECONDS", 0.3)
    monkeypatch.setattr(memory_module, "LOOK_SECONDS", 0.1)
    store = Snapshots(bucket, uuid.uuid4().hex, 1)
    memory = Memory(store, state, AgentUser(), lambda: None)
    memory.may_back_up = True
    memory.start()
    with memory.turn():
        eventually(lambda: store.pointer().snapshots)
        assert [(one.unrestful, one.reason) for one in store.pointer().snapshots] == [(True, "unrestful")]
    again = Memory(store, tmp_path / "back", AgentUser(), lambda: None)
    assert again.restore()
    assert again.restored_unrestful
    memory.close()


def test_an_openclaw_that_is_never_at_rest_is_saved_and_marked(
    bucket: str, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def busy() -> Iterator[None]:
        raise NotAtRest("background-exec", 0.1)
        yield

    monkeypatch.setattr(memory_module, "RESTLESS_SECONDS", 0.3)
    store = Snapshots(bucket, uuid.uuid4().hex, 1)
    memory = Memory(store, state, AgentUser(), lambda: None, fence=busy)
    memory.may_back_up = True
    memory.start()
    memory.turn_ended()
    eventually(lambda: store.pointer().snapshots)
    assert store.pointer().snapshots[0].unrestful
    (state / "workspace" / "MEMORY.md").write_text("I like coffee")
    memory.close()
    assert [one.reason for one in store.pointer().snapshots] == ["stop", "unrestful"]

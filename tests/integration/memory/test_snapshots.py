"""Memory in S3: packed while in use, restored whole or not at all, never overwritten by an old task."""

import io
import json
import os
import sqlite3
import time
import uuid
from pathlib import Path

import pytest

from bridge.memory.archive import Damaged, unpack
from bridge.memory.contents import MAX_FILE_BYTES
from bridge.memory.points import HOURLY, KEEP, Snapshot
from bridge.memory.snapshots import RestoreFailed, Snapshots
from bridge.memory.tidying import Tidying
from chalicelib.agents.tasks import LeaseLost
from chalicelib.platform import aws
from tests.support.old_archives import pack


def test_what_is_kept_and_what_is_not(bucket: str, state: Path, tmp_path: Path) -> None:
    store = Snapshots(bucket, uuid.uuid4().hex, 1)
    store.backup(state)
    store.restore(tmp_path / "back")
    names = {p.relative_to(tmp_path / "back").as_posix() for p in (tmp_path / "back").rglob("*") if not p.is_dir()}
    assert names == {
        "openclaw.json",
        "workspace/MEMORY.md",
        "workspace/link.md",
        "workspace/run.sh",
        "workspace/skills/tea/SKILL.md",
        "workspace/.git/HEAD",
    }
    assert os.readlink(tmp_path / "back" / "workspace" / "link.md") == "MEMORY.md"
    assert os.access(tmp_path / "back" / "workspace" / "run.sh", os.X_OK)


def test_a_database_in_use_is_copied_with_its_latest_turn(bucket: str, state: Path, tmp_path: Path) -> None:
    """The row is in the -wal file only; a copy of the main file alone would lack it."""
    database = sqlite3.connect(state / "agent.sqlite")
    database.execute("pragma journal_mode=wal")
    database.execute("create table turns (text)")
    database.commit()
    database.execute("pragma wal_checkpoint(truncate)")
    database.execute("insert into turns values ('the latest')")
    database.commit()
    store = Snapshots(bucket, uuid.uuid4().hex, 1)
    store.backup(state)
    store.restore(tmp_path / "back")
    assert not (tmp_path / "back" / "agent.sqlite-wal").exists()
    copy = sqlite3.connect(tmp_path / "back" / "agent.sqlite")
    assert copy.execute("select text from turns").fetchall() == [("the latest",)]
    copy.close()
    database.close()


def test_a_too_large_file_is_left_out_and_counted(bucket: str, state: Path, tmp_path: Path) -> None:
    with (state / "workspace" / "film.mp4").open("wb") as film:
        film.truncate(MAX_FILE_BYTES + 1)
    store = Snapshots(bucket, uuid.uuid4().hex, 1)
    snapshot = store.backup(state)
    assert snapshot is not None
    assert snapshot.skipped == 1
    store.restore(tmp_path / "back")
    assert not (tmp_path / "back" / "workspace" / "film.mp4").exists()


def test_changes_worth_a_save_and_no_others(bucket: str, state: Path) -> None:
    store = Snapshots(bucket, uuid.uuid4().hex, 1)
    assert store.backup(state) is not None
    (state / "cache" / "other.js").write_text("x")
    (state / "agents" / "main" / "y.lock").write_text("x")
    assert store.backup(state) is None
    (state / "workspace" / "MEMORY.md").write_text("I like coffee")
    assert store.backup(state) is not None
    (state / "workspace" / "MEMORY.md").unlink()
    assert store.backup(state) is not None


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "text"])
def test_a_damaged_archive_leaves_nothing_behind(state: Path, tmp_path: Path, damage: str) -> None:
    buffer = io.BytesIO()
    summary = pack(state, buffer)
    raw = bytearray(buffer.getvalue())
    if damage == "flip":
        raw[len(raw) // 2] ^= 0xFF
    broken = {"flip": bytes(raw), "cut": bytes(raw[:-20]), "empty": b"", "text": b"not an archive"}[damage]
    with pytest.raises(Damaged):
        unpack(io.BytesIO(broken), tmp_path / "back", summary.sha256)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["state"]


def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    import tarfile

    import zstandard

    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../outside"), io.BytesIO(b""))
    packed = zstandard.ZstdCompressor().compress(plain.getvalue())
    import hashlib

    with pytest.raises(Damaged):
        unpack(io.BytesIO(packed), tmp_path / "back", hashlib.sha256(packed).hexdigest())
    assert not (tmp_path / "outside").exists()


def test_a_new_user_has_nothing_to_restore(bucket: str, tmp_path: Path) -> None:
    assert Snapshots(bucket, uuid.uuid4().hex, 1).restore(tmp_path / "back") is None
    assert not (tmp_path / "back").exists()


def saved(store: Snapshots, root: Path) -> Snapshot:
    snapshot = store.backup(root)
    assert snapshot is not None
    return snapshot


def test_the_latest_comes_back_and_older_ones_stay_restorable(bucket: str, state: Path, tmp_path: Path) -> None:
    """All of one hour: the last five are kept, and nothing else stays in the bucket."""
    now = [HOURLY * 1000]
    store = Snapshots(bucket, uuid.uuid4().hex, 1, clock=lambda: now[0])
    for number in range(KEEP + 2):
        now[0] += 1000
        (state / "workspace" / "MEMORY.md").write_text(f"memory {number}")
        store.backup(state)
    store.restore(tmp_path / "latest")
    assert (tmp_path / "latest/workspace/MEMORY.md").read_text() == f"memory {KEEP + 1}"
    store.restore(tmp_path / "older", back=KEEP - 1)
    assert (tmp_path / "older/workspace/MEMORY.md").read_text() == "memory 2"
    with pytest.raises(RestoreFailed):
        store.restore(tmp_path / "gone", back=KEEP)
    Tidying(store).tidy()
    keys = store.objects.listed()
    # The complete manifest is the base of the others.
    assert sum(key.endswith(".manifest") for key in keys) == KEEP + 1
    assert sum(key.endswith(".pack") for key in keys) == KEEP + 1
    store.restore(tmp_path / "still", back=KEEP - 1)


def test_an_old_generation_cannot_replace_the_pointer(bucket: str, state: Path) -> None:
    user = uuid.uuid4().hex
    old, new = Snapshots(bucket, user, 1), Snapshots(bucket, user, 2)
    old.backup(state)
    new.backup(state)
    (state / "workspace" / "MEMORY.md").write_text("late")
    with pytest.raises(LeaseLost):
        old.backup(state)


def test_two_writers_at_once_have_one_winner(bucket: str, state: Path) -> None:
    """Both read the same pointer; S3's condition lets one through."""
    user = uuid.uuid4().hex
    first, second = Snapshots(bucket, user, 1), Snapshots(bucket, user, 2)
    first.backup(state)
    seen = first.pointer()
    second.backup(state)
    with pytest.raises(LeaseLost):
        first.move(seen, seen.snapshots[0])


@pytest.mark.parametrize("damage", ["object gone", "object changed", "pack gone", "pack changed", "pointer broken"])
def test_a_restore_that_fails_is_loud(bucket: str, state: Path, tmp_path: Path, damage: str) -> None:
    store, s3 = Snapshots(bucket, uuid.uuid4().hex, 1), aws.client("s3")
    (state / "workspace" / "MEMORY.md").write_text("older")
    store.backup(state)
    (state / "workspace" / "MEMORY.md").write_text("newer")
    latest = saved(store, state)
    if damage == "object gone":
        s3.delete_object(Bucket=bucket, Key=latest.key)
    elif damage == "object changed":
        s3.put_object(Bucket=bucket, Key=latest.key, Body=b"something else")
    elif damage.startswith("pack"):
        pack = max(key for key in store.objects.listed() if key.endswith(".pack"))
        s3.delete_object(Bucket=bucket, Key=pack)
        if damage == "pack changed":
            s3.put_object(Bucket=bucket, Key=pack, Body=b"something else")
    else:
        s3.put_object(Bucket=bucket, Key=store.objects.prefix + "latest", Body=json.dumps({"generation": 1}).encode())
    with pytest.raises(RestoreFailed):
        store.restore(tmp_path / "back")
    assert not (tmp_path / "back").exists()
    if damage != "pointer broken":
        store.restore(tmp_path / "before", back=1)
        assert (tmp_path / "before/workspace/MEMORY.md").read_text() == "older"


def test_3670_files_of_164_mib_cost_what_has_changed(
    bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, size = tmp_path / "state", 164 * 1024 * 1024 // 3670
    for number in range(3670):
        folder = root / f"workspace/{number % 40}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.bin").write_bytes(os.urandom(size // 2) + b"text " * (size // 10))
    store = Snapshots(bucket, uuid.uuid4().hex, 1)
    saved(store, root)
    for number in range(3):
        (root / f"workspace/{number}/{number}.bin").write_bytes(os.urandom(size))
    begun = time.monotonic()
    second = saved(store, root)
    took = time.monotonic() - begun
    begun = time.monotonic()
    store.restore(tmp_path / "back")
    restored = time.monotonic() - begun
    with capsys.disabled():
        print(f"\n3,670 files, 164 MiB, three changed: saved in {took:.2f} s, {second.written} bytes of {3 * size}; "
              f"the agent still for {store.copier.still:.2f} s; restore {restored:.2f} s")  # fmt: skip
    assert sum(1 for path in (tmp_path / "back").rglob("*.bin")) == 3670
    assert second.written <= 2 * 3 * size
    assert took < 10, "a second on a machine that does nothing else: make bench holds that"
    assert restored < 20, "three seconds, likewise"

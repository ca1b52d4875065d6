"""What is stored: snapshots of earlier versions, compaction, a growing database, files that were sent in."""

import io
import json
import os
import sqlite3
import uuid
from pathlib import Path

import pytest

from bridge.memory import contents, manifest
from bridge.memory.snapshots import Snapshot, Snapshots
from bridge.memory.tidying import Tidying
from chalicelib.platform import aws
from tests.support.old_archives import pack


def saved(store: Snapshots, root: Path) -> Snapshot:
    snapshot = store.backup(root)
    assert snapshot is not None
    return snapshot


def test_a_snapshot_of_an_earlier_version_is_restored_and_kept(bucket: str, state: Path, tmp_path: Path) -> None:
    store, s3 = Snapshots(bucket, uuid.uuid4().hex, 2), aws.client("s3")
    archive = io.BytesIO()
    summary = pack(state, archive)
    key = f"{store.objects.prefix}00000001-1764000000000-0001.tar.zst"
    s3.put_object(Bucket=bucket, Key=key, Body=archive.getvalue())
    entry = {"key": key, "created_at": 1764000000000, **vars(summary)}
    pointer = {"generation": 1, "snapshots": [entry]}
    s3.put_object(Bucket=bucket, Key=store.objects.prefix + "latest", Body=json.dumps(pointer).encode())

    assert store.restore(tmp_path / "old") is not None
    assert (tmp_path / "old/workspace/MEMORY.md").read_text() == "I like tea"
    saved(store, tmp_path / "old")
    Tidying(store).tidy()
    store.restore(tmp_path / "new")
    assert (tmp_path / "new/workspace/MEMORY.md").read_text() == "I like tea"
    store.restore(tmp_path / "again", back=1)
    assert (tmp_path / "again/workspace/MEMORY.md").read_text() == "I like tea"


def test_many_small_packs_become_one_and_older_points_stay(bucket: str, state: Path, tmp_path: Path) -> None:
    store = Snapshots(bucket, uuid.uuid4().hex, 1)
    tidying = Tidying(store)
    for number in range(manifest.MANY_SMALL + 3):
        (state / "workspace" / f"{number}.txt").write_text(f"note {number}")
        saved(store, state)
        tidying.after_save()
    assert len(manifest.live_bytes(store.known.entries)) <= 3
    assert store.backup(state) is None, "nothing has changed"
    other = Snapshots(bucket, store.objects.prefix.split("/")[1], 2)
    for back in range(5):
        other.restore(tmp_path / str(back), back)
        assert (tmp_path / str(back) / "workspace/0.txt").read_text() == "note 0"
    assert (tmp_path / "0/workspace/34.txt").read_text() == "note 34"


def test_dead_bytes_are_removed(bucket: str, state: Path, tmp_path: Path) -> None:
    store = Snapshots(bucket, uuid.uuid4().hex, 1)
    tidying = Tidying(store)
    for _ in range(10):
        (state / "workspace" / "noise").write_bytes(os.urandom(1_000_000))
        saved(store, state)
        tidying.after_save()
    tidying.tidy()
    live = sum(manifest.live_bytes(store.known.entries).values())
    assert sum(store.known.sizes.get(name, 0) for name in manifest.live_bytes(store.known.entries)) <= 2 * live
    packs = [key for key in store.objects.listed() if key.endswith(".pack")]
    assert len(packs) <= 7, "the last five restore points need one each"


def test_a_growing_database_costs_its_changed_pages(bucket: str, state: Path) -> None:
    store = Snapshots(bucket, uuid.uuid4().hex, 1)
    (state / "state").mkdir()
    database = sqlite3.connect(state / "state" / "openclaw.sqlite")
    database.execute("pragma journal_mode=wal")
    database.execute("create table said (text)")
    database.executemany("insert into said values (?)", [(os.urandom(1000),) for _ in range(20_000)])
    database.commit()
    assert saved(store, state).written > 20_000_000
    database.execute("insert into said values (?)", (os.urandom(1000),))
    database.commit()
    assert saved(store, state).written < 100_000
    database.close()


def test_what_was_sent_in_is_kept_newest_first_within_a_budget(
    bucket: str, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = state / "media" / "inbound"
    media.mkdir(parents=True)
    for number in range(5):
        (media / f"{number}.png").write_bytes(bytes(1000))
        os.utime(media / f"{number}.png", (number, number))
    monkeypatch.setattr(contents, "MEDIA_BYTES", 3000)
    names = [name for name, path in contents.entries(state) if path.suffix == ".png"]
    assert sorted(names) == [f"media/inbound/{number}.png" for number in (2, 3, 4)]
    store = Snapshots(bucket, uuid.uuid4().hex, 1)
    saved(store, state)
    store.restore(tmp_path / "back")
    assert len(list((tmp_path / "back/media/inbound").iterdir())) == 5, "the helper has the real budget"

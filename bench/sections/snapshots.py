"""Save and restore of a user's memory, beside the archives of earlier versions; S3's stand-in is on this machine."""

import os
import shutil
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench import cloud as clouds
from bench.registry import Options
from bench.rows import Row, row
from bridge.memory.points import Snapshot
from bridge.memory.snapshots import Snapshots
from bridge.memory.tidying import Tidying
from chalicelib.platform import aws
from chalicelib.platform.clock import DAY, now_ms
from local.resources import BUCKET
from tests.support.old_archives import pack

SECTION = "snapshots"
MIB = 1024 * 1024
# name, files, bytes in all, runs, whether the bars are of this size
SIZES = (
    ("10 MiB, 230 files", 230, 10 * MIB, 5, False),
    ("164 MiB, 3,670 files", 3670, 164 * MIB, 5, True),
    ("1 GiB, 23,000 files", 23_000, 1024 * MIB, 2, False),
)
CHANGED = 3
# Of one person: docs/cost.md counts with what this leaves in the bucket.
TURNS_A_DAY, DAYS = 40, 30


def run(options: Options) -> list[Row]:
    rows: list[Row] = []
    with clouds.running(options.folder) as cloud:
        del cloud
        for name, files, size, runs, held in SIZES:
            if options.quick:
                files, size = files // 10, size // 10
            options.say(name)
            root = _state(options.folder / f"state-{files}", files, size)
            rows += _rows(name, root, options.runs(runs, 1), held)
            rows += _archives(name, root, options.runs(runs, 1))
        options.say(f"{DAYS} days of {TURNS_A_DAY} turns")
        rows += _month(options)
    return rows


def _state(root: Path, files: int, size: int) -> Path:
    """Half of each file is noise, half repeats: it packs to about half. And OpenClaw's database."""
    for number in range(files):
        folder = root / "workspace" / str(number % 40)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.bin").write_bytes(_content(size // files))
    (root / "state").mkdir()
    with sqlite3.connect(root / "state" / "openclaw.sqlite") as database:
        database.execute("pragma journal_mode=wal")
        database.execute("create table said (text)")
        database.executemany("insert into said values (?)", [(os.urandom(1000),) for _ in range(1500)])
    database.close()
    return root


def _content(size: int) -> bytes:
    return os.urandom(size // 2) + b"text " * (size // 10)


def _turn(root: Path, number: int, size: int) -> int:
    """What a turn leaves: three files written anew and a row. The number of bytes."""
    for at in range(CHANGED):
        name = (number * CHANGED + at) % 200
        (root / "workspace" / str(name % 40) / f"{name}.bin").write_bytes(_content(size))
    with sqlite3.connect(root / "state" / "openclaw.sqlite") as database:
        database.execute("insert into said values (?)", (os.urandom(1000),))
    database.close()
    return CHANGED * size + 1000


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    found = work()
    return time.perf_counter() - begun, found


def _rows(name: str, root: Path, runs: int, held: bool) -> list[Row]:
    store, size = Snapshots(BUCKET, uuid.uuid4().hex, 1), (root / "workspace/0/0.bin").stat().st_size
    first, snapshot = _timed(lambda: store.backup(root))
    saves, still, share, restores = [], [], [], []
    for number in range(runs):
        changed = _turn(root, number, size)
        seconds, snapshot = _timed(lambda: store.backup(root))
        assert isinstance(snapshot, Snapshot)
        saves.append(seconds)
        still.append(store.copier.still)
        share.append(snapshot.written / changed)
        restores.append(_restored(root, store.restore))
    part = f"{name}: bytes of a save, as a multiple of the changed ones"
    return [
        row(SECTION, f"{name}: first save", "s", [first]),
        row(SECTION, f"{name}: save after a turn", "s", saves, "save" * held),
        row(SECTION, f"{name}: of it, the agent is kept still", "s", still),
        row(SECTION, part, "×", share, "save-bytes" * held),
        row(SECTION, f"{name}: restore", "s", restores, "restore" * held),
        row(SECTION, f"{name}: downloaded by a restore", "MB", [snapshot.bytes / 1e6]),
    ]


def _restored(root: Path, restore: Callable[[Path], Any]) -> float:
    """Into a new folder, which stays: after thousands of files were deleted, ext4 searches among them for half a
    minute at each new file (0.45 instead of 0.03 ms). A new container's disk knows no deleted files."""
    back = root.with_name(f"back-{uuid.uuid4().hex}")
    seconds, _ = _timed(lambda: restore(back))
    _same(root, back)
    return seconds


def _archives(name: str, root: Path, runs: int) -> list[Row]:
    """The same as one tar.zst, as earlier versions kept it."""
    store, s3 = Snapshots(BUCKET, uuid.uuid4().hex, 1), aws.client("s3")
    saves, restores, sizes = [], [], []
    for number in range(runs):
        key = f"{store.objects.prefix}{number}.tar.zst"
        begun = time.perf_counter()
        with tempfile.TemporaryFile() as file:
            summary = pack(root, file)
            file.seek(0)
            s3.put_object(Bucket=BUCKET, Key=key, Body=file)
        saves.append(time.perf_counter() - begun)
        wanted = Snapshot(key, summary.sha256, summary.bytes, summary.files, 0)
        restores.append(_restored(root, partial(store.restore_one, wanted)))
        sizes.append(summary.bytes / 1e6)
    return [
        row(SECTION, f"{name}: as one archive (before): save", "s", saves),
        row(SECTION, f"{name}: as one archive (before): restore", "s", restores),
        row(SECTION, f"{name}: as one archive (before): bytes of a save", "MB", sizes),
    ]


def _month(options: Options) -> list[Row]:
    """What the bucket holds after a month of saves: restore points, and what was deleted (it stays 30 days)."""
    root, now = _state(options.folder / "state", 230, 10 * MIB), [now_ms()]
    store = Snapshots(BUCKET, uuid.uuid4().hex, 1, clock=lambda: now[0])
    tidying, turns = Tidying(store), TURNS_A_DAY * DAYS // (20 if options.quick else 1)
    written, size = 0, (root / "workspace/0/0.bin").stat().st_size
    for number in range(turns):
        _turn(root, number, size)
        snapshot = store.backup(root)
        assert snapshot is not None
        written += snapshot.written
        tidying.after_save()
        now[0] += DAY // TURNS_A_DAY
    tidying.tidy()
    kept = sum(_size(key) for key in store.objects.listed())
    pointer = _size(store.objects.prefix + "latest") * turns
    shutil.rmtree(root)
    per = f"{turns} turns in {turns // TURNS_A_DAY or 1} days, 10 MiB"
    return [
        row(SECTION, f"{per}: stored for all restore points", "MB", [kept / 1e6]),
        row(SECTION, f"{per}: written in all", "MB", [(written + tidying.written + pointer) / 1e6]),
    ]


def _size(key: str) -> int:
    return int(aws.client("s3").head_object(Bucket=BUCKET, Key=key)["ContentLength"])


def _same(root: Path, back: Path) -> None:
    """Raises RuntimeError when a restore is not what was saved."""
    there = {path.relative_to(back): path.stat().st_size for path in back.rglob("*.bin")}
    wanted = {path.relative_to(root): path.stat().st_size for path in root.rglob("*.bin")}
    if there != wanted:
        raise RuntimeError(f"{len(there)} files came back of {len(wanted)}")

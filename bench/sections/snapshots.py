"""Snapshot and restore of a user's memory, with S3's stand-in on the same machine."""

import os
import shutil
import time
import uuid
from pathlib import Path

from bench import cloud as clouds
from bench.registry import Options
from bench.rows import Row, row
from bridge.memory.snapshots import Snapshots
from chalicelib.platform import aws
from local.resources import BUCKET

SECTION = "snapshots"
MIB = 1024 * 1024
# name, files, bytes in all, bar of the restore
SIZES = (("200 files of 10 KB", 200, 200 * 10_000, ""), ("3,670 files, 164 MiB", 3670, 164 * MIB, "restore"))


def run(options: Options) -> list[Row]:
    rows: list[Row] = []
    with clouds.running(options.folder) as cloud:
        del cloud
        for name, files, size, bar in SIZES:
            if options.quick:
                files, size = files // 10, size // 10
            rows += _rows(name, _state(options.folder / name, files, size), bar, options)
    return rows


def _state(root: Path, files: int, size: int) -> Path:
    """Half of each file is noise, half repeats: it packs to about half."""
    each = size // files
    for number in range(files):
        folder = root / "workspace" / str(number % 40)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.bin").write_bytes(os.urandom(each // 2) + b"text " * (each // 10))
    return root


def _rows(name: str, root: Path, bar: str, options: Options) -> list[Row]:
    saved, restored, fetched, packed = [], [], [], []
    for number in range(options.runs(5, 1)):
        store, back = Snapshots(BUCKET, uuid.uuid4().hex, 1), root.with_name(f"back-{number}")
        begun = time.perf_counter()
        snapshot = store.backup(root)
        saved.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        body = aws.client("s3").get_object(Bucket=BUCKET, Key=snapshot.key)["Body"].read()
        fetched.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        store.restore(back)
        restored.append(time.perf_counter() - begun)
        packed.append(len(body) / 1e6)
        _same(root, back)
        shutil.rmtree(back)
    shutil.rmtree(root)
    return [
        row(SECTION, f"{name}: snapshot", "s", saved),
        row(SECTION, f"{name}: restore", "s", restored, bar),
        row(SECTION, f"{name}: of the restore, S3's stand-in alone", "s", fetched),
        row(SECTION, f"{name}: packed", "MB", packed),
    ]


def _same(root: Path, back: Path) -> None:
    """Raises RuntimeError when a restore is not what was saved."""
    there = {path.relative_to(back): path.stat().st_size for path in back.rglob("*.bin")}
    wanted = {path.relative_to(root): path.stat().st_size for path in root.rglob("*.bin")}
    if there != wanted:
        raise RuntimeError(f"{len(there)} files came back of {len(wanted)}")

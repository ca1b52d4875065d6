"""What is taken in of a packed folder from elsewhere, and what is not."""

import io
import json
import os
import sqlite3
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
import zstandard

from bridge.memory import importing
from bridge.memory.archive import Damaged
from bridge.memory.exporting import export
from bridge.memory.importing import take_in

FILES = {"workspace/MEMORY.md": b"I like tea", "agents/main/notes.txt": b"x", "workspace/.env": b"MINE=1"}


def zipped(files: dict[str, bytes]) -> io.BytesIO:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    content.seek(0)
    return content


def tarred(files: dict[str, bytes], mode: str = "w:gz") -> io.BytesIO:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as tar:  # type: ignore[call-overload]
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text), 0o644
            tar.addfile(info, io.BytesIO(text))
    content.seek(0)
    return content


def names(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize("prefix", ["", ".openclaw/", "home/joe/.openclaw/", "backup/", "./.openclaw/"])
@pytest.mark.parametrize("packed", [zipped, tarred])
def test_the_folder_is_found_wherever_it_is(tmp_path: Path, prefix: str, packed: type) -> None:
    files = {prefix + name: text for name, text in FILES.items()} | {"unrelated.txt": b"no"}
    take_in(packed(files), tmp_path / "root")
    assert {*FILES} <= names(tmp_path / "root")
    if prefix:
        assert "unrelated.txt" not in names(tmp_path / "root")


def test_zstd_and_plain_tar(tmp_path: Path) -> None:
    take_in(tarred(FILES, "w:"), tmp_path / "a")
    packed = zstandard.ZstdCompressor().compress(tarred(FILES, "w:").getvalue())
    take_in(io.BytesIO(packed), tmp_path / "b")
    assert names(tmp_path / "a") == names(tmp_path / "b") == {*FILES}


def test_keys_channels_and_what_is_made_again_stay_out(tmp_path: Path) -> None:
    settings = {"gateway": {"auth": {"token": "t"}}, "channels": {"telegram": {"botToken": "b"}}, "tools": {"deny": []}}
    files = FILES | {
        "openclaw.json": json.dumps(settings).encode(),
        "credentials/oauth.json": b"secret",
        ".env": b"KEY=secret",
        "agents/main/agent/auth-profiles.json": b"secret",
        "logs/today.log": b"x",
        "workspace/node_modules/a.js": b"x",
    }
    take_in(zipped(files), tmp_path / "root")
    assert names(tmp_path / "root") == {*FILES, "openclaw.json"}
    assert json.loads((tmp_path / "root/openclaw.json").read_text()) == {"tools": {"deny": []}}


def test_a_configuration_that_is_no_json_is_left_out(tmp_path: Path) -> None:
    take_in(zipped(FILES | {"openclaw.json": b"{a: 1} // JSON5"}), tmp_path / "root")
    assert names(tmp_path / "root") == {*FILES}


def test_keys_in_databases_are_forgotten_and_the_rest_stays(tmp_path: Path) -> None:
    source = tmp_path / "source.sqlite"
    with closing(sqlite3.connect(source)) as database, database:
        database.execute("pragma journal_mode=wal")
        for table in ("auth_profile_store", "transcript_events"):
            database.execute(f"create table {table} (text)")
            database.execute(f"insert into {table} values ('word')")  # noqa: S608  our own two
    name = "agents/main/agent/openclaw-agent.sqlite"
    take_in(zipped(FILES | {name: source.read_bytes()}), tmp_path / "root")
    with closing(sqlite3.connect(tmp_path / "root" / name)) as database:
        assert database.execute("select count(*) from auth_profile_store").fetchone() == (0,)
        assert database.execute("select text from transcript_events").fetchone() == ("word",)


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "workspace/../../outside"])
def test_nothing_is_written_elsewhere(tmp_path: Path, name: str) -> None:
    take_in(zipped(FILES | {name: b"x"}), tmp_path / "root")
    assert names(tmp_path) == {f"root/{one}" for one in FILES}


def test_no_file_goes_through_a_link(tmp_path: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        link = tarfile.TarInfo("workspace/out")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo("workspace/out/written"), io.BytesIO(b""))
    content.seek(0)
    with pytest.raises((Damaged, OSError)):
        take_in(content, tmp_path / "root")
    assert not (tmp_path / "written").exists()
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (io.BytesIO(b"no archive"), "cannot be read"),
        (io.BytesIO(b""), "cannot be read"),
        (io.BytesIO(b"\x28\xb5\x2f\xfdbroken"), "cannot be read"),
        (zipped({"holiday/photo.jpg": b"x"}), "no OpenClaw folder"),
        (tarred(FILES, "w:").read(700), "cannot be read"),
    ],
)
def test_what_is_no_such_folder_is_refused_with_its_reason(tmp_path: Path, content: object, why: str) -> None:
    source = content if isinstance(content, io.BytesIO) else io.BytesIO(bytes(content))  # type: ignore[call-overload]
    with pytest.raises(Damaged, match=why):
        take_in(source, tmp_path / "root")
    assert list(tmp_path.iterdir()) == []


def test_a_limit_on_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MAX_BYTES", 10)
    with pytest.raises(Damaged, match="too large"):
        take_in(zipped({"workspace/a": bytes(11)}), tmp_path / "root")


def test_an_export_is_taken_in_as_it_was(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "workspace" / "skills").mkdir(parents=True)
    (root / "workspace" / "run.sh").write_text("#!/bin/sh\n")
    (root / "workspace" / "run.sh").chmod(0o755)
    os.symlink("run.sh", root / "workspace" / "link")
    with closing(sqlite3.connect(root / "workspace" / "ledger.db")) as database, database:
        database.execute("create table t (x)")
    content = io.BytesIO()
    assert export(root, content) == 3
    content.seek(0)
    take_in(content, tmp_path / "back")
    assert names(tmp_path / "back") == {"workspace/run.sh", "workspace/link", "workspace/ledger.db"}
    assert os.readlink(tmp_path / "back/workspace/link") == "run.sh"
    assert os.access(tmp_path / "back/workspace/run.sh", os.X_OK)

"""A program that is killed while it writes a database: its half transaction is not saved, all before it is.

With a rollback journal the half-written pages are in the file itself, and what undoes them is in the journal beside it.
Reading such a file alone, or leaving it out, loses the person's data. Found by others in OpenClaw's own backup.
"""

import errno
import hashlib
import io
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bridge.memory import databases, saving
from bridge.memory.chunks import Packs
from bridge.memory.databases import copy_database
from bridge.memory.exporting import export
from bridge.memory.saving import Saver
from tests.integration.memory.test_archive import looked, restore

ROWS = 2000
# Writes more than SQLite's page cache holds, so that pages of the open transaction reach the file.
WRITER = """
import sqlite3, sys
path, mode = sys.argv[1:]
database = sqlite3.connect(path, isolation_level=None)
database.execute(f"pragma journal_mode={mode}")
database.execute("create table t (id integer primary key, x text)")
database.execute("begin")
database.executemany("insert into t (x) values (?)", [("before" * 50,)] * 2000)
database.execute("commit")
database.execute("pragma cache_size=5")
database.execute("begin")
database.execute("update t set x = replace(x, 'before', 'halfwy')")
print("now", flush=True)
sys.stdin.read()
"""


def killed(path: Path, mode: str) -> None:
    """A database after its writer was killed in the middle of a transaction."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", WRITER, str(path), mode]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdin is not None
    assert writer.stdout.readline() == b"now\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdin.close()
    writer.stdout.close()


def beside(path: Path) -> dict[str, str]:
    """The files of a database as they are on the disk."""
    found = path.parent.glob(path.name + "*")
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in found if not one.name.endswith("-shm")}


def rows(path: Path) -> list[tuple[str, int]]:
    database = sqlite3.connect(path)
    assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
    found = database.execute("select substr(x, 1, 6), count(*) from t group by 1").fetchall()
    database.close()
    return found


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist", "wal"])
@pytest.mark.parametrize("name", ["workspace/ledger.db", "state/openclaw.sqlite"])
def test_a_killed_writers_database_is_saved_as_it_was_before(tmp_path: Path, name: str, mode: str) -> None:
    path = tmp_path / "root" / name
    killed(path, mode)
    before = beside(path)
    if mode != "wal":
        assert (path.with_name(path.name + "-journal")).stat().st_size > 0, "the journal is hot"
    kept = looked(tmp_path / "root")
    assert kept.saved.skipped == 0
    assert beside(path) == before, "the agent's own files are not touched"
    restore(kept, tmp_path / "back", None)
    assert rows(tmp_path / "back" / name) == [("before", ROWS)]
    assert [one.name for one in (tmp_path / "back" / name).parent.iterdir()] == [path.name]


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("place", ["workspace/a-link.db", "workspace/z/link.db", "state/link.sqlite"])
def test_a_second_name_of_a_database_is_saved_with_the_log_of_the_first(tmp_path: Path, mode: str, place: str) -> None:
    """The log lies beside the name that the writer opened, and the other name alone is half of the database."""
    path, link = tmp_path / "root" / "workspace/ledger.db", tmp_path / "root" / place
    killed(path, mode)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.hardlink_to(path)
    kept = looked(tmp_path / "root")
    assert kept.saved.skipped == 0
    restore(kept, tmp_path / "back", None)
    for name in ("workspace/ledger.db", place):
        assert rows(tmp_path / "back" / name) == [("before", ROWS)], name


def test_an_export_has_the_second_name_s_database_whole(tmp_path: Path) -> None:
    path, link = tmp_path / "root/workspace/ledger.db", tmp_path / "root/workspace/a-link.db"
    killed(path, "wal")
    link.hardlink_to(path)
    packed = io.BytesIO()
    export(tmp_path / "root", packed)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "back")
    assert rows(tmp_path / "back/.openclaw/workspace/a-link.db") == [("before", ROWS)]


def test_the_first_name_may_lie_where_nothing_is_saved_from(tmp_path: Path) -> None:
    path, link = tmp_path / "root" / "workspace/node_modules/ledger.db", tmp_path / "root" / "workspace/ledger.db"
    killed(path, "wal")
    link.hardlink_to(path)
    kept = looked(tmp_path / "root")
    restore(kept, tmp_path / "back", None)
    assert rows(tmp_path / "back/workspace/ledger.db") == [("before", ROWS)]


def test_a_database_with_two_logs_is_left_as_it_was_saved_before(tmp_path: Path) -> None:
    """Opened by both names, which SQLite warns of: neither log knows the other. It is counted as skipped."""
    path, link = tmp_path / "root" / "workspace/ledger.db", tmp_path / "root" / "workspace/link.db"
    killed(path, "wal")
    link.hardlink_to(path)
    shutil.copyfile(path.with_name("ledger.db-wal"), link.with_name("link.db-wal"))
    saver = Saver(tmp_path / "root", {}, {}, Packs(io.BytesIO(), "pack", {}))
    saver.look()
    assert "workspace/ledger.db" not in saver.entries
    assert saver.skipped == 2
    link.with_name("link.db-wal").unlink()
    saver.look()
    known = dict(saver.entries)
    assert saver.skipped == 0
    shutil.copyfile(path.with_name("ledger.db-wal"), link.with_name("link.db-wal"))
    saver.look()
    assert (saver.entries, saver.skipped) == (known, 2)


def test_what_is_written_by_the_first_name_changes_the_second(tmp_path: Path) -> None:
    """Also when only the log has grown: the second look of a save compares what it has seen."""
    path, link = tmp_path / "root" / "workspace/ledger.db", tmp_path / "root" / "workspace/link.db"
    killed(path, "wal")
    link.hardlink_to(path)
    saver = Saver(tmp_path / "root", {}, {}, Packs(io.BytesIO(), "pack", {}))
    saver.look()
    before = saver.entries["workspace/link.db"]
    database = sqlite3.connect(path)
    database.execute("update t set x = 'later'")
    database.commit()
    saver.look()
    database.close()
    assert saver.entries["workspace/link.db"] != before
    assert saver.entries["workspace/link.db"][4] == saver.entries["workspace/ledger.db"][4]


def test_a_file_that_needs_another_journal_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that names a journal of several databases: undoing one alone would tear them apart."""
    monkeypatch.setattr(databases, "BUSY_SECONDS", 0.3)
    path = tmp_path / "a.db"
    killed(path, "delete")
    journal = path.with_name("a.db-journal")
    name = str(tmp_path / "a.db-mj00000001").encode()
    checksum = sum(name).to_bytes(4, "big")
    ending = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
    with journal.open("ab") as file:
        file.write((1).to_bytes(4, "big") + name + len(name).to_bytes(4, "big") + checksum + ending)
    (tmp_path / "a.db-mj00000001").write_bytes(b"")
    before = beside(path)
    with pytest.raises(sqlite3.OperationalError):
        copy_database(path, tmp_path / "copy.db")
    assert beside(path) == before


def test_a_database_that_its_owner_mends_meanwhile_is_copied_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next program to open it undoes the half transaction, here while both files are copied."""
    path, copyfile = tmp_path / "a.db", shutil.copyfile
    killed(path, "delete")

    def meanwhile(source: Path, target: Path) -> object:
        rows(path)
        return copyfile(source, target)

    monkeypatch.setattr(shutil, "copyfile", meanwhile)
    copy_database(path, tmp_path / "copy.db")
    assert rows(tmp_path / "copy.db") == [("before", ROWS)]


def test_a_database_that_cannot_be_read_now_keeps_its_saved_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older version is better than none; it is counted as left out, and looked at again at the next save."""
    monkeypatch.setattr(databases, "BUSY_SECONDS", 0.3)
    path = tmp_path / "root" / "workspace" / "a.sqlite"
    path.parent.mkdir(parents=True)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("create table t (x)")
    saver = Saver(tmp_path / "root", {}, {}, Packs(io.BytesIO(), "save", {}))
    saver.look()
    before = saver.entries["workspace/a.sqlite"]
    database.execute("insert into t values ('later')")
    database.execute("begin exclusive")
    saver.look()
    assert (saver.entries["workspace/a.sqlite"], saver.skipped) == (before, 1)
    database.close()
    saver.look()
    assert saver.entries["workspace/a.sqlite"] != before
    assert saver.skipped == 0


def test_a_database_that_grew_too_large_is_left_out_as_any_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last small version would come back at the next start, as if the agent had forgotten."""
    path = tmp_path / "root" / "workspace" / "a.sqlite"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as database:
        database.execute("create table t (x)")
    saver = Saver(tmp_path / "root", {}, {}, Packs(io.BytesIO(), "save", {}))
    saver.look()
    assert "workspace/a.sqlite" in saver.entries
    monkeypatch.setattr(saving, "MAX_FILE_BYTES", 20_000)
    with database:
        database.execute("insert into t values (zeroblob(40000))")
    saver.look()
    assert ("workspace/a.sqlite" in saver.entries, saver.skipped) == (False, 1)
    database.close()


@pytest.mark.parametrize("failing", ["copyfile", "open"])
def test_a_database_that_the_disk_cannot_read_ends_no_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    killed(tmp_path / "root" / "workspace" / "a.db", "delete")
    (tmp_path / "root" / "workspace" / "b.txt").write_text("kept")
    opened = Path.open

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "input/output error")

    def fail_journal(path: Path, *args: Any) -> Any:
        return fail() if path.name.endswith("-journal") else opened(path, *args)

    if failing == "copyfile":
        monkeypatch.setattr(shutil, "copyfile", fail)
    else:
        monkeypatch.setattr(Path, "open", fail_journal)
    saver = Saver(tmp_path / "root", {}, {}, Packs(io.BytesIO(), "save", {}))
    saver.look()
    assert ("workspace/a.db" in saver.entries, "workspace/b.txt" in saver.entries, saver.skipped) == (False, True, 1)


BUSY = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("pragma journal_mode=wal")
database.execute("create table t (id integer primary key, x text)")
database.execute("begin")
database.executemany("insert into t (x) values (?)", [("x" * 1000,)] * 20000)
database.execute("commit")
print("now", flush=True)
while True:
    database.execute("update t set x = x || 'y' where id = abs(random()) % 20000")
"""


def test_a_database_that_is_written_all_the_time_is_copied_soon(tmp_path: Path) -> None:
    """In one step: a backup in many steps begins anew at each write of another program, and never ends."""
    path = tmp_path / "busy.db"
    writer = subprocess.Popen([sys.executable, "-c", BUSY, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"now\n"
    begun = time.monotonic()
    copy_database(path, tmp_path / "copy.db")
    seconds = time.monotonic() - begun
    assert writer.poll() is None, "it still writes"
    writer.kill()
    writer.wait()
    writer.stdout.close()
    assert seconds < 5
    copy = sqlite3.connect(tmp_path / "copy.db")
    assert copy.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert copy.execute("select count(*) from t").fetchall() == [(20000,)]
    copy.close()

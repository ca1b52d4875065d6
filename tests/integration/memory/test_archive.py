"""What agents really have in their folders: packed while it changes, restored as it was, by a user without rights."""

import hashlib
import io
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
import zstandard

from bridge.memory import databases, saving
from bridge.memory.archive import Damaged, unpack
from bridge.memory.archiver import ArchiveFailed
from bridge.memory.chunks import Packs
from bridge.memory.contents import excluded
from bridge.memory.copying import Copier, Saved
from bridge.memory.manifest import Delta
from bridge.memory.saving import Saver
from bridge.shared.rest import Fence, NotAtRest
from bridge.shared.user import AgentUser

AGENT = 10002 if os.geteuid() == 0 else None


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder of the agent's own, where it may enter."""
    folder = Path(tempfile.mkdtemp(prefix="archive-"))
    AgentUser(AGENT).own(folder)
    (folder / "state").mkdir()
    yield folder
    shutil.rmtree(folder)


def as_agent(home: Path, script: str) -> None:
    """A shell in the state directory, as the agent."""
    command = AgentUser(AGENT).command(["/bin/sh", "-ec", script], home / "state")
    if AGENT is not None:
        os.chown(home / "state", AGENT, AGENT)
    subprocess.run(command, check=True)


def there_and_back(home: Path) -> Path:
    """Save and restore in processes of the agent's user, as the Bridge does."""
    restore(save(home), home / "back")
    return home / "back"


class Kept:
    """What one save has made: the packs, by name."""

    def __init__(self, saved: Saved, content: bytes) -> None:
        self.saved = saved
        self.packs: dict[str, bytes] = {}
        for number, length in enumerate(saved.lengths):
            self.packs[f"save.{number}"], content = content[:length], content[length:]


def save(home: Path, fence: Fence = nullcontext) -> Kept:
    with tempfile.TemporaryFile() as file:
        saved = Copier(AgentUser(AGENT)).save(home / "state", {}, {}, "save", file, fence)
        file.seek(0)
        return Kept(saved, file.read())


def restore(kept: Kept, root: Path, uid: int | None = AGENT) -> None:
    with Copier(AgentUser(uid)).restore(root, kept.saved.delta.changed, list(kept.packs)) as restoring:
        for name, content in kept.packs.items():
            restoring.put(name, content)


def test_a_second_name_of_a_file_is_a_file_again(home: Path) -> None:
    as_agent(home, "mkdir workspace; echo tea > workspace/a; ln workspace/a workspace/b")
    back = there_and_back(home)
    assert (back / "workspace/a").read_text() == (back / "workspace/b").read_text() == "tea\n"


def test_a_folder_closed_to_writing_comes_back_with_its_files(home: Path) -> None:
    """Go's module cache is such a tree."""
    as_agent(home, "mkdir -p workspace/mod/deep; echo x > workspace/mod/deep/go.mod; chmod -R a-w workspace/mod")
    back = there_and_back(home)
    assert (back / "workspace/mod/deep/go.mod").read_text() == "x\n"
    assert (back / "workspace/mod/deep").stat().st_mode & 0o777 == 0o555
    AgentUser(AGENT).remove(back)
    assert not back.exists()


def test_what_its_own_user_may_not_read_is_left_out_and_counted(home: Path) -> None:
    as_agent(home, "echo x > secret; mkdir closed; echo y > closed/file; echo z > open; chmod 000 secret closed")
    assert save(home).saved.skipped == 1
    assert there_and_back(home).joinpath("open").read_text() == "z\n"


def test_a_name_that_is_no_text(home: Path) -> None:
    as_agent(home, "touch \"$(printf 'caf\\351')\"; touch \"$(printf 'new\\nline')\"")
    assert {os.fsencode(path.name) for path in there_and_back(home).iterdir()} == {b"caf\xe9", b"new\nline"}


def test_links_pipes_and_sockets(home: Path) -> None:
    """A link stays a link, wherever it points; the rest is of this machine."""
    as_agent(home, "ln -s /etc/passwd a; ln -s nowhere b; ln -s . loop; mkfifo pipe; mkdir empty")
    back = there_and_back(home)
    assert {path.name for path in back.iterdir()} == {"a", "b", "loop", "empty"}
    assert os.readlink(back / "a") == "/etc/passwd"


def test_what_changes_during_the_first_look_is_read_again_at_rest(home: Path) -> None:
    as_agent(home, "mkdir workspace; head -c 3000000 /dev/urandom > workspace/noise; echo old > workspace/note")

    @contextmanager
    def changing() -> Iterator[None]:
        as_agent(home, "head -c 10 workspace/noise > n; cat n > workspace/noise; echo new > workspace/note; rm n")
        yield

    restore(save(home, changing), home / "back")
    assert (home / "back/workspace/note").read_text() == "new\n"
    assert (home / "back/workspace/noise").stat().st_size == 10


@pytest.mark.parametrize("damage", ["flip", "cut", "missing", "swapped"])
def test_damaged_packs_leave_nothing_behind(home: Path, damage: str) -> None:
    as_agent(home, "mkdir workspace; head -c 20000000 /dev/urandom > workspace/noise; echo x > workspace/note")
    kept = save(home)
    assert len(kept.packs) >= 2
    first, second = list(kept.packs)[:2]
    if damage == "flip":
        content = bytearray(kept.packs[first])
        content[len(content) // 2] ^= 0xFF
        kept.packs[first] = bytes(content)
    elif damage == "cut":
        kept.packs[first] = kept.packs[first][:-20]
    elif damage == "missing":
        del kept.packs[first]
    else:
        kept.packs[first], kept.packs[second] = kept.packs[second], kept.packs[first]
    with pytest.raises(Damaged):
        restore(kept, home / "back")
    assert sorted(path.name for path in home.iterdir()) == ["state"]


def test_a_fence_that_does_not_close_ends_the_helper(home: Path) -> None:
    @contextmanager
    def busy() -> Iterator[None]:
        raise NotAtRest("turn", 1)
        yield

    with pytest.raises(NotAtRest):
        save(home, busy)


def looked(root: Path) -> Kept:
    """The same in this process."""
    target = io.BytesIO()
    packs = Packs(target, "save", {})
    saver = Saver(root, {}, {}, packs)
    saver.look()
    counts = len(saver.entries), saver.skipped, saver.databases
    return Kept(Saved(Delta(saver.entries, []), {}, packs.lengths, *counts), target.getvalue())


def test_any_sqlite_database_in_use_is_copied_whole_whatever_its_name(tmp_path: Path) -> None:
    root = tmp_path / "state"
    (root / "workspace").mkdir(parents=True)
    database = sqlite3.connect(root / "workspace" / "ledger.db")
    database.execute("pragma journal_mode=wal")
    database.execute("create table t (x)")
    database.execute("insert into t values ('latest')")
    database.commit()
    (root / "workspace" / "ledger.db").chmod(0o600)
    first = looked(root)
    database.execute("insert into t values ('later')")
    database.commit()
    kept = looked(root)
    assert kept.saved.delta != first.saved.delta, "the row is in ledger.db-wal only"
    restore(kept, tmp_path / "back", None)
    database.close()
    assert [path.name for path in (tmp_path / "back/workspace").iterdir()] == ["ledger.db"]
    assert (tmp_path / "back/workspace/ledger.db").stat().st_mode & 0o777 == 0o600
    copy = sqlite3.connect(tmp_path / "back/workspace/ledger.db")
    assert copy.execute("select x from t").fetchall() == [("latest",), ("later",)]
    copy.close()


@pytest.mark.parametrize(("name", "kept"), [("workspace/a.sqlite", True), ("state/openclaw.sqlite", False)])
def test_a_database_that_stays_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kept: bool) -> None:
    """A database of the agent is left out then. Without that of OpenClaw there is no snapshot. Never half a copy."""
    monkeypatch.setattr(databases, "BUSY_SECONDS", 0.3)
    path = tmp_path / "root" / name
    path.parent.mkdir(parents=True)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("create table t (x)")
    database.execute("begin exclusive")
    if kept:
        assert looked(tmp_path / "root").saved.skipped == 1
    else:
        with pytest.raises(sqlite3.OperationalError):
            looked(tmp_path / "root")
    database.close()


def test_openclaws_own_database_is_kept_whatever_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "MAX_FILE_BYTES", 1000)
    for name in ("agents/main/agent/openclaw-agent.sqlite", "workspace/own.sqlite"):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True)
        database = sqlite3.connect(path)
        database.execute("create table t (x)")
        database.commit()
        database.close()
    kept = looked(tmp_path / "root")
    assert kept.saved.skipped == 1
    restore(kept, tmp_path / "back", None)
    assert (tmp_path / "back/agents/main/agent/openclaw-agent.sqlite").exists()
    assert not (tmp_path / "back/workspace/own.sqlite").exists()


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("workspace/poetry.lock", False),
        ("workspace/notes.log", False),
        ("workspace/.git/index.lock", True),
        ("agents/main/session.lock", True),
        ("workspace/my_node_modules/x", False),
        ("workspace/site/node_modules/x", True),
        ("workspace/cache/x", False),
        ("cache/x", True),
        ("openclaw.json.bak.1", True),
        ("openclaw.json", False),
    ],
)
def test_the_users_own_files_are_kept_and_what_can_be_made_again_is_not(name: str, left_out: bool) -> None:
    assert excluded(name) is left_out


def test_a_full_disk_is_a_failure_and_not_a_snapshot(home: Path) -> None:
    as_agent(home, "head -c 300000 /dev/urandom > noise")
    with open("/dev/full", "wb") as full, pytest.raises(ArchiveFailed):
        Copier(AgentUser(AGENT)).save(home / "state", {}, {}, "save", full, nullcontext)


def test_a_folder_that_may_not_be_written_is_a_failure_with_nothing_left(home: Path) -> None:
    as_agent(home, "echo x > file")
    kept = save(home)
    with pytest.raises(ArchiveFailed):
        restore(kept, Path("/proc/nowhere/back"))


def test_a_helper_that_takes_too_long_is_ended(home: Path) -> None:
    """A disk that does not answer in time is a failure like any other."""
    with tempfile.TemporaryFile() as file, pytest.raises(ArchiveFailed, match="not done"):
        Copier(AgentUser(AGENT), seconds=0.01).save(home / "state", {}, {}, "save", file, nullcontext)


def test_a_link_in_the_middle_of_a_name_is_refused(tmp_path: Path) -> None:
    """What no archive of ours has, and what would write elsewhere."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        link = tarfile.TarInfo("out")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo("out/written"), io.BytesIO(b""))
    packed = zstandard.ZstdCompressor().compress(plain.getvalue())
    with pytest.raises(Damaged):
        unpack(io.BytesIO(packed), tmp_path / "back", hashlib.sha256(packed).hexdigest())
    assert not (tmp_path / "written").exists()

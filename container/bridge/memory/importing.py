"""Makes a state directory of a packed `.openclaw` folder (zip, tar): runs as the agent's user, the file is its stdin.

The folder may be one of an export, or of a plain OpenClaw. Keys, channels and paths of the other machine stay out.
"""

import calendar
import io
import json
import os
import sqlite3
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_IFMT, S_ISLNK, S_ISREG
from typing import IO, Any

import zstandard

from bridge.memory.archive import DAMAGED, Damaged
from bridge.memory.contents import excluded, is_database

MAX_BYTES, MAX_FILES = 4_000_000_000, 200_000
# A folder with one of these is a state directory.
SIGNS = {"openclaw.json", "agents", "workspace", "state"}
# Of one machine, or secret: below the state directory.
NOT_TAKEN = {
    "credentials",
    "identity",
    "devices",
    "nodes",
    ".env",
    "config-journal-fingerprint.key",
    "exec-approvals.json",
}
SECRET_NAMES = {"auth-profiles.json", "auth.json", ".env"}
# Tables of OpenClaw's databases (2026.9.1) with keys, tokens and paired devices.
SECRET_TABLES = {
    *("auth_profile_store", "auth_profile_state", "secret_store_entries", "mcp_oauth_stores"),
    *("device_auth_tokens", "device_bootstrap_tokens", "device_identities", "gateway_origin_device_tokens"),
    *("device_pair_setup_completions", "device_pairing_join_codes", "device_pairing_paired", "device_pairing_pending"),
    *("channel_pairing_allow_entries", "channel_pairing_requests", "worker_environment_credentials"),
}
# What of another machine's configuration is kept: how the agent is to be, not how it is reached.
KEPT_SETTINGS = {"skills", "tools", "messages", "session", "memory", "ui"}
NO_FOLDER = "there is no OpenClaw folder in this file"


@dataclass(frozen=True)
class Member:
    """A file or a link in the archive; `source` is what the archive's own reader needs."""

    name: PurePosixPath
    mode: int
    mtime: float
    link: bool
    source: Any


def take_in(source: IO[bytes], root: Path) -> int:
    """Returns the number of files. Raises Damaged or OSError, with root absent."""
    with tempfile.TemporaryDirectory(dir=root.parent, prefix=".import-") as folder:
        staging = Path(folder) / "state"
        staging.mkdir(mode=0o700)
        try:
            with _reader(source) as (members, opened):
                count = _extract(members, opened, staging)
        except (tarfile.TarError, zipfile.BadZipFile, zstandard.ZstdError, EOFError, RuntimeError) as error:
            raise Damaged(f"the file cannot be read ({type(error).__name__})") from None
        _settings(staging / "openclaw.json")
        _forget_secrets(staging)
        os.rename(staging, root)
    return count


def _extract(members: list[Member], opened: Any, folder: Path) -> int:
    base = _base(members)
    links: list[tuple[Path, str]] = []
    taken, size = 0, 0
    for member in members:
        name = _wanted(member, base)
        if name is None:
            continue
        taken += 1
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with opened(member) as content:
            if member.link:
                links.append((path, content.read(4096).decode(errors="surrogateescape")))
                continue
            size += _write(path, content, MAX_BYTES - size)
        os.chmod(path, (member.mode & 0o777) | 0o600)
        os.utime(path, (member.mtime, member.mtime))
        if taken > MAX_FILES:
            raise Damaged("there are too many files in it")
    for path, target in links:  # last, so that no file is written through one
        os.symlink(target, path)
    return taken


def _write(path: Path, content: IO[bytes], room: int) -> int:
    size = 0
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    with open(file, "wb") as into:
        while block := content.read(1 << 20):
            size += len(block)
            if size > room:
                raise Damaged("it is too large")
            into.write(block)
    return size


def _base(members: list[Member]) -> PurePosixPath:
    """The folder in the archive that is the state directory: `.openclaw`, or the highest that looks like one."""
    for member in members:
        if ".openclaw" in member.name.parts:
            at = member.name.parts.index(".openclaw")
            return PurePosixPath(*member.name.parts[: at + 1])
    found = [
        PurePosixPath(*one.name.parts[:at])
        for one in members
        for at, part in enumerate(one.name.parts)
        if part in SIGNS
    ]
    if not found:
        raise Damaged(NO_FOLDER)
    return min(found, key=lambda path: (len(path.parts), path))


def _wanted(member: Member, base: PurePosixPath) -> PurePosixPath | None:
    if member.name.is_absolute() or ".." in member.name.parts or not member.name.is_relative_to(base):
        return None
    name = member.name.relative_to(base)
    if not name.parts or excluded(name.as_posix()) or name.parts[0] in NOT_TAKEN:
        return None
    return None if name.parts[0] != "workspace" and name.name in SECRET_NAMES else name


def _settings(path: Path) -> None:
    """Keep the settings of the agent's behaviour. The Bridge adds its own settings at the start."""
    try:
        stored = json.loads(path.read_text())
    except FileNotFoundError:
        return
    except (ValueError, RecursionError, OSError):
        path.unlink(missing_ok=True)  # JSON5 with comments, for example: OpenClaw starts with ours alone
        return
    kept = {name: value for name, value in stored.items() if name in KEPT_SETTINGS} if isinstance(stored, dict) else {}
    path.write_text(json.dumps(kept, indent=1))


def _forget_secrets(root: Path) -> None:
    """Keys are the deployment's here, and nobody from outside may reach this gateway. Raises Damaged."""
    for path in root.rglob("*.sqlite"):
        if path.relative_to(root).parts[0] == "workspace" or not is_database(path):
            continue
        try:
            with closing(sqlite3.connect(path)) as database, database:
                database.execute("pragma secure_delete = on")  # else it stays in a free page
                found = {row[0] for row in database.execute("select name from sqlite_master where type = 'table'")}
                for table in sorted(found & SECRET_TABLES):
                    database.execute(f"delete from {table}")  # noqa: S608  a name of ours
        except sqlite3.Error:
            raise Damaged("a database in it cannot be read") from None


@contextmanager
def _reader(source: IO[bytes]) -> Iterator[tuple[list[Member], Any]]:
    """The members, and how to open one. Raises what the libraries raise."""
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            members = [_of_zip(info) for info in archive.infolist() if not info.is_dir()]
            yield [one for one in members if one is not None], lambda member: archive.open(member.source)
        return
    source.seek(0)
    with _plain(source) as plain, tarfile.open(fileobj=plain) as tar:
        yield [_of_tar(info) for info in tar if info.isreg() or info.issym()], lambda member: _opened(tar, member)


@contextmanager
def _plain(source: IO[bytes]) -> Iterator[IO[bytes]]:
    """tarfile knows the other compressions itself."""
    magic = source.read(4)
    source.seek(0)
    if magic != b"\x28\xb5\x2f\xfd":
        yield source
        return
    with tempfile.TemporaryFile() as file:
        zstandard.ZstdDecompressor().copy_stream(source, file)
        file.seek(0)
        yield file


def _of_zip(info: zipfile.ZipInfo) -> Member | None:
    mode = info.external_attr >> 16
    if S_IFMT(mode) and not S_ISREG(mode) and not S_ISLNK(mode):  # many programs write the rights only
        return None
    moment = _seconds(info.date_time)
    return Member(PurePosixPath(info.filename), mode or 0o600, moment, S_ISLNK(mode), info)


def _seconds(date: tuple[int, ...]) -> float:
    return float(calendar.timegm((*date, 0, 0, 0)))


def _of_tar(info: tarfile.TarInfo) -> Member:
    return Member(PurePosixPath(info.name.removeprefix("./")), info.mode, info.mtime, info.issym(), info)


def _opened(tar: tarfile.TarFile, member: Member) -> IO[bytes]:
    if member.link:
        return io.BytesIO(os.fsencode(member.source.linkname))
    content = tar.extractfile(member.source)
    assert content is not None  # regular files only
    return content


def main(root: Path) -> int:
    try:
        print(take_in(sys.stdin.buffer, root))
    except Damaged as error:
        print(error, file=sys.stderr)
        return DAMAGED
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

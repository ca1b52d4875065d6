"""The agent's workspace as the last snapshot has it: it can be read while the agent sleeps.

A snapshot is made after each turn that changed something, so what is read here is a few seconds old while the agent
works. Entries are named by a hash of their path: no path comes from outside, so none can lead out, and names that are
not UTF-8 work too. Links are listed and never followed.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.agents.manifest import Delta, Entries, Entry, Unusable, applied, check
from chalicelib.platform import aws
from chalicelib.wire.protocol import ProtocolError, storable

ROOT, HIDDEN = "workspace", {".git"}
# A manifest's JSON (about 250,000 files) and one chunk (container/bridge/memory/chunks.py), unpacked.
MANIFEST_BYTES, CHUNK_BYTES = 64 * 1024 * 1024, 256 * 1024
MAX_ENTRIES = 1000
DOWNLOADS = 8
KINDS = {"d": "folder", "l": "link", "f": "file"}
# The largest file: a snapshot has none that is larger (container/bridge/memory/contents.py).
MAX_BYTES = 50 * 1024 * 1024
MAX_TEXT_BYTES = 1024 * 1024
NOT_THERE = "it is not in the last saved state of the workspace"


@dataclass(frozen=True)
class Content:
    """One file. `key` changes when its content does."""

    name: str
    key: str
    body: bytes


class Workspace:
    """Snapshots of a bucket, read only; keeps the entries of the last one. Methods raise ProtocolError."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._read_last: tuple[str, Entries] | None = None  # an open panel asks for the same snapshot again and again

    def listed(self, user_id: str, folder_id: str | None) -> dict[str, Any]:
        """A folder's entries, folders first. The root is empty before the first snapshot."""
        entries, saved_at = self._entries(user_id)
        folder = ROOT if folder_id is None else _named(entries, folder_id, "d")
        found = sorted(_shown(entries, folder), key=lambda one: (one["kind"] != "folder", one["name"].lower()))
        path = [{"id": id_of(str(one)), "name": _text(one.name)} for one in _parents(folder)]
        listed = {"path": path, "entries": found[:MAX_ENTRIES], "savedAt": saved_at}
        return listed | ({"truncated": True} if len(found) > MAX_ENTRIES else {})

    def content(self, user_id: str, file_id: str) -> Content:
        entries, _ = self._entries(user_id)
        name = _named(entries, file_id, "f")
        entry = entries[name]
        if entry[3] > MAX_BYTES:
            raise ProtocolError("TOO_LARGE", "the file is too large: ask your agent to send it")
        digest = hashlib.sha256(json.dumps([name, entry[3], entry[4]]).encode()).hexdigest()
        return Content(_text(PurePosixPath(name).name), digest, self.read(user_id, entry))

    def texts(self, user_id: str, names: Sequence[str], limit: int) -> dict[str, str]:
        """The beginnings of files at the top of the workspace, in bytes; those that are not there are left out."""
        entries, _ = self._entries(user_id)
        found = {name: entries.get(f"{ROOT}/{name}") for name in names}
        return {
            name: self.read(user_id, entry)[:limit].decode(errors="ignore")
            for name, entry in found.items()
            if entry is not None and entry[0] == "f" and entry[3] <= MAX_TEXT_BYTES
        }

    def files(self, user_id: str) -> tuple[Entries, int | None]:
        """The regular files by their path below the workspace, and when they were saved (ms)."""
        entries, saved_at = self._entries(user_id)
        inside = f"{ROOT}/"
        found = {n.removeprefix(inside): e for n, e in entries.items() if n.startswith(inside) and e[0] == "f"}
        return found, saved_at

    def read(self, user_id: str, entry: Entry) -> bytes:
        """A file's chunks, fetched several at once and checked."""
        with ThreadPoolExecutor(DOWNLOADS, "chunks") as pool:
            parts = pool.map(lambda run: self._run(user_id, run), list(_runs(entry[4])))
            body = b"".join(parts)
        if len(body) != entry[3]:
            raise ProtocolError("INTERNAL", "the saved file is damaged")
        return body

    def _run(self, user_id: str, chunks: list[list[Any]]) -> bytes:
        """Chunks that lie one behind the other in a pack."""
        _, pack, first, _ = chunks[0]
        last = chunks[-1][2] + chunks[-1][3] - 1
        raw = self._get(f"workspaces/{user_id}/packs/{pack}.pack", Range=f"bytes={first}-{last}")
        return b"".join(_chunk(raw[offset - first :][:stored], identity) for identity, _, offset, stored in chunks)

    def _entries(self, user_id: str) -> tuple[Entries, int | None]:
        """The files of the latest snapshot and its time; none for a new user."""
        try:
            latest = json.loads(self._get(f"workspaces/{user_id}/latest"))["snapshots"]
        except ProtocolError:
            return {}, None
        if not latest or not latest[0]["key"].endswith(".manifest"):  # an archive of an earlier version
            return {}, None
        name = f"{latest[0]['key']} {latest[0]['sha256']}"
        if self._read_last is None or self._read_last[0] != name:
            try:
                entries = self._manifest(latest[0])
                check(entries)
            except Unusable:
                raise ProtocolError("INTERNAL", "the saved state cannot be read") from None
            self._read_last = name, entries
        return self._read_last[1], int(latest[0]["created_at"])

    def _manifest(self, snapshot: dict[str, Any]) -> Entries:
        document = _document(self._verified(snapshot))
        base = document.get("base")
        before = _delta(_document(self._verified(base))).changed if base is not None else {}
        return applied(before, _delta(document))

    def _verified(self, place: dict[str, Any]) -> bytes:
        body = self._get(str(place["key"]))
        if hashlib.sha256(body).hexdigest() != place["sha256"]:
            raise Unusable("checksum")
        return body

    def _get(self, key: str, **more: str) -> bytes:
        try:
            body: bytes = aws.client("s3").get_object(Bucket=self._bucket, Key=key, **more)["Body"].read()
            return body
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):  # 403 where it may not list
                raise ProtocolError("NOT_FOUND", NOT_THERE) from None
            raise


def id_of(path: str) -> str:
    return hashlib.blake2b(path.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _named(entries: Entries, wanted: str, kind: str) -> str:
    """The path below the workspace that has this id."""
    inside = f"{ROOT}/"
    for name, entry in entries.items():
        if entry[0] == kind and (name == ROOT or name.startswith(inside)) and id_of(name) == wanted:
            return name
    raise ProtocolError("NOT_FOUND", NOT_THERE)


def _shown(entries: Entries, folder: str) -> Iterator[dict[str, Any]]:
    inside = f"{folder}/"
    for name, entry in entries.items():
        rest = name.removeprefix(inside)
        if not name.startswith(inside) or "/" in rest or rest in HIDDEN:
            continue
        about: dict[str, Any] = {"id": id_of(name), "name": _text(rest), "kind": KINDS[entry[0]]}
        if entry[0] == "f":
            about |= {"sizeBytes": entry[3], "updatedAt": entry[2] // 1_000_000}
        yield about


def _parents(folder: str) -> list[PurePosixPath]:
    """The folder and those above it, up to the workspace itself, which comes first."""
    path = PurePosixPath(folder)
    above = [one for one in path.parents if str(one) not in (".", "")]
    return [*reversed(above), path]


def _runs(chunks: list[list[Any]]) -> Iterator[list[list[Any]]]:
    """Neighbours in a pack become one request."""
    run: list[list[Any]] = []
    for chunk in chunks:
        if run and (chunk[1] != run[-1][1] or chunk[2] != run[-1][2] + run[-1][3]):
            yield run
            run = []
        run.append(chunk)
    if run:
        yield run


def _document(packed: bytes) -> dict[str, Any]:
    """Raises Unusable."""
    try:
        document = json.loads(_unpacked(packed, MANIFEST_BYTES))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Unusable("manifest")
    return document


def _delta(document: dict[str, Any]) -> Delta:
    try:
        return Delta(dict(document["changed"]), list(document["removed"]))
    except (KeyError, TypeError, ValueError):
        raise Unusable("manifest") from None


def _chunk(frame: bytes, identity: str) -> bytes:
    try:
        raw = _unpacked(frame, CHUNK_BYTES)
    except Unusable:
        raw = b""
    if hashlib.blake2b(raw, digest_size=16).hexdigest() != identity:
        raise ProtocolError("INTERNAL", "the saved file is damaged")
    return raw


def _unpacked(packed: bytes, limit: int) -> bytes:
    """One zstd frame; bounded, whatever it claims. Raises Unusable."""
    from backports import zstd

    unpacker = zstd.ZstdDecompressor()
    try:
        raw = unpacker.decompress(packed, max_length=limit + 1)
    except zstd.ZstdError:
        raise Unusable("zstd") from None
    if len(raw) > limit or not unpacker.eof:
        raise Unusable("zstd")
    return raw


def _text(name: str) -> str:
    return storable(name)

"""The workspace out of the last snapshot: hostile names and links lead nowhere, content is what was saved."""

import hashlib
import json
from typing import Any

import pytest
import zstandard
from botocore.exceptions import ClientError

from bridge.memory.chunks import identify
from chalicelib.agents import workspace
from chalicelib.agents.workspace import Workspace, id_of
from chalicelib.wire.protocol import ProtocolError

USER = "ann"


class S3:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.gets = 0

    def get_object(self, Bucket: str, Key: str, Range: str = "") -> dict[str, Any]:
        self.gets += 1
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        first, _, last = Range.removeprefix("bytes=").partition("-")
        body = self.objects[Key][int(first) : int(last) + 1] if Range else self.objects[Key]
        return {"Body": type("Body", (), {"read": lambda self: body})()}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> S3:
    made = S3()
    monkeypatch.setattr("chalicelib.platform.aws.client", lambda name: made)
    return made


def packed(document: Any) -> bytes:
    return zstandard.ZstdCompressor().compress(json.dumps(document).encode())


def save(s3: S3, files: dict[str, bytes], extra: dict[str, Any] | None = None) -> None:
    """A snapshot with a base, as the Bridge writes it; each file in chunks of 5 bytes."""
    pack = b""
    entries: dict[str, Any] = {"workspace": ["d", 0o755, 0]}
    for name, content in files.items():
        chunks = []
        for at in range(0, len(content), 5):
            frame = zstandard.ZstdCompressor().compress(content[at : at + 5])
            chunks.append([identify(content[at : at + 5]), "p.0", len(pack), len(frame)])
            pack += frame
        for depth in range(1, name.count("/")):
            entries["/".join(name.split("/")[: depth + 1])] = ["d", 0o755, 0]
        entries[name] = ["f", 0o644, 7_000_000, len(content), chunks]
    entries |= extra or {}
    s3.objects[f"workspaces/{USER}/packs/p.0.pack"] = pack
    base = packed({"base": None, "changed": {"workspace/gone": ["d", 0, 0]}, "removed": []})
    named = {"key": "base.manifest", "sha256": hashlib.sha256(base).hexdigest()}
    body = packed({"base": named, "changed": entries, "removed": ["workspace/gone"]})
    s3.objects |= {"base.manifest": base, "one.manifest": body}
    latest = {"key": "one.manifest", "sha256": hashlib.sha256(body).hexdigest(), "created_at": 99}
    s3.objects[f"workspaces/{USER}/latest"] = json.dumps({"snapshots": [latest]}).encode()


def names(listed: dict[str, Any]) -> list[str]:
    return [entry["name"] for entry in listed["entries"]]


def test_a_new_user_has_nothing(s3: S3) -> None:
    assert Workspace("b").listed(USER, None) == {
        "path": [{"id": id_of("workspace"), "name": "workspace"}],
        "entries": [],
        "savedAt": None,
    }


def test_folders_and_files(s3: S3) -> None:
    files = {"workspace/b.txt": b"hello world", "workspace/sub/deep/a.txt": b"", "openclaw.json": b"{}"}
    save(s3, files, {"workspace/.git": ["d", 0, 0], "workspace/up": ["l", "../openclaw.json"]})
    listed = Workspace("b").listed(USER, None)
    assert names(listed) == ["sub", "b.txt", "up"]
    assert listed["entries"][1] == {
        "id": id_of("workspace/b.txt"),
        "name": "b.txt",
        "kind": "file",
        "sizeBytes": 11,
        "updatedAt": 7,
    }
    assert (listed["savedAt"], listed["entries"][2]["kind"]) == (99, "link")
    deep = Workspace("b").listed(USER, id_of("workspace/sub/deep"))
    assert [one["name"] for one in deep["path"]] == ["workspace", "sub", "deep"]
    assert names(deep) == ["a.txt"]


def test_content_comes_in_one_request_for_neighbours(s3: S3) -> None:
    save(s3, {"workspace/b.txt": b"hello world", "workspace/zero": b""})
    before = s3.gets
    content = Workspace("b").content(USER, id_of("workspace/b.txt"))
    assert (content.name, content.body) == ("b.txt", b"hello world")
    assert s3.gets - before == 4, "pointer, two manifests, one range"
    assert Workspace("b").content(USER, id_of("workspace/zero")).body == b""


def test_an_unchanged_snapshot_is_read_once(s3: S3) -> None:
    place = Workspace("b")
    for content, reads in ((b"1", 3), (b"1", 1), (b"22", 3)):
        before = s3.gets
        save(s3, {"workspace/b.txt": content})
        [entry] = place.listed(USER, None)["entries"]
        assert (entry["sizeBytes"], s3.gets - before) == (len(content), reads)


@pytest.mark.parametrize("path", ["openclaw.json", "workspace/up", "workspace", "workspace/../openclaw.json", "x"])
def test_nothing_else_can_be_read(s3: S3, path: str) -> None:
    save(s3, {"openclaw.json": b"{}", "workspace/b": b""}, {"workspace/up": ["l", "../openclaw.json"]})
    for wanted in (id_of(path), path):
        with pytest.raises(ProtocolError, match="not in the last saved state"):
            Workspace("b").content(USER, wanted)


@pytest.mark.parametrize("name", ["한" * 80 + ".txt", "a\u202egpj.exe", "half\udce9", "a\nb", "<b>x"])
def test_strange_names_are_listed_and_read(s3: S3, name: str) -> None:
    save(s3, {f"workspace/{name}": b"x"})
    [entry] = Workspace("b").listed(USER, None)["entries"]
    json.dumps(entry, ensure_ascii=False).encode()
    assert Workspace("b").content(USER, entry["id"]).body == b"x"


def test_a_large_folder_is_cut(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "MAX_ENTRIES", 3)
    save(s3, {f"workspace/{n}": b"" for n in range(5)})
    listed = Workspace("b").listed(USER, None)
    assert (names(listed), listed["truncated"]) == (["0", "1", "2"], True)


def test_damage_is_said(s3: S3) -> None:
    save(s3, {"workspace/b.txt": b"hello world"})
    pack = f"workspaces/{USER}/packs/p.0.pack"
    s3.objects[pack] = bytes(len(s3.objects[pack]))
    with pytest.raises(ProtocolError, match="damaged"):
        Workspace("b").content(USER, id_of("workspace/b.txt"))
    s3.objects["one.manifest"] += b"x"
    with pytest.raises(ProtocolError, match="cannot be read"):
        Workspace("b").listed(USER, None)


def test_a_bomb_is_not_unpacked(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "MANIFEST_BYTES", 1000)
    save(s3, {f"workspace/{'x' * 2000}": b""})
    with pytest.raises(ProtocolError, match="cannot be read"):
        Workspace("b").listed(USER, None)

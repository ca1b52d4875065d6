"""Manifests: differences, what is live in which pack, what is rewritten, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.memory.chunks import identify
from bridge.memory.copying import Saved
from bridge.memory.manifest import (
    MANY_SMALL,
    SMALL_PACK,
    Delta,
    Entries,
    Unusable,
    applied,
    check,
    decode,
    difference,
    encode,
    live_bytes,
    moved,
    to_retire,
)
from bridge.memory.state import Known, document_of


def file(*chunks: list[Any]) -> list[Any]:
    return ["f", 0o644, 1, sum(chunk[3] for chunk in chunks), list(chunks)]


files = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 3).map(lambda n: ["d", n, n]))


@given(files, files)
def test_a_difference_leads_from_one_to_the_other(base: Entries, now: Entries) -> None:
    delta = difference(base, now)
    assert applied(base, delta) == now
    assert difference(now, now) == Delta({}, [])


def test_any_name_comes_back() -> None:
    names = {"caf\udce9": ["d", 1, 2], "new\nline": ["l", "\udcff"]}
    assert decode(encode({"changed": names})) == {"changed": names}


def test_a_chunk_of_several_files_counts_once() -> None:
    shared = ["id", "p1", 0, 100]
    entries = {"a": file(shared), "b": file(shared, ["other", "p2", 7, 30])}
    assert live_bytes(entries) == {"p1": 100, "p2": 30}


def test_packs_are_rewritten_when_dead_bytes_exceed_live_ones() -> None:
    big = SMALL_PACK * 4
    assert to_retire({"p1": big, "p2": big // 2}, {"p1": big, "p2": big}) == []
    assert to_retire({"p1": big // 2 - 1, "p2": big // 4}, {"p1": big, "p2": big}) == ["p1", "p2"]
    assert to_retire({"p1": big, "p2": 10}, {"p1": big, "p2": big * 2}) == ["p2"]


def test_many_small_packs_become_one() -> None:
    few = {f"p{number:02d}": 100 for number in range(MANY_SMALL)}
    assert to_retire(few, few) == []
    many = few | {"p99": 100, "large": SMALL_PACK}
    assert to_retire(many, many) == sorted(set(many) - {"large"})


def test_chunks_move_to_other_packs() -> None:
    entries = {"a": file(["x", "p1", 0, 5], ["y", "p2", 9, 5]), "d": ["d", 1, 1]}
    after = moved(entries, {("p1", 0): ("new", 3)})
    assert after == {"a": file(["x", "new", 3, 5], ["y", "p2", 9, 5]), "d": ["d", 1, 1]}


@pytest.mark.parametrize(
    "entries",
    [
        {"../out": ["d", 1, 1]},
        {"/etc/passwd": ["d", 1, 1]},
        {"": ["d", 1, 1]},
        {"a": ["l", "/tmp"], "a/b": file()},
        {"a": file(), "a/b": file()},
        {"a": ["x"]},
        {"a": ["f", 1]},
        {"a": ["f", 1, 1, 1, [["id", "p"]]]},
        {"a": ["f", "1", 1, 1, []]},
        {"a": None},
    ],
)
def test_what_no_save_of_ours_writes_is_refused(entries: Entries) -> None:
    with pytest.raises(Unusable):
        check(entries)


@pytest.mark.parametrize("packed", [b"", b"text", encode({})[:-3]])
def test_a_damaged_manifest(packed: bytes) -> None:
    with pytest.raises(Unusable):
        decode(packed)


def saved(delta: Delta) -> Saved:
    return Saved(delta, {}, [], 1, 0, 1)


def test_a_manifest_names_differences_while_they_are_few() -> None:
    many = {f"file-{number}": file([identify(b"%d" % number), "p0", number, 1]) for number in range(2000)}
    body, known = Known().after(saved(Delta(many, [])), {}).written("first")
    assert document_of(decode(body)) == (Delta(many, []), None)

    body, after = known.after(saved(Delta({"file-3": file(["new", "p1", 0, 9])}, ["file-4"])), {}).written("second")
    delta, base = document_of(decode(body))
    assert base is not None
    assert base.key == "first"
    assert applied(many, delta) == after.entries
    assert len(body) < 1000

    other = {name: file([identify(name.encode()), "p2", 0, 1]) for name in many}
    body, after = after.after(saved(Delta(other, [])), {}).written("third")
    assert document_of(decode(body))[1] is None
    assert after.base is not None
    assert after.base.key == "third"

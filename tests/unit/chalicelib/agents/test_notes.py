"""Names, sizes and versions of memory files; which edit may replace which text; what a search finds."""

from typing import Any

import pytest

from chalicelib.agents.notebook import Notebook, with_edits
from chalicelib.agents.notes import CONFLICT, MAX_BYTES, Change, Edit, _bases, note_name, note_text, version_of
from chalicelib.wire.protocol import ProtocolError

GOOD = ["SOUL.md", "TOOLS.md", "memory/2026-11-29.md", "memory/여행 계획.md"]
BAD = ["soul.md", "SOUL.md\n", "x/SOUL.md", "../SOUL.md", "BOOT.md", "memory/../SOUL.md", "memory/a/b.md", "memory/.md"]
BAD += [
    "memory/..md",
    "memory\\a.md",
    "memory/a.txt",
    "memory/\ud800.md",
    "memory/" + "a" * 101 + ".md",
    "",
    "/SOUL.md",
]


@pytest.mark.parametrize("name", GOOD)
def test_memory_files_have_names(name: str) -> None:
    assert note_name(name) == name


@pytest.mark.parametrize("name", [*BAD, None, 7, ["SOUL.md"]])
def test_no_other_name_leads_anywhere(name: object) -> None:
    with pytest.raises(ProtocolError) as refused:
        note_name(name)
    assert refused.value.code == "BAD_FIELD"


def test_a_text_has_a_limit_in_bytes() -> None:
    assert note_text("가" * (MAX_BYTES // 3))
    assert note_text("") == ""
    for text, code in (("가" * (MAX_BYTES // 3 + 1), "TOO_LARGE"), ("a\0", "BAD_FIELD"), (None, "BAD_FIELD")):
        with pytest.raises(ProtocolError) as refused:
            note_text(text)
        assert refused.value.code == code


def test_an_edit_replaces_only_what_was_read() -> None:
    one, two = version_of("one"), version_of("two")
    waiting = Edit("1", "SOUL.md", "mine", 1, [one])
    mine = version_of("mine")
    assert _bases(None, one, one) == [one]
    assert _bases(waiting, mine, one) == [one, mine], "on top of an edit that may be applied by now, or not"
    assert _bases(Edit("1", "SOUL.md", "mine", 1, [one], CONFLICT), two, two) == [two], "after reading both"
    again = waiting
    for number in range(30):
        text = f"mine {number}"
        again = Edit("1", "SOUL.md", text, 1, _bases(again, version_of(again.text), one))
    assert (again.bases[0], again.bases[-1], len(again.bases)) == (one, version_of("mine 28"), 10)


@pytest.mark.parametrize(
    ("status", "version", "current"),
    [
        ("", "one", "two"),  # the agent changed it since
        ("pending", "one", "one"),  # another tab saved since
        ("conflict", "mine", "two"),  # only one of the two texts was read
    ],
)
def test_an_older_text_is_refused(status: str, version: str, current: str) -> None:
    before = Edit("1", "SOUL.md", "mine", 1, [version_of("one")], status) if status else None
    with pytest.raises(ProtocolError) as refused:
        _bases(before, version_of(version), version_of(current))
    assert refused.value.code == "NOTE_CHANGED"


class Files:
    """The workspace of a snapshot."""

    def __init__(self, **files: str) -> None:
        self.texts = {name.replace("__", "/") + ".md": text.encode() for name, text in files.items()}

    def files(self, user_id: str) -> tuple[dict[str, Any], int | None]:
        return {name: ["f", 0o644, 5_000_000, len(text), [name]] for name, text in self.texts.items()}, 99

    def read(self, user_id: str, entry: Any) -> bytes:
        return self.texts[entry[4][0]]


class Rows:
    def __init__(self, *edits: Edit) -> None:
        self.rows = {edit.name: edit for edit in edits}

    def of(self, user_id: str) -> dict[str, Edit]:
        return self.rows

    def get(self, user_id: str) -> Change | None:
        return Change(7, [{"name": "USER.md", "diff": "+tea"}])


def notebook(files: Files, *edits: Edit) -> Notebook:
    rows: Any = Rows(*edits)
    workspace: Any = files
    return Notebook(workspace, rows, rows)


def test_the_list_has_the_files_for_every_conversation_and_the_newest_notes_first() -> None:
    files = Files(USER="u", SOUL="s", memory__b="", memory__a="", report="no", notes__x="no")
    listed = notebook(files, Edit("1", "memory/c.md", "new", 3, [""])).listed("ann")
    assert [one["name"] for one in listed["notes"]] == [
        "SOUL.md",
        "USER.md",
        "memory/c.md",
        "memory/b.md",
        "memory/a.md",
    ]
    assert listed["notes"][0] == {"name": "SOUL.md", "sizeBytes": 1, "updatedAt": 5}
    assert listed["notes"][2] == {"name": "memory/c.md", "edit": {"id": "1", "at": 3, "status": "pending"}}
    assert (listed["savedAt"], listed["changed"]["files"]) == (99, [{"name": "USER.md", "diff": "+tea"}])


def test_a_file_is_read_with_the_edit_that_waits_until_it_is_saved() -> None:
    files = Files(SOUL="old")
    read = notebook(files, Edit("1", "SOUL.md", "new", 3, [version_of("old")])).note("ann", "SOUL.md")
    assert (read["text"], read["version"], read["edit"]["text"]) == ("old", version_of("old"), "new")
    assert read["edit"]["version"] == version_of("new")
    assert notebook(files, Edit("1", "SOUL.md", "old", 3, [])).note("ann", "SOUL.md")["edit"] is None
    with pytest.raises(ProtocolError, match="not in the last saved"):
        notebook(files).note("ann", "USER.md")


def test_what_is_too_large_or_no_text_is_said_and_not_searched() -> None:
    files = Files(SOUL="x" * (MAX_BYTES + 1), USER="tea")
    files.texts["MEMORY.md"] = b"\xff tea"
    for name, code in (("SOUL.md", "TOO_LARGE"), ("MEMORY.md", "UNSUPPORTED_TYPE")):
        with pytest.raises(ProtocolError) as refused:
            notebook(files).note("ann", name)
        assert refused.value.code == code
        edit = Edit("1", name, "mine", 3, [])
        read = notebook(files, edit).note("ann", name)
        assert (read["text"], read["problem"], read["edit"]["text"]) == (None, code, "mine")
    found = notebook(files).search("ann", "tea")
    assert ([hit["name"] for hit in found["hits"]], found["truncated"]) == (["USER.md"], True)


def test_a_search_says_that_a_file_has_more_hits() -> None:
    for lines, more in ((5, False), (6, True)):
        found = notebook(Files(SOUL="tea\n" * lines)).search("ann", "tea")
        assert (len(found["hits"]), found["truncated"]) == (5, more)


def test_a_search_finds_lines_whatever_their_case_and_in_edits() -> None:
    files = Files(SOUL="one\nI like Tea a lot\n", memory__a="coffee", USER="old tea")
    found = notebook(files, Edit("1", "USER.md", "nothing", 3, [])).search("ann", " TEA ")
    assert found == {"hits": [{"name": "SOUL.md", "line": 2, "text": "I like Tea a lot"}], "truncated": False}
    for words in ("", " ", "a" * 101, None):
        with pytest.raises(ProtocolError):
            notebook(files).search("ann", words)


def test_the_first_words_are_said_with_edits_that_wait() -> None:
    told = with_edits(
        {"SOUL.md": "old", "USER.md": "old"},
        {
            "SOUL.md": Edit("1", "SOUL.md", "가나다", 1),
            "USER.md": Edit("2", "USER.md", "mine", 1, [], CONFLICT),
            "memory/a.md": Edit("3", "memory/a.md", "other", 1),
        },
        4,
    )
    assert told == {"SOUL.md": "가", "USER.md": "old"}

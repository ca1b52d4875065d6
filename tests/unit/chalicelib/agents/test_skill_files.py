"""A skill that is uploaded: what is refused, with which code, before anything is stored."""

import pytest

from chalicelib.agents.skill_files import MAX_BYTES, MAX_FILES, checked, from_wire, packed, unzipped
from chalicelib.wire.protocol import ProtocolError
from tests.support.skilled import encoded, folder, manual, zipped


def code(files: dict[str, bytes], links: tuple[str, ...] = ()) -> str:
    """How a zip is refused; a folder with the same names must be refused in the same way."""
    with pytest.raises(ProtocolError) as zip_refused:
        from_wire({"zip": encoded(zipped(files, links))})
    if not links:
        listed = [{"path": path, "content": encoded(content)} for path, content in files.items()]
        with pytest.raises(ProtocolError) as refused:
            from_wire({"files": listed})
        assert refused.value.code == zip_refused.value.code
    return zip_refused.value.code


def test_a_folder_and_a_zip_of_it_are_the_same_skill() -> None:
    files = {"tea/SKILL.md": manual(), "tea/scripts/brew.sh": b"echo tea", "tea/.DS_Store": b"x"}
    from_zip = from_wire({"zip": encoded(zipped(files | {"__MACOSX/tea/._SKILL.md": b"x", "tea/empty/": b""}))})
    listed = [{"path": path, "content": encoded(content)} for path, content in files.items()]
    from_folder = from_wire({"files": listed})
    assert [(file.path, file.content) for file in from_zip.files] == [
        ("SKILL.md", manual()),
        ("scripts/brew.sh", b"echo tea"),
    ]
    assert (from_zip.name, from_zip.description) == ("tea-maker", "Brews tea") == (from_folder.name, "Brews tea")
    assert [file.path for file in from_folder.files] == [file.path for file in from_zip.files]
    assert from_zip.files[1].executable
    assert checked(unzipped(packed(from_zip))) == from_zip
    assert packed(from_zip) == packed(from_wire({"zip": encoded(zipped(files))}))


BAD_PATHS = [
    "../evil",
    "/etc/passwd",
    "a/../../b",
    "a//b",
    "C:\\x",
    "a\\b",
    "./a",
    "a/.",
    "x" * 101,
    "a ",
    "b.",
    "con:1",
]


@pytest.mark.parametrize("path", [*BAD_PATHS, "/".join("abcdefghi"), "bell\a"])
def test_a_path_that_leaves_the_folder_or_fits_on_no_disk(path: str) -> None:
    assert code({"SKILL.md": manual(), path: b"x"}) == "SKILL_BAD_PATH"


def test_a_name_with_a_nul() -> None:
    """A zip's reader cuts it there."""
    with pytest.raises(ProtocolError) as refused:
        from_wire(folder(**{"nul\0.txt": b"x"}))
    assert refused.value.code == "SKILL_BAD_PATH"


def test_names_that_are_two_and_one() -> None:
    assert code({"SKILL.md": manual(), "A.md": b"", "a.md": b""}) == "SKILL_BAD_PATH"
    assert code({"SKILL.md": manual(), "a": b"", "a/b": b""}) == "SKILL_BAD_PATH"


def test_links_and_reserved_names() -> None:
    assert code({"SKILL.md": manual(), "out": b"/etc/passwd"}, links=("out",)) == "SKILL_LINK"
    for path in (".git/config", "node_modules/a.js", "a/.GIT/hooks/x", "a/__pycache__/x.pyc", ".clawhub/origin.json"):
        assert code({"SKILL.md": manual(), path: b"x"}) == "SKILL_RESERVED"
    assert code({"SKILL.md": manual("constructor")}) == "SKILL_RESERVED"


def test_what_is_too_much() -> None:
    """A zip bomb is not unpacked beyond the limit."""
    assert code({"SKILL.md": manual(), "a": b"\0" * MAX_BYTES}) == "TOO_LARGE"
    assert code({"SKILL.md": manual()} | {f"f{n}": b"" for n in range(MAX_FILES)}) == "SKILL_TOO_MANY_FILES"
    with pytest.raises(ProtocolError) as refused:
        from_wire({"zip": encoded(zipped({"SKILL.md": manual(), "a": b"\0" * 300_000_000}))})
    assert refused.value.code == "TOO_LARGE"


@pytest.mark.parametrize("value", ["", "AA==", encoded(zipped({"SKILL.md": manual()})[:-9])])
def test_no_zip(value: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        from_wire({"zip": value})
    assert refused.value.code == "SKILL_BAD_ZIP"


@pytest.mark.parametrize("body", [{}, {"files": []}, {"files": [1]}, {"files": [{"path": "a"}]}, {"zip": 1}])
def test_no_upload(body: dict[str, object]) -> None:
    with pytest.raises(ProtocolError) as refused:
        from_wire(body)
    assert refused.value.code == "BAD_FIELD"
    with pytest.raises(ProtocolError) as encoding:
        from_wire({"files": [{"path": "SKILL.md", "content": "no base64!"}]})
    assert encoding.value.code == "BAD_FIELD"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no head", "SKILL_BAD_MANUAL"),
        ("---\nname: tea\n", "SKILL_BAD_MANUAL"),
        ("---\nname: tea\n---\n", "SKILL_BAD_MANUAL"),
        ("---\nname: tea\ndescription: ''\n---\n", "SKILL_BAD_MANUAL"),
        (f"---\nname: tea\ndescription: {'x' * 1025}\n---\n", "SKILL_BAD_MANUAL"),
        ("---\n- a\n---\n", "SKILL_BAD_MANUAL"),
        ("---\nname: [\n---\n", "SKILL_BAD_NAME"),
        ("---\nname: &a tea\ndescription: x\n---\n", "SKILL_BAD_NAME"),
        ('---\nname: tea\ndescription: "open\n---\n', "SKILL_BAD_MANUAL"),
        ("---\nname: tea\ndescription: 'open\n---\n", "SKILL_BAD_MANUAL"),
        ("---\nname: tea\nname: coffee\ndescription: x\n---\n", "SKILL_BAD_MANUAL"),
        ("---\nname: Tea Maker\ndescription: x\n---\n", "SKILL_BAD_NAME"),
        ("---\nname: ../tea\ndescription: x\n---\n", "SKILL_BAD_NAME"),
        ("---\ndescription: x\n---\n", "SKILL_BAD_NAME"),
        (f"---\nname: {'x' * 65}\ndescription: x\n---\n", "SKILL_BAD_NAME"),
        ("---\nname: tea\ndescription: x\n---\n" + "x" * 100_000, "TOO_LARGE"),
    ],
)
def test_a_manual_that_says_too_little(text: str, expected: str) -> None:
    assert code({"SKILL.md": text.encode()}) == expected
    assert code({"README.md": b""}) == "SKILL_NO_MANUAL"
    assert code({"a/b/SKILL.md": text.encode()}) == "SKILL_NO_MANUAL"


BLOCKS = [">\n  Brews\n  tea", ">-\n  Brews tea", "|\n  Brews tea\n", "\n  Brews\n  tea", "Brews\r\n  tea"]
LINES = ["Brews tea", '"Brews tea"', "'Brews tea'", "Brews tea  # always", '"Brews tea" # yes', "'Brews tea' # yes"]


@pytest.mark.parametrize("written", [*LINES, *BLOCKS])
def test_a_description_as_people_write_it(written: str) -> None:
    """Between other keys, which are OpenClaw's to read."""
    more = 'metadata:\n  {\n    "openclaw": {"requires": {"bins": ["uv"]}},\n  }\nhomepage: https://example.com/#x'
    text = f"---\r\n# of mine\nname: tea\ndescription: {written}\n\n{more}\n---\nBody\n---\n"
    assert from_wire(folder(**{"SKILL.md": text.encode()})).description == "Brews tea"

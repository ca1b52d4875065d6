"""Names, types and headers of files: nothing hostile gets into a header, a path or a browser."""

import pytest

from chalicelib.messages.files import (
    KEPT_DAYS,
    NAME_CHARACTERS,
    OTHER,
    StoredFile,
    content_type,
    disposition,
    safe_name,
    stored,
    tagging,
)

PNG = b"\x89PNG\r\n\x1a\n1234"
NAMES = {
    "report.pdf": "report.pdf",
    "../../etc/passwd": "passwd",
    "C:\\temp\\a.txt": "a.txt",
    "folder/": "folder",
    "..": "file",
    "": "file",
    "a\r\nSet-Cookie: x.txt": "aSet-Cookie: x.txt",
    "invoice\u202efdp.exe": "invoicefdp.exe",
    "\u200f\u2067שלום\u2069.txt": "שלום.txt",
    "zero\u200bwidth.txt": "zerowidth.txt",
    "half \ud83d.txt": "half ?.txt",
    "보고서.pdf": "보고서.pdf",
}
TYPES = [
    ("a.png", PNG, "image/png"),
    ("A.PNG", PNG, "image/png"),
    ("a.png", b"<svg onload=alert(1)>", OTHER),
    ("a.svg", b"<svg/>", OTHER),
    ("a.html", b"<script>", OTHER),
    ("a.xhtml", b"<script>", OTHER),
    ("a.xml", b"<?xml", OTHER),
    ("a.js", b"alert(1)", OTHER),
    ("a.txt", b"<script>", "text/plain"),
    ("a.pdf", b"", "application/pdf"),
    ("none", b"", OTHER),
]


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_a_name_hides_nothing(number: int) -> None:
    name, safe = list(NAMES.items())[number]
    assert safe_name(name) == safe


@pytest.mark.parametrize("letter", ["ü", "한", "🎉"])
def test_a_name_of_300_characters_is_cut_and_keeps_its_ending(letter: str) -> None:
    name = safe_name(letter * 300 + ".pdf")
    assert len(name) <= NAME_CHARACTERS
    assert name.endswith("….pdf")


def test_an_ending_of_300_characters_is_no_ending() -> None:
    assert len(safe_name("a." + "b" * 300)) <= NAME_CHARACTERS


@pytest.mark.parametrize(("name", "content", "kind"), TYPES)
def test_only_harmless_types_are_told(name: str, content: bytes, kind: str) -> None:
    assert content_type(name, content) == kind


def test_a_name_goes_encoded_into_the_header() -> None:
    header = disposition('보고서 "x".pdf')
    assert header.isascii()
    encoded = "%EB%B3%B4%EA%B3%A0%EC%84%9C%20%22x%22.pdf"
    assert header == f"attachment; filename=\"___ _x_.pdf\"; filename*=UTF-8''{encoded}"


def test_a_file_is_kept_as_long_as_its_conversation_or_a_little_longer() -> None:
    assert tagging(None) == ""
    assert tagging(7) == "keep-days=7"
    assert tagging(8) == "keep-days=10"
    for days in range(1, 3651):
        kept = int(tagging(days).partition("=")[2])
        assert days <= kept <= 2 * days
        assert kept in KEPT_DAYS


def test_a_file_comes_back_from_its_row() -> None:
    file = StoredFile("0" * 32, "a.ogg", "audio/ogg", 5, voice=True)
    assert stored(file.public()) == file

"""The text of a document, piece by piece. Runs as the agent's user (reading.py), within its limits.

Every document comes from a stranger. A reader gives its text as it goes, so that a limit can end it anywhere.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

PDF, DOCX, XLSX, PPTX, TEXT, BINARY = "pdf", "docx", "xlsx", "pptx", "text", "binary"
# What an Office file may have unpacked, in bytes and files; a document of 20 MB needs far less.
MAX_UNPACKED, MAX_MEMBERS = 200_000_000, 20_000
# The member that each kind of Office file has.
SIGNS = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX, "ppt/presentation.xml": PPTX}
WORDS = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
CONTROL = set(range(32)) - {7, 8, 9, 10, 11, 12, 13, 27}
SAMPLE = 65_536
# What pypdf meets a damaged file with, beside its own errors.
BAD_PDF = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OSError,
    ArithmeticError,
    AssertionError,
    NotImplementedError,
    zlib.error,
    struct.error,
)
# What openpyxl meets a damaged workbook with; SyntaxError is the base of every XML parser's errors.
BAD_BOOK = (zipfile.BadZipFile, SyntaxError, ValueError, TypeError, KeyError, AttributeError, EOFError, OSError)


class Unreadable(Exception):
    """The text says why, in words for the person."""


def kind_of(path: Path) -> str:
    """By its content: a name may say anything."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    if b"%PDF-" in head[:1024]:
        return PDF
    if head.startswith(b"PK\x03\x04"):
        return _office(path)
    return TEXT if _is_text(head) else BINARY


def _office(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return BINARY
    return next((kind for sign, kind in SIGNS.items() if sign in names), BINARY)


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return bool(head) and not CONTROL & set(head)


def text_of(path: Path, kind: str) -> Iterator[str]:
    """The pieces of its text; a page, a line or a row each. Raises Unreadable."""
    readers: dict[str, Callable[[Path], Iterator[str]]] = {
        PDF: _pdf,
        DOCX: _docx,
        XLSX: _xlsx,
        PPTX: _pptx,
        TEXT: _plain,
    }
    return readers[kind](path)


def _plain(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    encoding = "utf-16" if wide else "utf-8-sig" if _utf8(head) else "cp1252"
    with path.open(encoding=encoding, errors="replace", newline=None) as text:
        while piece := text.read(SAMPLE):
            yield piece


def _utf8(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 and len(head) == SAMPLE  # a letter that the sample cuts
    return True


def _pdf(path: Path) -> Iterator[str]:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("it is protected with a password")
        for number, page in enumerate(reader.pages, 1):
            text = page.extract_text().strip()
            yield f"[Page {number}]\n{text}\n\n" if text else ""
    except DependencyError:
        raise Unreadable("it is protected with a password") from None
    except (PyPdfError, *BAD_PDF) as error:
        raise Unreadable(f"the PDF is damaged ({type(error).__name__})") from None


def pages_of(path: Path) -> int:
    """How many pages a PDF has; 0 when it does not say. Its text was read before: nothing here may lose that."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        return len(PdfReader(path).pages)
    except (PyPdfError, *BAD_PDF, MemoryError, RecursionError):
        return 0


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    try:
        return archive.open(name)
    except KeyError:
        raise Unreadable("a part of the document is missing") from None
    except RuntimeError:
        raise Unreadable("it is protected with a password") from None


def _opened(path: Path) -> zipfile.ZipFile:
    """Raises Unreadable for one that unpacks to far more than a document has."""
    archive = zipfile.ZipFile(path)
    members = archive.infolist()
    if len(members) > MAX_MEMBERS or sum(one.file_size for one in members) > MAX_UNPACKED:
        archive.close()
        raise Unreadable(f"it unpacks to more than {MAX_UNPACKED // 1_000_000} MB")
    return archive


def _xml(archive: zipfile.ZipFile, name: str) -> Iterator[Any]:
    """The elements of a member as they end; each is forgotten when the next one comes."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    try:
        with _member(archive, name) as source:
            events = iterparse(source, events=("start", "end"), forbid_dtd=True)
            _, root = next(events)
            depth = 1
            for event, element in events:
                depth += 1 if event == "start" else -1
                if event == "end":
                    yield element
                    if depth <= 2:  # a paragraph, a row: of the document's body
                        element.clear()
                        root.clear()
    except (ParseError, DefusedXmlException, zipfile.BadZipFile, EOFError, StopIteration) as error:
        raise Unreadable(f"the document is damaged ({type(error).__name__})") from None


def _docx(path: Path) -> Iterator[str]:
    with _opened(path) as archive:
        for element in _xml(archive, "word/document.xml"):
            if element.tag == f"{WORDS}t":
                yield element.text or ""
            elif element.tag in (f"{WORDS}p", f"{WORDS}br", f"{WORDS}tr"):
                yield "\n"
            elif element.tag in (f"{WORDS}tab", f"{WORDS}tc"):
                yield "\t"
            if element.tag in (f"{WORDS}p", f"{WORDS}tbl"):
                element.clear()


def _pptx(path: Path) -> Iterator[str]:
    with _opened(path) as archive:
        slides = [name for name in archive.namelist() if name.startswith("ppt/slides/slide") and name.endswith(".xml")]
        for number, name in enumerate(sorted(slides, key=lambda one: (len(one), one)), 1):
            yield f"[Slide {number}]\n"
            for element in _xml(archive, name):
                if element.tag == f"{DRAWING}t":
                    yield element.text or ""
                elif element.tag == f"{DRAWING}p":
                    yield "\n"
            yield "\n"


def _xlsx(path: Path) -> Iterator[str]:
    from openpyxl import load_workbook

    _opened(path).close()
    try:
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # the size that it claims may be anything
            yield f"[Sheet {sheet.title}]\n"
            for row in sheet.iter_rows(values_only=True):
                cells = ["" if cell is None else str(cell) for cell in row]
                line = "\t".join(cells).rstrip("\t")
                yield f"{line}\n" if line else ""
            yield "\n"
    except BAD_BOOK as error:
        raise Unreadable(f"the workbook is damaged ({type(error).__name__})") from None

"""Converts Markdown into Telegram messages: text with entities, within Telegram's limits.

We use entities instead of HTML or MarkdownV2. They need no escaping, so no answer can break its own markup.
Lengths and splits are exact, because the text is what the user sees. The plain-text fallback is the same
text without the entities.
"""

import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import pyromark
from telegramify_markdown import MessageEntity, RenderConfig, convert, utf16_len
from telegramify_markdown.converter import STANDARD_OPTIONS

from chalicelib.platform import log

LIMIT = 4096  # of a message, in UTF-16 units after the markup is parsed
WHOLE = frozenset({"pre", "code", "text_link", "custom_emoji"})  # never cut inside
CODE = frozenset({"pre", "code"})


@dataclass(frozen=True)
class Rendered:
    """Text, its entities (offsets count UTF-16 units), and code that is too long for a message.

    A position up to the text's length is a place in the text. File n (from 1) has the position length + n.
    """

    text: str
    entities: tuple[MessageEntity, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()

    def upto(self, position: int) -> str:
        """Everything before a position, to recognise it later."""
        files = self.files[: max(position - len(self.text), 0)]
        return self.text[:position] + "".join(f"\n{name}\n{content.decode()}" for name, content in files)


@dataclass(frozen=True)
class Piece:
    """One message; `end` is the position of its end in the rendered text. With `file` it is a document."""

    text: str
    entities: tuple[tuple[tuple[str, Any], ...], ...]
    end: int
    file: tuple[str, bytes] | None = None

    def markup(self) -> list[dict[str, Any]]:
        return [dict(entity) for entity in self.entities]


@cache
def _config() -> RenderConfig:
    """Headings are bold and underlined, without the pictograms that the library adds by default."""
    config = RenderConfig.isolated()
    symbols = config.markdown_symbol
    symbols.heading_level_1 = symbols.heading_level_2 = symbols.heading_level_3 = symbols.heading_level_4 = ""
    symbols.unordered_list_item = "•"
    symbols.task_completed, symbols.task_uncompleted = "☑", "☐"
    return config


def render(markdown: str, limit: int = LIMIT) -> Rendered:
    """Never fails: text that cannot be formatted becomes plain text.

    A code block that is too long for a message becomes a file, and a line in the text refers to it.
    """
    try:
        text, entities = convert(_html_as_text(markdown), config=_config())
    except Exception as error:  # noqa: BLE001  a bug of the formatter must not lose the answer
        log.failure("telegram_format_failed", error)
        return Rendered(markdown)
    kept = sorted((e for e in entities if e.length > 0), key=lambda e: (e.offset, -e.length))
    if not text.strip() and markdown.strip():
        return Rendered(markdown)
    return _without_giants(text, kept, limit)


def _html_as_text(markdown: str) -> str:
    """Show HTML tags as text; the library would drop them and their content."""
    if "<" not in markdown:
        return markdown
    for _ in range(3):  # a tag that opened a block may have hidden others
        source, marks = markdown.encode(), []
        for event, span in pyromark.events_with_range(markdown, options=STANDARD_OPTIONS):
            if isinstance(event, dict) and ("Html" in event or "InlineHtml" in event):
                part = source[span["start"] : span["end"]]
                marks += [span["start"] + at for at, byte in enumerate(part) if byte == ord("<")]
        if not marks:
            return markdown
        cuts = [0, *marks, len(source)]
        markdown = b"\\".join(source[a:b] for a, b in pairwise(cuts)).decode()
    return markdown


def pieces(rendered: Rendered, start: int = 0, files: bool = False, limit: int = LIMIT) -> list[Piece]:
    """The messages from position `start` on; with `files` also the documents for code that is too long.

    Splits at blank lines, then at line ends, sentences or words; never inside code or an emoji.
    """
    offsets = _offsets(rendered.text)
    held = _held(rendered, offsets)
    result: list[Piece] = []
    at = start
    while at < len(rendered.text):
        end = _cut(rendered.text, offsets, held, at, limit)
        piece = _piece(rendered, offsets, at, end)
        if piece is not None:
            result.append(piece)
        at = end
    if files:
        places = enumerate(rendered.files, len(rendered.text) + 1)
        result += [Piece(file[0], (), place, file) for place, file in places if place > start]
    return result


def _offsets(text: str) -> list[int]:
    """The UTF-16 offset of each character, and of the end."""
    offsets, at = [0], 0
    for character in text:
        at += 2 if ord(character) > 0xFFFF else 1
        offsets.append(at)
    return offsets


def _held(rendered: Rendered, offsets: list[int]) -> list[tuple[int, int]]:
    """Ranges that must not be split: code, links, and a heading with its first line."""
    held, text = [], rendered.text
    for entity in rendered.entities:
        first, last = _span(offsets, entity)
        if entity.type in WHOLE:
            held.append((first, last))
        elif entity.type == "bold" and text[last : last + 2] == "\n\n" and text[first - 1 : first] in ("", "\n"):
            held.append((first, last + 3))
    return held


def _span(offsets: list[int], entity: MessageEntity) -> tuple[int, int]:
    """The range of an entity's characters; the end is exclusive."""
    return bisect_left(offsets, entity.offset), bisect_left(offsets, entity.offset + entity.length)


def _cut(text: str, offsets: list[int], held: list[tuple[int, int]], start: int, limit: int) -> int:
    """Where the message that begins at start ends."""
    most = bisect_left(offsets, offsets[start] + limit + 1) - 1
    if most >= len(text):
        return len(text)
    straddling = [first for first, last in held if start < first < most < last]
    if straddling:
        most = min(straddling)
        if text[most - 1] == "\n":
            return most
    for separator in ("\n\n", "\n", ". ", " "):
        # A cut in the first third would make a message of a few words: the next separator is better.
        low, at = start + (most - start) // 3, most
        while (found := text.rfind(separator, low, at)) >= 0:
            end = found + len(separator)
            if not _inside(held, end):
                return end
            at = found + len(separator) - 1
    while most > start + 1 and _joined(text, most):
        most -= 1
    return most


def _inside(held: list[tuple[int, int]], index: int) -> bool:
    return any(first < index < last for first, last in held)


def _joined(text: str, index: int) -> bool:
    """Whether a split here would break a character that consists of several code points."""
    here, before = text[index], text[index - 1]
    if here in "\u200d\u20e3" or before == "\u200d" or unicodedata.category(here) in ("Mn", "Me", "Mc"):
        return True
    if "\U0001f3fb" <= here <= "\U0001f3ff" or "\U000e0020" <= here <= "\U000e007f":
        return True
    if _flag(here) and _flag(before):
        run = index
        while run > 0 and _flag(text[run - 1]):
            run -= 1
        return (index - run) % 2 == 1
    return False


def _flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _piece(rendered: Rendered, offsets: list[int], start: int, end: int) -> Piece | None:
    """The part from start to end without surrounding blank lines; None if it is empty."""
    text = rendered.text
    first, last = start, end
    while first < last and (text[first] == "\n" or (text[first] == " " and first and text[first - 1] != "\n")):
        first += 1  # keep spaces at the beginning of a line: they may indent code
    while last > first and text[last - 1].isspace():
        last -= 1
    if not text[first:last].strip():
        return None
    low, high, entities = offsets[first], offsets[last], []
    for entity in rendered.entities:
        a, b = max(entity.offset, low), min(entity.offset + entity.length, high)
        if a < b:
            shown = entity.to_dict() | {"offset": a - low, "length": b - a}
            entities.append(tuple(sorted(shown.items())))
    return Piece(text[first:last], tuple(entities), end)


def _without_giants(whole: str, entities: list[MessageEntity], limit: int) -> Rendered:
    """Blocks of code over the limit, replaced by the name of the file that holds them."""
    giants = [e for e in entities if e.type in CODE and e.length > limit]
    if not giants:
        return Rendered(whole, tuple(entities))
    raw, files, text, at = whole.encode("utf-16-le"), [], b"", 0
    shifts = [(0, 0)]  # (offset, by how much everything after it moves)
    for number, giant in enumerate(giants, 1):
        name = f"code-{number}.{_suffix(giant.language)}"
        first, last = 2 * giant.offset, 2 * (giant.offset + giant.length)
        files.append((name, raw[first:last].decode("utf-16-le").encode()))
        label = f"📎 {name}"
        text += raw[at:first] + label.encode("utf-16-le")
        at = last
        shifts.append((last // 2, shifts[-1][1] + utf16_len(label) - giant.length))
    text += raw[at:]

    def moved(offset: int) -> int:
        return offset + next(by for start, by in reversed(shifts) if start <= offset)

    kept = [e for e in entities if e not in giants]
    placed = [e.copy_with(offset=moved(e.offset), length=moved(e.offset + e.length) - moved(e.offset)) for e in kept]
    return Rendered(text.decode("utf-16-le"), tuple(placed), tuple(files))


def _suffix(language: str | None) -> str:
    known = {"python": "py", "javascript": "js", "typescript": "ts", "bash": "sh", "shell": "sh", "rust": "rs"}
    name = (language or "").lower()
    return known.get(name, name if name.isalnum() and len(name) <= 8 and name.isascii() and name else "txt")


def spoken(markdown: str) -> str:
    """An answer as it is read aloud: its words without the marks, and no code."""
    rendered = render(markdown)
    raw = rendered.text.encode("utf-16-le")
    kept, at = b"", 0
    for entity in sorted((one for one in rendered.entities if one.type == "pre"), key=lambda one: one.offset):
        kept += raw[at * 2 : entity.offset * 2]
        at = max(at, entity.offset + entity.length)
    return " ".join((kept + raw[at * 2 :]).decode("utf-16-le", errors="replace").split())

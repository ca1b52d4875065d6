"""The text of an answer that has several parts: texts before, between and after tool calls.

OpenClaw streams each of them as an item of its own and stores it as an entry of its own, but a run's
final text joins them with nothing. Here each is a paragraph, in the stream, in what is saved and in
what is found in a transcript, so all three are the same.
"""

from collections.abc import Iterable, Sequence
from typing import Any

JOIN = "\n\n"
# Between the blocks of one item: that is how OpenClaw streams them (a text with citations has many).
BLOCKS = "\n"


def joined(parts: Iterable[str]) -> str:
    """Parts as paragraphs. A single one stays as it is."""
    filled = [part for part in parts if part.strip()]
    if len(filled) < 2:
        return "".join(filled)
    return JOIN.join([filled[0].rstrip(), *(part.strip("\n").rstrip() for part in filled[1:])])


def of_content(content: Any) -> str:
    """The text of a message's content, as the stream shows it."""
    if isinstance(content, str):
        return clean(content)
    blocks = content if isinstance(content, list) else []
    texts = [str(block.get("text", "")) for block in blocks if block.get("type") == "text"]
    if len(texts) < 2:
        return clean("".join(texts))
    return clean(BLOCKS.join(text.strip() for text in texts if text.strip()))


def clean(text: str) -> str:
    """A stream may be cut inside a surrogate pair; the half fits no frame and no table."""
    return text.encode(errors="replace").decode()


def same(one: str, other: str) -> bool:
    """Whether texts differ in white space only."""
    return _squeezed(one) == _squeezed(other)


def begins(whole: str, part: str) -> bool:
    """Whether `whole` begins with `part`, white space aside."""
    return _squeezed(whole).startswith(_squeezed(part))


def settled(shown: Sequence[str], final: str) -> str:
    """What an answer is in the end: the parts that were shown, and what `final` has beyond them.

    `final` may hold all parts, joined with nothing, or only the last one. A difference in white space
    changes nothing, and no part that was shown is taken back but the last one, if it ended otherwise.
    """
    if not shown:
        return final
    *earlier, last = shown
    rest = final
    for part in earlier:
        rest = _behind(rest, part)
    return joined([*earlier, last if not rest.strip() or same(rest, last) else rest])


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _behind(text: str, part: str) -> str:
    """What follows `part` at the beginning of `text`; all of it when it begins otherwise."""
    if not begins(text, part):
        return text
    left = len(_squeezed(part))
    for index, character in enumerate(text):
        if left == 0:
            return text[index:]
        left -= not character.isspace()
    return ""

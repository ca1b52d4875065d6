"""Markdown becomes messages that Telegram takes: complete, formatted, and cut only where it does no harm."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.telegram.format import LIMIT, Piece, Rendered, pieces, render
from local.long_sample import long_sample
from local.telegram_chats import checked_text


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def accepted(piece: Piece) -> None:
    """The stand-in's own check, which is the real API's."""
    checked_text({"text": piece.text, "entities": piece.markup()})


def test_formatting_is_kept() -> None:
    [piece] = pieces(render("**b** _i_ ~~s~~ `c` [l](https://x.y)\n\n> q\n\n```python\nx = 1\n```"))
    kinds = {str(entity["type"]) for entity in piece.markup()}
    assert kinds == {"bold", "italic", "strikethrough", "code", "text_link", "blockquote", "pre"}
    assert [e["language"] for e in piece.markup() if e["type"] == "pre"] == ["python"]


@pytest.mark.parametrize(
    "text",
    ["<div>hello</div>", "a <b>bold</b> word", "<script>\nalert(1)\n</script>", "if a < b && c > d", "<br>\n\n<hr>"],
)
def test_tags_are_shown_not_swallowed(text: str) -> None:
    shown = render(text).text
    for word in ("hello", "bold", "alert(1)", "<br>", "<hr>", "if a < b && c > d"):
        assert (word in shown) == (word in text)


def test_the_long_sample() -> None:
    """Every message is taken, no block of code is cut, nothing is missing."""
    rendered = render(long_sample())
    found = pieces(rendered)
    for piece in found:
        accepted(piece)
    code = [e for e in rendered.entities if e.type == "pre"]
    assert sum(sum(e["type"] == "pre" for e in piece.markup()) for piece in found) == len(code)
    assert "".join("".join(p.text for p in found).split()) == "".join(rendered.text.split())
    assert not any(piece.text.rstrip().endswith(("6. Hanoi 😀", "11. Gdańsk ❤️")) for piece in found)


def test_code_that_no_message_holds_is_a_file() -> None:
    lines = "\n".join(f"line {n}" for n in range(900))
    rendered = render(f"Before.\n\n```python\n{lines}\n```\n\n**After** it.")
    streaming, final = pieces(rendered), pieces(rendered, files=True)
    assert final[:-1] == streaming
    assert final[-1].file == ("code-1.py", lines.encode())
    text = "\n".join(piece.text for piece in streaming)
    assert "📎 code-1.py" in text
    assert text.startswith("Before.")
    bold = [(e["offset"], e["length"]) for e in streaming[0].markup() if e["type"] == "bold"]
    raw = streaming[0].text.encode("utf-16-le")
    assert [raw[2 * a : 2 * (a + n)].decode("utf-16-le") for a, n in bold] == ["After"]


def test_each_file_has_a_place_behind_the_text() -> None:
    """So that what is sent can be told from what is not: from any position on, only what lies beyond it."""
    blocks = "\n\n".join(f"```\n{letter * 5000}\n```" for letter in "abc")
    rendered = render(f"Here:\n\n{blocks}")
    found, size = pieces(rendered, files=True), len(rendered.text)
    assert [piece.end for piece in found] == [size, size + 1, size + 2, size + 3]
    for number, piece in enumerate(found):
        assert pieces(rendered, piece.end, files=True) == found[number + 1 :]
    said = [rendered.upto(piece.end) for piece in found]
    assert said[0] == rendered.text
    assert len(set(said)) == len(said), "another file is another text"


def test_a_place_means_the_same_when_code_becomes_a_file() -> None:
    """While an answer grows its code becomes a file: what was said up to a place is then another text."""
    short, long = render(f"```\n{'a' * 4000}\n```"), render(f"```\n{'a' * 5000}\n```\n\nmore")
    assert short.upto(100) != long.upto(100)
    assert pieces(long)[0].text.startswith("📎 code-1.txt")


def test_a_cut_prefers_paragraphs() -> None:
    text = "\n\n".join("word " * 150 + "end." for _ in range(12))
    found = pieces(render(text))
    assert len(found) > 1
    assert all(piece.text.endswith("end.") for piece in found)


def test_a_block_moves_to_the_next_message_as_a_whole() -> None:
    code = "\n".join(f"print({n})" for n in range(300))
    first, second = pieces(render(f"{'Some words here. ' * 60}\n\n```\n{code}\n```"))
    assert first.text.endswith("here.")
    assert second.text == code


EMOJI = ["👩🏽‍💻", "🏳️‍🌈", "🇰🇷", "1️⃣", "❤️", "👨‍👩‍👧‍👦", "é", "한", "ก็", "👍🏿"]


@pytest.mark.parametrize("emoji", EMOJI)
@pytest.mark.parametrize("shift", range(5))
def test_an_emoji_stays_whole(emoji: str, shift: int) -> None:
    """Text without a single place to cut: the cut comes between characters as people see them."""
    emoji = unicodedata.normalize("NFD", emoji) if emoji == "é" else emoji
    text = "x" * shift + emoji * 1500
    found = pieces(Rendered(text))
    assert "".join(piece.text for piece in found) == text
    for piece in found[1:]:
        assert piece.text.startswith(emoji)
    for piece in found:
        accepted(piece)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from(list("ab*_`~[]()<>|#->\n\n  .👩🏽‍💻🇰🇷é$\\1")), max_size=400), st.integers(20, 90))
def test_anything_becomes_messages(text: str, limit: int) -> None:
    """No text makes it fail, and no message breaks Telegram's rules or loses characters."""
    rendered = render(text, limit)
    found = pieces(rendered, limit=limit)
    for piece in found:
        assert units(piece.text) <= limit
        accepted(piece)
    if not rendered.files:
        assert "".join("".join(p.text for p in found).split()) == "".join(rendered.text.split())


def test_a_stream_keeps_its_first_messages() -> None:
    """While text grows, messages that are full stay as they are: nothing is edited again and again."""
    text, changes = long_sample(), 0
    earlier: list[Piece] = []
    for end in range(0, len(text), 200):
        found = pieces(render(text[:end]))
        changes += sum(a != b for a, b in zip(earlier[:-1], found, strict=False))
        earlier = found
    assert changes <= 3
    assert LIMIT == 4096

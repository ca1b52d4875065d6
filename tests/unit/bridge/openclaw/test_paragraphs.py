"""An answer of several parts is paragraphs, whatever the final text runs together."""

import pytest

from bridge.openclaw.paragraphs import joined, of_content, settled


@pytest.mark.parametrize(
    ("shown", "final", "whole"),
    [
        ([], "Hi", "Hi"),
        (["Hi"], "Hi there", "Hi there"),
        (["Hi"], "", "Hi"),
        (["I will write.", "Now a chart.", "Done."], "I will write.Now a chart.Done.", None),
        (["I will write.", "Now a chart.", "Done."], "Done.", None),
        (["I will write.", "Done"], "I will write.Done, and more.", "I will write.\n\nDone, and more."),
        (["I will write.", "Done"], "Done, and more.", "I will write.\n\nDone, and more."),
        (["One  two", "three"], "One two three", "One  two\n\nthree"),
        (["A line\n  indented"], "A line indented", "A line\n  indented"),
        (["A", "Half"], "A", "A\n\nHalf"),
        (["A", "Half MEDIA:x"], "AHalf", "A\n\nHalf"),
        (["Same.", "Same.", "End"], "Same.Same.End", None),
    ],
)
def test_what_was_shown_is_what_is_kept(shown: list[str], final: str, whole: str | None) -> None:
    assert settled(shown, final) == (joined(shown) if whole is None else whole)


def test_parts_are_paragraphs_and_a_single_one_stays_as_it_is() -> None:
    assert joined(["  code\n", ""]) == "  code\n"
    assert joined(["One. ", "\n\n", "\n    Two\n", "Three"]) == "One.\n\n    Two\n\nThree"
    assert joined([]) == ""


def test_the_blocks_of_one_message_are_lines_as_openclaw_streams_them() -> None:
    """A text with citations has many: a blank line between them would tear a sentence apart."""
    blocks = [{"type": "text", "text": "The sky is blue, "}, {"type": "image"}, {"type": "text", "text": "it says. "}]
    assert of_content(blocks) == "The sky is blue,\nit says."
    assert of_content([{"type": "text", "text": " one "}]) == " one "
    assert of_content("plain") == "plain"
    assert of_content(None) == ""
    assert of_content([{"type": "text", "text": "half \ud83d"}]) == "half ?"

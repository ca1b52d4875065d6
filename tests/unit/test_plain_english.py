"""The docs, comments and docstrings avoid a few forms that are hard to read.

The list is short on purpose: it holds only what a machine can find without false alarms.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ["bench", "cdk", "chalicelib", "container", "local", "ops", "tests"]
HARD = re.compile(r"\b(whose|the ones? that|in vain|thereof|wherein)\b", re.IGNORECASE)


def comments(source: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def docstrings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def hard_words(path: Path) -> list[str]:
    """The hard words of a page, or of a Python file's comments and docstrings."""
    text = path.read_text()
    if path.suffix == ".py":
        text = "\n".join([*comments(text), *docstrings(text)])
    return HARD.findall(re.sub(r"\s*\n\s*", " ", text))


def files() -> list[Path]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return pages + [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def test_no_text_uses_a_hard_form() -> None:
    found = {str(path.relative_to(ROOT)): hard_words(path) for path in files() if path != Path(__file__)}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('"""A tab whose calls hang."""', ["whose"]),
        ("# The one\n# that was chosen", []),
        ("#: the one that was chosen", ["the one that"]),
        ("whose = 'the one that'", []),
    ],
)
def test_words_are_found_in_comments_and_docstrings_only(source: str, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)
    assert hard_words(path) == words

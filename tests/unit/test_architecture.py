"""The first page of docs/architecture.md leads to files that exist, and shows every wing."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text().partition("## The parts")[0]
ROWS = re.findall(r"^\| (?!If you|---)(.+?) \| (.+?) \|$", PAGE.partition("| If you want to change")[2], re.MULTILINE)


def test_twenty_changes_are_listed() -> None:
    assert len(ROWS) >= 20


def test_each_file_that_the_page_names_exists() -> None:
    for change, files in ROWS:
        names = re.findall(r"`([^`]+)`", files)
        assert names, f"{change}: names no file"
        for name in names:
            assert (ROOT / name).is_file(), f"{change}: {name} does not exist"


def test_each_wing_is_in_the_picture() -> None:
    picture = PAGE.partition("```mermaid")[2].partition("```")[0]
    for folder in ("chalicelib", "container/bridge"):
        for path in sorted((ROOT / folder).iterdir()):
            if (path / "__init__.py").exists():
                assert f"[{path.name}/" in picture, f"{folder}/{path.name} is not in the picture"

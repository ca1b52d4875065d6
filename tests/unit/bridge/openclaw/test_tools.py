"""The table of tools: each decision is one, and what is said to work has a test that shows it."""

import ast

from bridge.openclaw.bundled import NOT_OFFERED, WORKS
from bridge.openclaw.tools import DECISIONS, policy
from local.stack import ROOT
from ops.abilities import FILE, abilities


def test_a_tool_that_is_offered_has_a_test_that_shows_what_it_does() -> None:
    missing = []
    for name, known in DECISIONS.items():
        if known.works:
            file, _, function = known.shown_by.partition("::")
            nodes = ast.walk(ast.parse((ROOT / file).read_text()))
            functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
            if function not in functions:
                missing.append(f"{name}: {known.shown_by}")
    assert missing == []


def test_a_tool_that_is_not_offered_says_why() -> None:
    assert [name for name, known in DECISIONS.items() if not known.why] == []


def test_what_does_not_work_is_denied_and_what_works_is_not() -> None:
    denied = set(policy()["tools"]["deny"])
    assert denied == {name for name, known in DECISIONS.items() if not known.works}


def test_the_page_about_tools_says_the_same() -> None:
    page = (ROOT / "docs" / "tools.md").read_text()
    works, _, refused = page.partition("## Not offered")
    wrong = [
        name
        for name, known in DECISIONS.items()
        if f"| `{name}` | {known.why} |" not in (works if known.works else refused)
    ]
    assert wrong == [], "write these rows of docs/tools.md anew"


def test_the_list_of_the_page_says_the_same() -> None:
    assert FILE.read_text() == abilities(), "PYTHONPATH=.:container python -m ops.abilities"


def test_a_bundled_skill_works_or_is_not_offered() -> None:
    assert WORKS.keys() & NOT_OFFERED.keys() == set()

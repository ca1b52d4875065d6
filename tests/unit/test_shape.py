"""Functions stay short enough to read at once, and files short enough to find one's way in."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ["chalicelib", "container", "local", "ops", "bench", "cdk", "tests"]
FUNCTION_LINES, FILE_LINES = 40, 300


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_function_and_no_file_is_long(folder: str) -> None:
    long = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        name, text = path.relative_to(ROOT), path.read_text()
        if text.count("\n") > FILE_LINES:
            long.append(f"{name} has {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > FUNCTION_LINES:
                    long.append(f"{node.name} in {name} has {lines} lines")
    assert long == []

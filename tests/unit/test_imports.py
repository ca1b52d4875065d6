"""Imports point one way: app -> handlers, rest -> actions -> wiring -> services; shared code knows no container."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A module may import only modules of its own or a lower layer.
LAYERS = [
    {"settings", "clock", "protocol", "log", "parallel"},
    {"aws", "metrics", "room"},
    {"models"},
    {"tasks", "connections", "containers", "preferences", "rate", "secrets"},
    {"inbox", "tickets", "identity", "activity", "linking", "spending"},
    {"conversations", "attachments", "services"},
    {"dispatch"},
    {"watchdog", "prewarm", "telegram"},
    {"wiring"},
    {"actions"},
    {"handlers"},
    {"rest"},
]


def imported(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def layer(module: str) -> int:
    name = module.split("_")[0] if module.startswith("telegram") else module
    for number, names in enumerate(LAYERS):
        if name in names:
            return number
    raise AssertionError(f"chalicelib.{module} has no layer: give it one in this test")


@pytest.mark.parametrize("path", sorted((ROOT / "chalicelib").glob("*.py")), ids=lambda p: p.stem)
def test_chalicelib_imports_downwards_only(path: Path) -> None:
    if path.stem == "__init__":
        return
    for name in imported(path):
        head, _, rest = name.partition(".")
        assert head not in {"bridge", "container", "local", "cdk", "ops", "app"}, f"{path.name} imports {name}"
        module = rest.split(".")[0]
        if head == "chalicelib" and (ROOT / "chalicelib" / f"{module}.py").exists():
            assert layer(module) <= layer(path.stem), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", sorted((ROOT / "container" / "bridge").glob("*.py")), ids=lambda p: p.stem)
def test_the_bridge_knows_no_stand_in(path: Path) -> None:
    heads = {name.partition(".")[0] for name in imported(path)}
    assert not heads & {"local", "cdk", "ops", "app", "moto", "chalice"}


def test_only_the_inbox_reaches_the_agent() -> None:
    """No second path around the inbox: chat.send has one caller, and it answers claimed messages."""
    callers = [
        path.relative_to(ROOT).as_posix()
        for folder in ("chalicelib", "container/bridge", "local")
        for path in (ROOT / folder).rglob("*.py")
        if '"chat.send"' in path.read_text()
    ]
    assert callers == ["container/bridge/answer.py"]

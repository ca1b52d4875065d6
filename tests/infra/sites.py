"""Finds, by reading the source, the functions of chalicelib that call AWS themselves."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
OPERATIONS = {"get", "query", "scan", "save", "update", "delete", "batch_write", "batch_get", "create_client"}


def models() -> set[str]:
    """The names of the table classes."""
    tree = ast.parse((ROOT / "chalicelib" / "platform" / "models.py").read_text())
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id == "_Table" for b in node.bases)
    }


def call_sites() -> set[str]:
    """`module:Class.method` of every function with an AWS call in its own body."""
    found: set[str] = set()
    names = models()
    # These make clients, and write what their callers ask for.
    for name in sorted(_reachable() - {"platform.models", "platform.writes", "platform.aws"}):
        path = ROOT / "chalicelib" / f"{name.replace('.', '/')}.py"
        for qualified, function in _functions(ast.parse(path.read_text()), ""):
            if _calls_aws(function, names) and _used(function.name):
                found.add(f"{name}:{qualified}")
    return found


def _imports(path: Path) -> set[str]:
    """The modules of chalicelib that a file names, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "chalicelib":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chalicelib."):
            module = str(node.module).removeprefix("chalicelib.")
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def _reachable() -> set[str]:
    """Modules that a function or the Bridge can get to."""
    waiting = {
        name for path in [ROOT / "app.py", *(ROOT / "container" / "bridge").rglob("*.py")] for name in _imports(path)
    }
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        path = ROOT / "chalicelib" / f"{name.replace('.', '/')}.py"
        if name not in found and path.exists():
            found.add(name)
            waiting |= _imports(path)
    return found


@cache
def _sources() -> str:
    folders = (ROOT / "chalicelib", ROOT / "container" / "bridge")
    return "\n".join(path.read_text() for folder in folders for path in sorted(folder.rglob("*.py")))


def _used(name: str) -> bool:
    """Whether anything calls it yet; `_ecs` and its like only make a client."""
    return name != "_ecs" and re.search(rf"(?<!def )\b{name}\(", _sources()) is not None


def _functions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            yield prefix + node.name, node


def _calls_aws(function: ast.FunctionDef, names: set[str]) -> bool:
    rows = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and _root(node.value) in names
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return any(_is_call(node, names | rows) for node in ast.walk(function))


def _is_call(node: ast.AST, tables: set[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id == "transaction"
    if not isinstance(node.func, ast.Attribute):
        return False
    name, base = node.func.attr, node.func.value
    return (
        name == "save"
        or (name in OPERATIONS and _root(base) in tables)
        or (name == "client" and isinstance(base, ast.Name) and base.id == "aws")
        or (isinstance(base, ast.Attribute) and base.attr == "_ecs")
    )


def _root(node: ast.AST) -> str:
    """The first name of `Name(...).attribute.call`."""
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) else ""


def bridge_methods() -> set[str]:
    """Methods of chalicelib's services that the Bridge's source names, as `Class.method`."""
    services = {"_tasks", "_inbox", "_conversations", "_connections", "_tickets", "_statuses"}
    found: set[str] = set()
    for path in sorted((ROOT / "container" / "bridge").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Attribute)
                and node.func.value.attr in services
            ):
                found.add(f"{node.func.value.attr[1:].title()}.{node.func.attr}")
    return found

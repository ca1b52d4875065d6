"""Imports between wings follow a table without cycles; shared code knows no container."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"chalicelib": ROOT / "chalicelib", "bridge": ROOT / "container" / "bridge"}
# What each wing, or each module that stands at the top, may import of its own package. Nothing else is allowed.
ALLOWED = {
    "chalicelib.platform": "",
    "chalicelib.wire": "platform",
    "chalicelib.people": "platform wire",
    "chalicelib.providers": "platform wire people",
    "chalicelib.agents": "platform wire people",
    "chalicelib.messages": "platform wire agents",
    "chalicelib.lifecycle": "platform wire people agents messages",
    "chalicelib.telegram": "platform wire people agents messages lifecycle",
    "chalicelib.first_words": "platform wire people providers agents messages telegram",
    "chalicelib.wiring": "platform wire people agents messages lifecycle telegram",
    "chalicelib.actions": "platform wire agents messages lifecycle wiring",
    "chalicelib.endings": "platform agents lifecycle wiring",
    "chalicelib.handlers": "endings platform wire people agents messages lifecycle wiring actions first_words",
    "chalicelib.hook_routes": "platform wire people wiring rest",
    "chalicelib.file_routes": "platform wire agents messages wiring rest",
    "chalicelib.memory_routes": "wire agents wiring actions rest",
    "chalicelib.status_routes": "agents lifecycle wiring rest",
    "chalicelib.note_routes": "platform agents wiring rest",
    "chalicelib.people_routes": "platform wire people lifecycle wiring rest",
    "chalicelib.health_routes": "agents wiring actions rest",
    "chalicelib.attachment_routes": "wire people messages wiring rest",
    "chalicelib.mcp_routes": "platform people wiring rest",
    "chalicelib.skill_routes": "platform wire people agents wiring rest",
    "chalicelib.rest": "platform wire people agents messages lifecycle telegram wiring actions",
    "bridge.shared": "",
    "bridge.link": "shared",
    "bridge.server": "",
    "bridge.hooks": "shared",
    "bridge.provider": "shared",
    "bridge.memory": "shared",
    "bridge.telegram": "shared",
    "bridge.attachments": "shared",
    "bridge.config": "shared provider",
    "bridge.openclaw": "shared provider config",
    "bridge.prewarm": "config link openclaw",
    "bridge.files": "shared openclaw",
    "bridge.turns": "shared provider memory telegram attachments openclaw config files",
    "bridge.questions": "shared telegram openclaw turns",
    "bridge.console": "shared provider openclaw turns config files",
    "bridge.requested": "openclaw",
    "bridge.outbox": "shared telegram openclaw turns files",
    "bridge.life": "shared provider memory telegram attachments openclaw turns outbox questions console requested "
    "config files link",
    "bridge.agent": "shared provider openclaw turns life config link server",
    "bridge.task": "shared provider openclaw config prewarm agent",
    "bridge.microvm": "shared openclaw agent hooks task",
    "bridge.__main__": "shared openclaw task microvm",
}
# The Bridge uses the gateway's services, not its entry points.
NOT_FOR_THE_BRIDGE = {
    "chalicelib.first_words",
    "chalicelib.attachment_routes",
    "chalicelib.endings",
    "chalicelib.handlers",
    "chalicelib.hook_routes",
    "chalicelib.file_routes",
    "chalicelib.memory_routes",
    "chalicelib.status_routes",
    "chalicelib.note_routes",
    "chalicelib.people_routes",
    "chalicelib.health_routes",
    "chalicelib.skill_routes",
    "chalicelib.mcp_routes",
    "chalicelib.rest",
    "chalicelib.wiring",
    "chalicelib.actions",
}
SOURCES = [path for folder in FOLDERS.values() for path in sorted(folder.rglob("*.py")) if path.stem != "__init__"]


def imported(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def wing(module: str) -> str | None:
    """The wing (or module at the top) of a dotted name of ours; None for what is not ours."""
    root, _, rest = module.partition(".")
    first = rest.partition(".")[0]
    if root not in FOLDERS or not first:
        return None
    place = FOLDERS[root] / first
    return f"{root}.{first}" if place.is_dir() or place.with_suffix(".py").exists() else None


def own(path: Path) -> str:
    root = next(name for name, folder in FOLDERS.items() if folder in path.parents)
    return f"{root}.{path.relative_to(FOLDERS[root]).with_suffix('').parts[0]}"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_module_imports_only_what_its_wing_may(path: Path) -> None:
    here = own(path)
    assert here in ALLOWED, f"{name_of(path)} is in no wing of the table: {here}"
    root = here.partition(".")[0]
    allowed = {here, *(f"{root}.{name}" for name in ALLOWED[here].split())}
    for module in imported(path):
        there = wing(module)
        if there is not None and there.startswith(f"{root}."):
            assert there in allowed, f"{here} may not import {module}"
        elif root == "bridge":
            assert there not in NOT_FOR_THE_BRIDGE, f"the Bridge may not import {module}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_module_knows_what_is_above_it(path: Path) -> None:
    heads = {name.partition(".")[0] for name in imported(path)}
    above = {"local", "cdk", "ops", "app", "tests", "moto"}
    assert not heads & (above | ({"chalice"} if own(path).startswith("bridge.") else {"bridge", "container"}))


def test_the_wings_form_no_cycle() -> None:
    """Nor do the modules inside them, with imports in function bodies counted like any other."""
    wings = {name: {f"{name.partition('.')[0]}.{other}" for other in ALLOWED[name].split()} for name in ALLOWED}
    list(TopologicalSorter(wings).static_order())
    modules = {_dotted(path): path for path in SOURCES}
    list(TopologicalSorter({name: imported(path) & set(modules) for name, path in modules.items()}).static_order())


def _dotted(path: Path) -> str:
    root = own(path).partition(".")[0]
    return ".".join([root, *path.relative_to(FOLDERS[root]).with_suffix("").parts])


def test_only_the_inbox_reaches_the_agent() -> None:
    """No second path around the inbox: chat.send has one caller, and it answers claimed messages.

    noted.py reads what a person's own console sends, and sends nothing.
    """
    callers = [
        path.relative_to(ROOT).as_posix()
        for folder in ("chalicelib", "container/bridge", "local")
        for path in (ROOT / folder).rglob("*.py")
        if '"chat.send"' in path.read_text()
    ]
    assert sorted(callers) == ["container/bridge/console/noted.py", "container/bridge/turns/answer.py"]

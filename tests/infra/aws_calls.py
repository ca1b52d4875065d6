"""Finds every call of a botocore client by reading the source, also the calls that no test makes.

A receiver's service is known where the client is made in the same function (`s3 = cloud.client("s3")`), where a
method or property of the file returns it, or from PASSED, which names the clients that arrive as an argument.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name

ROOT = Path(__file__).resolve().parent.parent.parent
PLACES = ("app.py", "chalicelib", "container/bridge", "local", "ops")
# The stand-in for AWS itself: its operations are moto's, the other way round.
STAND_IN = "local/cloud/"
# Clients given to a function or kept in an object, by file and receiver.
PASSED = {
    ("ops/deployment/stacks.py", "self.client"): "cloudformation",
    ("local/tables.py", "dynamodb"): "dynamodb",
}
# Methods of a client that are no operation: what they take besides.
SIGNED = {"generate_presigned_post": {"Bucket", "Key", "Fields", "Conditions", "ExpiresIn"}}
# Also names of pynamodb's and Python's methods: an operation only where the receiver is a client for sure.
AMBIGUOUS = {"query", "scan", "invoke", "publish"}


@dataclass
class Use:
    """One call: `keywords` are the arguments by name, `open` says that there are more that cannot be read."""

    where: str
    service: str
    method: str
    keywords: dict[str, ast.expr]
    open: bool
    keys: list[str] = field(default_factory=list)  # read from the answer, as `A/B/C`
    paged: bool = False


@dataclass
class Found:
    uses: list[Use] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # receivers without a service, methods passed on
    exceptions: list[tuple[str, str, str]] = field(default_factory=list)  # where, service, name


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


@cache
def operations(service: str) -> Mapping[str, str]:
    """Methods of a client and the operations behind them."""
    return {xform_name(name): name for name in model(service).operation_names}


def made(node: ast.AST | None) -> str | None:
    """The service of an expression that makes a client."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        first = node.args[0]
        if node.func.attr in ("client", "create_client") and isinstance(first, ast.Constant):
            return str(first.value)
    return None


@cache
def trees() -> Mapping[str, ast.Module]:
    paths = [path for place in PLACES for path in (ROOT / place).rglob("*.py")] + [ROOT / PLACES[0]]
    names = {path.relative_to(ROOT).as_posix(): path for path in sorted(paths)}
    return {name: ast.parse(path.read_text()) for name, path in names.items() if not name.startswith(STAND_IN)}


@cache
def services() -> frozenset[str]:
    """All services of which a client is made."""
    found = {made(node) for tree in trees().values() for node in ast.walk(tree)}
    return frozenset(name for name in found if name)


@cache
def methods() -> frozenset[str]:
    return frozenset(name for service in services() for name in operations(service)) - AMBIGUOUS


class File:
    """One file's clients and calls."""

    def __init__(self, name: str, tree: ast.Module, found: Found) -> None:
        self.name, self._tree, self.found = name, tree, found
        self.constants = _assigned(tree.body)
        # `def _s3(self): return aws.client("s3")`, called or as a property; `self._s3 = …` as well.
        self.kept: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                for part in node.body:
                    service = made(part.value) if isinstance(part, ast.Return) else None
                    if service:
                        self.kept[node.name] = service
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                service = made(node.value)
                if service:
                    self.kept[node.targets[0].attr] = service

    def read(self) -> None:
        inside: set[ast.AST] = set()
        for node in ast.walk(self._tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node not in inside:
                inside.update(part for part in ast.walk(node) if part is not node)
                Body(self, node).read()


class Body:
    """One function, with the functions in it."""

    def __init__(self, file: File, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._file, self._function = file, function
        nodes = [node for node in ast.walk(function) if isinstance(node, ast.stmt)]
        self._values = {**file.constants, **_assigned(nodes)}
        self._parents = {child: node for node in ast.walk(function) for child in ast.iter_child_nodes(node)}

    def read(self) -> None:
        for node in ast.walk(self._function):
            if isinstance(node, ast.Attribute):
                self._attribute(node)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "pages":
                self._pages(node)

    def service(self, node: ast.expr) -> str | None:
        """The service of the client that an expression is."""
        direct = made(node)
        if direct:
            return direct
        passed = PASSED.get((self._file.name, ast.unparse(node)))
        if passed:
            return passed
        if isinstance(node, ast.Name):
            return self.service(self._values[node.id]) if node.id in self._values else None
        if isinstance(node, ast.Call) and not node.args:
            return self.service(node.func)
        if isinstance(node, ast.Attribute):
            return self._file.kept.get(node.attr)
        return None

    def value(self, node: ast.expr) -> ast.expr:
        """What a name was assigned, where that is one expression."""
        seen = 0
        while isinstance(node, ast.Name) and node.id in self._values and seen < 5:
            node, seen = self._values[node.id], seen + 1
        return node

    def _attribute(self, node: ast.Attribute) -> None:
        service, parent = self.service(node.value), self._parents.get(node)
        where = f"{self._file.name}:{node.lineno}"
        if node.attr == "exceptions" and service and isinstance(parent, ast.Attribute):
            self._file.found.exceptions.append((where, service, parent.attr))
        elif node.attr == "get_paginator" and isinstance(parent, ast.Call):
            self._paginate(where, service, parent)
        elif node.attr in SIGNED or node.attr == "generate_presigned_url":
            self._signed(where, service, parent)
        elif node.attr in methods() or (service and node.attr not in ("exceptions", "meta")):
            called = isinstance(parent, ast.Call) and (parent.func is node or ast.unparse(parent.func) == "partial")
            if service is None or not called or not isinstance(parent, ast.Call):
                self._file.found.unknown.append(f"{where}: {ast.unparse(node)}")
            else:
                self._use(where, service, node.attr, parent)

    def _use(self, where: str, service: str, method: str, call: ast.Call, paged: bool = False) -> None:
        keywords, more = self._keywords(call)
        self._file.found.uses.append(Use(where, service, method, keywords, more, self._keys(call), paged))

    def _keywords(self, call: ast.Call) -> tuple[dict[str, ast.expr], bool]:
        found: dict[str, ast.expr] = {}
        more = False
        for keyword in call.keywords:
            if keyword.arg is not None:
                found[keyword.arg] = self.value(keyword.value)
                continue
            given = self.value(keyword.value)
            # `**({"A": 1} if new else {})`: either may be there.
            sides = [given.body, given.orelse] if isinstance(given, ast.IfExp) else [given]
            for side in sides:
                found |= {name: self.value(value) for name, value in literal(side).items()}
            more = more or len(sides) > 1 or not isinstance(given, ast.Dict)
        return found, more

    def _keys(self, call: ast.Call) -> list[str]:
        """Constant keys read from the answer: at once, or from the name that it is given."""
        chain = self._chain(call)
        parent = self._parents.get(call)
        if chain or not (isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name)):
            return [chain] if chain else []
        name = parent.targets[0].id
        if self._values.get(name) is not call:
            return []  # assigned more than once
        names = [node for node in ast.walk(self._function) if isinstance(node, ast.Name) and node.id == name]
        return [found for node in names if (found := self._chain(node))]

    def _chain(self, node: ast.expr) -> str:
        keys: list[str] = []
        parent = self._parents.get(node)
        while True:
            if isinstance(parent, ast.Subscript) and parent.value is node and isinstance(parent.slice, ast.Constant):
                keys.append(str(parent.slice.value))
                node, parent = parent, self._parents.get(parent)
            elif isinstance(parent, ast.Attribute) and parent.attr == "get":
                call = self._parents.get(parent)
                if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
                    keys.append(str(call.args[0].value))
                return "/".join(keys)
            else:
                return "/".join(keys)

    def _paginate(self, where: str, service: str | None, call: ast.Call) -> None:
        attribute = self._parents.get(call)
        paginate = self._parents.get(attribute) if attribute is not None else None
        name = call.args[0]
        if isinstance(name, ast.Name) and self._function.name == "pages":
            return  # the helper itself: its callers are read
        if service is None or not isinstance(name, ast.Constant) or not isinstance(paginate, ast.Call):
            self._file.found.unknown.append(f"{where}: {ast.unparse(call)}")
            return
        self._use(where, service, str(name.value), paginate, paged=True)

    def _pages(self, call: ast.Call) -> None:
        client, operation, key = call.args
        where, service = f"{self._file.name}:{call.lineno}", self.service(client)
        if service is None or not isinstance(operation, ast.Constant) or not isinstance(key, ast.Constant):
            self._file.found.unknown.append(f"{where}: {ast.unparse(call)}")
            return
        self._use(where, service, str(operation.value), call, paged=True)
        self._file.found.uses[-1].keys = [str(key.value)]

    def _signed(self, where: str, service: str | None, call: ast.AST | None) -> None:
        if service is None or not isinstance(call, ast.Call):
            self._file.found.unknown.append(f"{where}: a signed address")
            return
        method = call.func.attr  # type: ignore[attr-defined]
        if method in SIGNED:
            self._use(where, service, method, call)
            return
        operation, given = call.args[0], self.value(call.args[1])
        assert isinstance(operation, ast.Constant)
        keywords, known = literal(given), isinstance(given, ast.Dict)
        self._file.found.uses.append(Use(where, service, str(operation.value), keywords, not known))


def literal(node: ast.expr) -> dict[str, ast.expr]:
    """A dictionary's entries with constant keys."""
    if not isinstance(node, ast.Dict):
        return {}
    pairs = zip(node.keys, node.values, strict=True)
    return {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}


def _assigned(statements: list[ast.stmt]) -> dict[str, ast.expr]:
    """Names with the one expression that they are given; those given two are left out."""
    found: dict[str, ast.expr] = {}
    twice: set[str] = set()

    def give(target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for left, right in zip(target.elts, value.elts, strict=False):
                give(left, right)
        elif isinstance(target, ast.Name) and value is not None:
            if target.id in found:
                twice.add(target.id)
            found[target.id] = value

    for node in statements:
        if isinstance(node, ast.Assign):
            give(node.targets[0], node.value)
        elif isinstance(node, ast.AnnAssign):
            give(node.target, node.value)
    return {name: value for name, value in found.items() if name not in twice}


@cache
def found() -> Found:
    result = Found()
    for name, tree in trees().items():
        File(name, tree, result).read()
    return result

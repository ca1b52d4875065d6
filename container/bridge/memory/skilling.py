"""Puts a person's skills into the agent's files: runs as the agent's user, `python -m bridge.memory.skilling STATE`.

stdin is JSON, a list of {"name", "action", "replace", "zip"}; stdout the verdict on each. Every action says how it is
to be at the end, so it may be repeated. No link is followed: the agent may have made one of any of these names.
"""

import base64
import contextlib
import json
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

from chalicelib.agents.skill_files import DELETE, ON, PUT, Skill, checked, is_skill_name, unzipped
from chalicelib.wire.protocol import ProtocolError

# EXISTS: something of that name is there that the person did not want to replace. BAD: it is no skill.
WRITTEN, SAME, EXISTS, BAD, FAILED = "written", "same", "exists", "bad", "failed"
SKILLS, CONFIGURATION = Path("workspace", "skills"), "openclaw.json"


def carry_out(state: Path, wish: dict[str, Any]) -> str:
    try:
        if wish["action"] == PUT:
            skill = checked(unzipped(base64.b64decode(wish["zip"])))
            return put(state / SKILLS, skill, wish["replace"]) if skill.name == wish["name"] else BAD
        if wish["action"] == DELETE:
            return delete(state / SKILLS, wish["name"]) if is_skill_name(wish["name"]) else BAD
        return switch(state / CONFIGURATION, wish["name"], wish["action"] == ON)
    except ProtocolError:
        return BAD
    except OSError as error:
        print(type(error).__name__, file=sys.stderr)
        return FAILED


def put(folder: Path, skill: Skill, replace: bool) -> str:
    """The whole folder of a skill takes the place of another one. A killed try leaves one that the next replaces."""
    _own_folder(folder)
    target, staging = folder / skill.name, folder / f".{skill.name}.upload"
    if os.path.lexists(target):
        if _holds(target, skill):
            return SAME
        if not replace:
            return EXISTS
    _remove(staging)
    staging.mkdir(mode=0o700)
    for file in skill.files:
        path = staging / file.path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700 if file.executable else 0o600)
        with open(made, "wb") as into:
            into.write(file.content)
    _remove(target)
    os.rename(staging, target)
    return WRITTEN


def delete(folder: Path, name: str) -> str:
    if folder.is_symlink() or not os.path.lexists(folder / name):
        return SAME
    _remove(folder / name)
    return WRITTEN


def switch(file: Path, key: str, on: bool) -> str:
    """In OpenClaw's configuration, before it starts. One that is no JSON is left alone: OpenClaw will refuse it."""
    if file.is_symlink():
        return BAD
    try:
        known = json.loads(file.read_text()) if file.exists() else {}
    except (ValueError, RecursionError):
        return BAD
    entry = known if isinstance(known, dict) else None
    for name in ("skills", "entries", key):
        entry = entry.setdefault(name, {}) if isinstance(entry, dict) else None
    if not isinstance(entry, dict):
        return BAD
    if entry.get("enabled", True) is on:
        return SAME
    entry["enabled"] = on
    staging = file.with_name(f".{file.name}.switch")
    staging.unlink(missing_ok=True)
    made = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(made, "w") as into:
        json.dump(known, into, indent=1)
    os.replace(staging, file)
    return WRITTEN


def _own_folder(folder: Path) -> None:
    """A link of the agent's in its place goes; what it leads to stays."""
    for one in (folder.parent, folder):
        if one.is_symlink() or (one.exists() and not one.is_dir()):
            one.unlink()
        one.mkdir(mode=0o700, parents=True, exist_ok=True)


def _holds(folder: Path, skill: Skill) -> bool:
    """Whether the folder has these files and no others."""
    found = {}
    for path in folder.rglob("*"):
        about = path.lstat()
        if stat.S_ISREG(about.st_mode):
            found[path.relative_to(folder).as_posix()] = path
        elif not stat.S_ISDIR(about.st_mode):
            return False
    wanted = {file.path: file.content for file in skill.files}
    if folder.is_symlink() or found.keys() != wanted.keys():
        return False
    return all(
        path.stat().st_size == len(wanted[name]) and path.read_bytes() == wanted[name] for name, path in found.items()
    )


def _remove(path: Path) -> None:
    """A file, a link, or a folder with what is in it, write-protected or not."""
    if not path.is_symlink() and path.is_dir():
        for folder, _, _ in os.walk(path):
            with contextlib.suppress(OSError):
                os.chmod(folder, 0o700)
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def main(state: Path) -> None:
    print(json.dumps([carry_out(state, wish) for wish in json.load(sys.stdin)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""The check of a skill that OpenClaw is about to install, the same as for an upload. OpenClaw runs it, as the agent.

OpenClaw's `security.installPolicy` calls it with a JSON object on stdin, before anything is in the workspace, and wants
a decision on stdout. Without one it installs nothing.
"""

import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge.openclaw.bundled import WORKS
from chalicelib.agents.skill_files import MAX_BYTES, MAX_FILES, SkillFile, checked
from chalicelib.wire.protocol import ProtocolError

Json = dict[str, Any]
MODULE = "bridge.openclaw.vetting"


def verdict(request: Json) -> Json:
    if request.get("skill", {}).get("installSpec"):
        return _said("allow")  # a program that a skill which is there asks for
    try:
        skill = checked(_files(Path(request["sourcePath"])))
        name = str(request["targetName"])
        if skill.name in WORKS:
            raise ProtocolError("SKILL_RESERVED", f"OpenClaw has a skill {skill.name} of its own")
        if skill.name != name:
            raise ProtocolError("SKILL_BAD_NAME", f"the skill calls itself {skill.name}, and is published as {name}")
    except ProtocolError as error:
        return _said("block", f"{error.code}: {error}")
    except OSError as error:
        return _said("block", f"SKILL_UNREADABLE: the skill cannot be read ({type(error).__name__})")
    return _said("allow")


def _files(folder: Path) -> Iterator[SkillFile]:
    """Its files; no more is read than a skill may have. Raises ProtocolError."""
    room, count = MAX_BYTES, 0
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        if stat.S_ISDIR(about.st_mode):
            continue
        if not stat.S_ISREG(about.st_mode):
            raise ProtocolError("SKILL_LINK", "a skill may hold files and folders only, no links")
        room, count = room - about.st_size, count + 1
        if room < 0:
            raise ProtocolError("TOO_LARGE", f"a skill may have {MAX_BYTES} bytes")
        if count > MAX_FILES:
            raise ProtocolError("SKILL_TOO_MANY_FILES", f"a skill may have {MAX_FILES} files")
        yield SkillFile(path.relative_to(folder).as_posix(), path.read_bytes(), bool(about.st_mode & 0o111))


def policy() -> Json:
    """The part of openclaw.json that has OpenClaw call this file. Links to the interpreter are refused there."""
    path = os.pathsep.join(part for part in sys.path if part)
    command: Json = {"source": "exec", "command": os.path.realpath(sys.executable), "args": ["-m", MODULE]}
    command |= {"env": {"PYTHONPATH": path, "LANG": "C.UTF-8"}, "timeoutMs": 20_000}
    return {"installPolicy": {"enabled": True, "targets": ["skill"], "exec": command}}


def _said(decision: str, reason: str = "") -> Json:
    return {"protocolVersion": 1, "decision": decision} | ({"reason": reason} if reason else {})


if __name__ == "__main__":
    print(json.dumps(verdict(json.load(sys.stdin))))

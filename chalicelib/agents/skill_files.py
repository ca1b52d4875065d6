"""A skill folder that a person uploads: what it may hold, and its packed form. Pure.

The gateway checks it before anything is stored. The container's helper unpacks it with the same checks as the agent's
user (container/bridge/memory/skilling.py). Every refusal is a ProtocolError with a code of its own.
"""

import base64
import binascii
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from chalicelib.agents.frontmatter import frontmatter
from chalicelib.wire.protocol import ProtocolError, storable

# What a person may want of a skill (chalicelib/agents/skills.py); here, since the helper needs them and no table.
ON, OFF, PUT, DELETE = "on", "off", "put", "delete"
MAX_BYTES, MAX_FILES, MAX_DEPTH = 2_000_000, 100, 8
MANUAL, MANUAL_BYTES = "SKILL.md", 100_000
MAX_NAME, MAX_DESCRIPTION = 64, 1024
# What no snapshot keeps, what git or an installer would take for its own, and names with a meaning in JavaScript.
RESERVED_PARTS = {".git", ".clawhub", ".openclaw", "node_modules", "__pycache__", ".venv"}
RESERVED_NAMES = {"constructor", "prototype", "tostring", "valueof", "skills", "openclaw", "clawhub"}
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PART = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|]{1,100}")
# Left out of a folder that is picked: what operating systems put there.
_LITTER = {".ds_store", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class SkillFile:
    """`path` below the skill's folder, with `/`."""

    path: str
    content: bytes
    executable: bool = False


@dataclass(frozen=True)
class Skill:
    name: str
    description: str
    files: tuple[SkillFile, ...]


def from_wire(body: dict[str, Any]) -> Skill:
    """The skill of a request: `zip`, or `files` as a list of {path, content}, both in base64."""
    if isinstance(body.get("zip"), str):
        return checked(unzipped(_bytes(body["zip"])))
    files = body.get("files")
    if not isinstance(files, list) or not files:
        raise ProtocolError("BAD_FIELD", "a skill is a zip, or a list of files with path and content")
    _count(len(files))
    return checked([_of_wire(file) for file in files])


def _of_wire(file: Any) -> SkillFile:
    if not isinstance(file, dict) or not isinstance(file.get("path"), str):
        raise ProtocolError("BAD_FIELD", "a file needs a path and its content in base64")
    content = _bytes(file.get("content"))
    return SkillFile(file["path"], content, content.startswith(b"#!"))  # a browser does not tell whether it may run


def _bytes(value: object) -> bytes:
    if not isinstance(value, str) or len(value) > MAX_BYTES * 4 // 3 + 4:
        raise _too_large() if isinstance(value, str) else ProtocolError("BAD_FIELD", "content must be base64")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ProtocolError("BAD_FIELD", "content must be base64") from None


def unzipped(packed: bytes) -> list[SkillFile]:
    """The regular files of a zip. It is unpacked up to the limits only, whatever sizes it claims."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = [info for info in archive.infolist() if not info.is_dir() and not _litter(info.filename)]
            _count(len(members))
            room, files = MAX_BYTES, []
            for info in members:
                files.append(_member(archive, info, room))
                room -= len(files[-1].content)
            return files
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
        raise ProtocolError("SKILL_BAD_ZIP", "the file is no zip that can be read here") from None


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, room: int) -> SkillFile:
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) and not stat.S_ISREG(mode):
        raise ProtocolError("SKILL_LINK", "a skill may hold files and folders only, no links")
    with archive.open(info) as content:
        raw = content.read(room + 1)
    if len(raw) > room:
        raise _too_large()
    # The name as it is written: zipfile cuts one at a NUL, and turns the other slash on Windows only.
    return SkillFile(info.orig_filename, raw, bool(mode & 0o111))


def checked(files: Iterable[SkillFile]) -> Skill:
    """The skill of these files, which may all lie in one folder. Raises ProtocolError."""
    found = [file for file in files if not _litter(file.path)]
    _count(len(found))
    if sum(len(file.content) for file in found) > MAX_BYTES:
        raise _too_large()
    for file in found:
        _check_path(file.path)
    found = _without_folder(found)
    paths = [file.path.casefold() for file in found]
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    if len(set(paths)) < len(paths) or folders & set(paths):
        raise ProtocolError("SKILL_BAD_PATH", "two files of the skill have the same name")
    manual = next((file.content for file in found if file.path == MANUAL), None)
    if manual is None:
        raise ProtocolError("SKILL_NO_MANUAL", f"there is no {MANUAL} at the top of the folder")
    name, description = _head(manual)
    return Skill(name, description, tuple(sorted(found, key=lambda file: file.path)))


def _check_path(path: str) -> None:
    parts = path.split("/")
    if storable(path) != path or len(parts) > MAX_DEPTH:
        raise _bad_path()
    for part in parts:
        if not _PART.fullmatch(part) or part != part.strip(" ") or part.endswith("."):  # "", ".", ".." among them
            raise _bad_path()
        if part.casefold() in RESERVED_PARTS:
            raise ProtocolError("SKILL_RESERVED", f"a skill may hold no {part}")


def _without_folder(files: list[SkillFile]) -> list[SkillFile]:
    """A picked folder, and most zips, have one folder around everything."""
    tops = {file.path.partition("/")[0] for file in files}
    if len(tops) != 1 or any("/" not in file.path for file in files):
        return files
    return [SkillFile(file.path.partition("/")[2], file.content, file.executable) for file in files]


def _head(manual: bytes) -> tuple[str, str]:
    """Name and description of a SKILL.md."""
    if len(manual) > MANUAL_BYTES:
        raise ProtocolError("TOO_LARGE", f"{MANUAL} may have {MANUAL_BYTES} bytes")
    try:
        found = frontmatter(manual.decode())
    except ValueError:
        text = f"{MANUAL} must begin with name and description between two lines ---"
        raise ProtocolError("SKILL_BAD_MANUAL", text) from None
    name, description = found.get("name", ""), found.get("description", "")
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        text = f"the name in {MANUAL} must have 1 to {MAX_NAME} small letters, digits and single hyphens"
        raise ProtocolError("SKILL_BAD_NAME", text)
    if name in RESERVED_NAMES:
        raise ProtocolError("SKILL_RESERVED", f"a skill may not be called {name}")
    if not 1 <= len(description) <= MAX_DESCRIPTION:
        text = f"{MANUAL} needs a description of 1 to {MAX_DESCRIPTION} characters"
        raise ProtocolError("SKILL_BAD_MANUAL", text)
    return name, storable(description)


def is_skill_name(name: object) -> bool:
    return isinstance(name, str) and len(name) <= MAX_NAME and _NAME.fullmatch(name) is not None


def packed(skill: Skill) -> bytes:
    """The same files always make the same bytes."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in skill.files:
            info = zipfile.ZipInfo(file.path)
            info.external_attr = (stat.S_IFREG | (0o700 if file.executable else 0o600)) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, file.content)
    return into.getvalue()


def _litter(path: str) -> bool:
    return path.startswith("__MACOSX/") or path.rpartition("/")[2].casefold() in _LITTER


def _count(files: int) -> None:
    if files > MAX_FILES:
        raise ProtocolError("SKILL_TOO_MANY_FILES", f"a skill may have {MAX_FILES} files")


def _too_large() -> ProtocolError:
    return ProtocolError("TOO_LARGE", f"a skill may have {MAX_BYTES} bytes")


def _bad_path() -> ProtocolError:
    return ProtocolError("SKILL_BAD_PATH", "a file of the skill has a name that cannot be used here")

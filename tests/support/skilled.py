"""Skill folders as people upload them."""

import base64
import io
import stat
import zipfile
from typing import Any

MANUAL = "---\nname: {name}\ndescription: {description}\n---\nBoil water to 70 degrees.\n"


def manual(name: str = "tea-maker", description: str = "Brews tea") -> bytes:
    return MANUAL.format(name=name, description=description).encode()


def folder(**files: bytes) -> dict[str, Any]:
    """A request with these files, `/` for `__`; SKILL.md is there unless it is named."""
    named = {"SKILL.md": manual()} | {name.replace("__", "/"): content for name, content in files.items()}
    return {"files": [{"path": path, "content": encoded(content)} for path, content in named.items()]}


def zipped(files: dict[str, bytes], links: tuple[str, ...] = ()) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            info = zipfile.ZipInfo(path)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = ((stat.S_IFLNK if path in links else stat.S_IFREG) | 0o755) << 16
            archive.writestr(info, content)
    return into.getvalue()


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

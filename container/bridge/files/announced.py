"""Which files a row of the transcript announces. Pure.

Measured on 2026.9.1. The agent writes `MEDIA:<path>` on a line of its own, or uses the `message` tool. OpenClaw takes
the line out of the text, copies the file, and adds a block to the row's `content` in `chat.history`: `attachment`,
`image`, `audio` or `video` with an `artifactId`, or `attachment_error` for what it does not take (other formats, more
than 5 MB, links). The paths stay in `openclawDelivery.mediaUrls`, which only `sessions.get` shows. If OpenClaw cannot
add the blocks to the row, it writes a row of its own (`<run>:assistant-media…`), up to a second after the answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from bridge.openclaw.history import ENDS, belongs, resumes
from bridge.openclaw.paragraphs import of_content

Json = dict[str, Any]
SHOWN = ("attachment", "image", "audio", "video", "file", "attachment_error")
MEDIA_ROW = ":assistant-media"
TOOL_ROW = ":message-tool:"


@dataclass(frozen=True)
class Announced:
    """One file. `row` and `number` name it for ever. Without an artifact OpenClaw has not copied it: read `path`."""

    row: str
    number: int
    label: str
    artifact: str | None = None
    voice: bool = False
    path: str | None = None


def of_row(row: Json) -> tuple[Announced, ...]:
    """The files of one row, in its order."""
    about = row.get("__openclaw")
    content = row.get("content")
    if not isinstance(about, dict) or not isinstance(content, list):
        return ()
    blocks = [block for block in content if isinstance(block, dict) and block.get("type") in SHOWN]
    named = str(about.get("id") or "")
    found = [_announced(named, number, block) for number, block in enumerate(blocks)]
    return tuple(one for one in found if one is not None)


def _announced(row: str, number: int, block: Json) -> Announced | None:
    inner = block.get("attachment")
    about = inner if isinstance(inner, dict) else block
    label = next((str(about[name]) for name in ("label", "fileName", "alt", "title") if about.get(name)), "file")
    artifact = about.get("artifactId")
    if not artifact and block["type"] != "attachment_error":
        return None  # a picture of the person's own, quoted
    voice = about.get("isVoiceNote") is True
    return Announced(row, number, label, str(artifact) if artifact else None, voice)


def of_answer(rows: Iterable[Any], message_id: str) -> tuple[Announced, ...] | None:
    """The files of the answer to a message, from the rows of its session. None: its question is not among them."""
    entries = [row for row in rows if isinstance(row, dict)]
    begin = next((n for n in reversed(range(len(entries))) if _asks(entries[n], message_id)), None)
    if begin is None:
        return None
    runs = {_key(entries[begin])}
    found: list[Announced] = []
    ended = over = False  # the answer has its last row; another question came after it
    for row in entries[begin + 1 :]:
        if row.get("role") == "user" and row.get("idempotencyKey"):
            if resumes(row):
                ended = False
            elif ended:
                over = True
            else:
                runs.add(_key(row))  # taken in by the same run
        elif row.get("role") == "assistant":
            key = _key_of_row(row)
            late = any(key.startswith(f"{run}{MEDIA_ROW}") for run in runs)
            if late or not (over or _by_itself(row) or MEDIA_ROW in key):
                found += of_row(row)
                ended = ended or _ends(row)
    return tuple(found)


def _asks(row: Json, message_id: str) -> bool:
    return row.get("role") == "user" and belongs(row, message_id)


def _key(row: Json) -> str:
    return str(row.get("idempotencyKey")).removesuffix(":user")


def _key_of_row(row: Json) -> str:
    about = row.get("__openclaw")
    return str(row.get("idempotencyKey") or (about.get("idempotencyKey") if isinstance(about, dict) else "") or "")


def _ends(row: Json) -> bool:
    said = bool(of_content(row.get("content"))) or bool(of_row(row))
    return said and row.get("stopReason") in ENDS and "openclawStreamFallback" not in row


def _by_itself(row: Json) -> bool:
    """What the agent says by itself is delivered by the outbox, with its files."""
    about = row.get("__openclaw")
    run = str(about.get("runId") or "") if isinstance(about, dict) else ""
    return TOOL_ROW in _key_of_row(row) or run.startswith("announce:") or bool(row.get("openclawAutomation"))


def with_paths(found: Iterable[Announced], rows: Iterable[Any]) -> tuple[Announced, ...]:
    """The same files with the paths that the agent named; `rows` are those of `sessions.get`."""
    named: dict[str, list[str]] = {}
    for row in rows:
        delivery = row.get("openclawDelivery") if isinstance(row, dict) else None
        about = row.get("__openclaw") if isinstance(row, dict) else None
        urls = delivery.get("mediaUrls") if isinstance(delivery, dict) else None
        if isinstance(about, dict) and isinstance(urls, list):
            named[str(about.get("id"))] = [str(url) for url in urls]
    return tuple(replace(one, path=_path(one, named.get(one.row, []))) for one in found)


def _path(one: Announced, paths: list[str]) -> str | None:
    """OpenClaw's label is the file's name; one that was changed for display is found by its place."""
    same = [path for path in paths if PurePosixPath(path).name == one.label]
    if same:
        return same[0]
    return paths[one.number] if one.number < len(paths) else None

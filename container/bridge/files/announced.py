"""Which files a row of the transcript announces. Pure.

Measured on 2026.9.1. The agent writes `MEDIA:<path>` on a line of its own, or uses the `message` tool. OpenClaw takes
the line out of the text and stores the paths with the row (`openclawDelivery.mediaUrls`, shown by `sessions.get` only).
Up to two seconds after the end of the run it has copied the files and adds blocks to the row (`openclawDisplayContent`,
in `chat.history` the `content`): `attachment`, `image`, `audio` or `video` with an `artifactId`, or `attachment_error`
for what it does not take (other formats, more than 5 MB, links). If it cannot add them to the row, it writes a row of
its own (`<run>:assistant-media…`). A turn that begins before that may fail, or be folded into the last one.
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
REMOTE = ("http://", "https://")


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
    content = row.get("openclawDisplayContent") or row.get("content")
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
    url = str(about.get("url") or "")
    if not artifact and block["type"] != "attachment_error" and not url.startswith(REMOTE):
        return None  # a picture of the person's own, quoted
    voice = about.get("isVoiceNote") is True
    path = url if not artifact and url.startswith(REMOTE) else None
    return Announced(row, number, label, str(artifact) if artifact else None, voice, path)


@dataclass(frozen=True)
class Answered:
    """The files of an answer, and its rows. `pending`: OpenClaw has not copied all of them yet."""

    files: tuple[Announced, ...]
    pending: bool = False
    rows: tuple[Json, ...] = ()


def of_answer(rows: Iterable[Any], message_id: str) -> Answered | None:
    """The files of the answer to a message, from the rows of `sessions.get`. None: its question is not among them."""
    entries = [row for row in rows if isinstance(row, dict)]
    begin = next((n for n in reversed(range(len(entries))) if _asks(entries[n], message_id)), None)
    if begin is None:
        return None
    runs, own = _own(entries[begin:])
    late = [row for row in entries[begin:] if any(_key_of_row(row).startswith(f"{run}{MEDIA_ROW}") for run in runs)]
    found = [one for row in (*own, *late) for one in of_row(row)]
    bare = [row for row in own if _urls(row) and not of_row(row)] if not late else []
    files = with_paths([*found, *(one for row in bare for one in _uncopied(row))], own)
    return Answered(files, bool(bare), tuple(own))


def _own(entries: list[Json]) -> tuple[set[str], list[Json]]:
    """The runs that answer the first entry, and the rows of its answer."""
    runs = {_key(entries[0])}
    rows: list[Json] = []
    ended = False  # the answer has its last row
    for row in entries[1:]:
        if row.get("role") == "user" and row.get("idempotencyKey"):
            if resumes(row):
                ended = False
            elif ended:
                break  # what follows belongs to another question
            else:
                runs.add(_key(row))  # taken in by the same run
        elif row.get("role") == "assistant" and not _by_itself(row) and MEDIA_ROW not in _key_of_row(row):
            rows.append(row)
            ended = ended or _ends(row)
    return runs, rows


def _urls(row: Any) -> list[str]:
    delivery = row.get("openclawDelivery") if isinstance(row, dict) else None
    urls = delivery.get("mediaUrls") if isinstance(delivery, dict) else None
    return [str(url) for url in urls] if isinstance(urls, list) else []


def _uncopied(row: Json) -> list[Announced]:
    """What the row announces, by its paths alone."""
    urls = enumerate(_urls(row))
    return [Announced(_id(row), number, PurePosixPath(url).name or "file", path=url) for number, url in urls]


def _asks(row: Json, message_id: str) -> bool:
    return row.get("role") == "user" and belongs(row, message_id)


def _key(row: Json) -> str:
    return str(row.get("idempotencyKey")).removesuffix(":user")


def _key_of_row(row: Json) -> str:
    about = row.get("__openclaw")
    return str(row.get("idempotencyKey") or (about.get("idempotencyKey") if isinstance(about, dict) else "") or "")


def _ends(row: Json) -> bool:
    said = bool(of_content(row.get("content"))) or bool(of_row(row) or _urls(row))
    return said and row.get("stopReason") in ENDS and "openclawStreamFallback" not in row


def _by_itself(row: Json) -> bool:
    """What the agent says by itself is delivered by the outbox, with its files."""
    about = row.get("__openclaw")
    run = str(about.get("runId") or "") if isinstance(about, dict) else ""
    return TOOL_ROW in _key_of_row(row) or run.startswith("announce:") or bool(row.get("openclawAutomation"))


def with_paths(found: Iterable[Announced], rows: Iterable[Any]) -> tuple[Announced, ...]:
    """The same files with the paths that the agent named; `rows` are those of `sessions.get`."""
    named = {_id(row): _urls(row) for row in rows if _urls(row)}
    return tuple(replace(one, path=one.path or _path(one, named.get(one.row, []))) for one in found)


def _id(row: Json) -> str:
    about = row.get("__openclaw")
    return str(about.get("id")) if isinstance(about, dict) else ""


def _path(one: Announced, paths: list[str]) -> str | None:
    """OpenClaw's label is the file's name; one that was changed for display is found by its place."""
    same = [path for path in paths if PurePosixPath(path).name == one.label]
    if same:
        return same[0]
    return paths[one.number] if one.number < len(paths) else None

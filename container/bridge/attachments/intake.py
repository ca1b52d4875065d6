"""Takes a message's files in: pictures for the model's eyes, text for it to read, and every file for its tools.

One way for all attachments, wherever they come from. OpenClaw gets pictures, and PDFs without text, which it renders.
Everything else is read here, as the agent's user and within limits: chat.send takes 18 MB together at most, OpenClaw
would read a PDF in its own process, and it knows no Office files.
"""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGXCPU
from typing import Any

from bridge.attachments.names import disk_name, size_in_words, told_name
from bridge.shared.user import AgentUser
from chalicelib.platform import log
from chalicelib.wire.protocol import IMAGE_TYPES

Entry = dict[str, Any]
# What OpenClaw takes in one message (its maxPayload of 26,214,400 bytes, in base64), and of one picture.
NATIVE_BYTES, PICTURE_BYTES = 18_000_000, 6_291_456
# All files of a message together, in characters; about 40,000 tokens.
PROMPT = 160_000
# Of one file, and of all files of a message (an album of documents is one message).
READ_SECONDS, ALL_SECONDS = 20.0, 60.0
# Where OpenClaw keeps what was sent in; the memory keeps the newest of it (memory/contents.py).
FOLDER = Path("media", "inbound")
LIMIT, NO_TIME = "it took too long to be read, or too much memory", "the files before it took too long to be read"
CUT = "only its beginning was transcribed: it is longer than a transcript may be"
# How the reader ends at its limit of processor time (reading.py), or when the system has no memory left; also as a
# shell says it.
LIMITED = {status for number in (SIGXCPU, SIGKILL) for status in (-number, 128 + number)}
PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


@dataclass
class File:
    """One attached file. `problem`: why the model cannot read it, in words for the person."""

    name: str
    size: int
    path: str = ""
    text: str = ""
    note: str = ""  # what the model must know of the text
    problem: str = ""
    warning: str = ""  # what the person must know of a text that is there
    native: bool = False  # OpenClaw gets it, too
    sound: bool = False  # `text` is what is said in it
    voice: bool = False  # and the person says it


@dataclass
class Taken:
    """`native`: what chat.send takes with the message."""

    native: list[Entry] = field(default_factory=list)
    files: list[File] = field(default_factory=list)

    @property
    def problems(self) -> list[File]:
        """What the person must be told of."""
        return [file for file in self.files if file.problem or file.warning]


class Intake:
    """`load` gives an attachment's content; None when it is gone."""

    def __init__(self, agent: AgentUser, state_dir: Path, load: Callable[[Entry], bytes | None]) -> None:
        self._agent = agent
        self._folder = state_dir / FOLDER
        self._load = load

    def take(self, message_id: str, entries: list[Entry]) -> Taken:
        """Places and reads them. A file that cannot be read is a problem of that file only."""
        taken, room, text = Taken(), NATIVE_BYTES, PROMPT
        until = time.monotonic() + ALL_SECONDS
        for number, entry in enumerate(entries, 1):
            content = self._content(entry)
            if content is None:
                gone = File(entry["fileName"], 0, problem="it could not be fetched")
                taken.files.append(_heard(gone, entry) if entry.get("transcript") else gone)
                continue
            picture = _picture(content)
            if picture is not None and len(content) <= min(PICTURE_BYTES, room):
                room -= len(content)
                taken.native.append(_native(entry, picture, content))
                continue
            path = self._folder / message_id / disk_name(number, entry["fileName"])
            file = self._file(path, entry, content, min(READ_SECONDS, until - time.monotonic()))
            if picture is not None:
                file.problem = f"the picture is too large to be looked at ({size_in_words(len(content))})"
            elif file.native and len(content) <= room:  # a scan
                room -= len(content)
                taken.native.append(_native(entry, "application/pdf", content))
            elif file.native:
                file.native, file.problem = False, "it has pages without text, and is too large to be looked at"
            file.text, cut = file.text[:text], len(file.text) > text
            file.note = f"{file.note} Only its beginning is here.".strip() if cut else file.note
            text -= len(file.text)
            taken.files.append(file)
        return taken

    def _content(self, entry: Entry) -> bytes | None:
        return None if entry.get("missing") else self._load(entry)

    def _file(self, path: Path, entry: Entry, content: bytes, seconds: float) -> File:
        file = File(entry["fileName"], len(content), str(path))
        found = self._read(path, content, seconds) if seconds >= 1 else {"kind": "", "problem": NO_TIME}
        if found.get("problem") == NO_TIME:
            file.path = ""
        kind, text = str(found["kind"]), str(found.get("text", ""))
        if entry.get("transcript"):
            return _heard(file, entry)
        file.problem = str(found.get("problem", "")) or _unread(entry, kind)
        if kind == "pdf" and not file.problem and not text:
            file.native = True
        elif not file.problem and not text:
            file.problem = "there is no text in it"
        file.text, file.note = text, _note(found, path)
        return file

    def _read(self, path: Path, content: bytes, seconds: float) -> Entry:
        """What the reader found out, or why it found nothing."""
        command = self._agent.python("bridge.attachments.reading", str(path), str(seconds))
        try:
            done = self._agent.run(command, content, seconds + 5)
            if done.returncode == 0:
                found: Entry = json.loads(done.stdout)
                return found
            log.event("attachment_unread", returncode=done.returncode, bytes=len(content))
            limited = done.returncode in LIMITED
            return {"kind": "", "problem": LIMIT if limited else f"its reader failed (status {done.returncode})"}
        except TimeoutError:
            log.event("attachment_unread", reason="TimeoutError", bytes=len(content))
            return {"kind": "", "problem": LIMIT}
        except (OSError, ValueError) as error:
            log.event("attachment_unread", reason=type(error).__name__, bytes=len(content))
            return {"kind": "", "problem": f"its reader failed ({type(error).__name__})"}


def _heard(file: File, entry: Entry) -> File:
    """A recording: its words are known, whatever became of the file."""
    file.text, file.sound, file.voice, file.problem = str(entry["transcript"]), True, entry.get("voice") is True, ""
    if entry.get("cut"):
        file.warning, file.note = CUT, "Only the beginning of it was transcribed; what follows is not known."
    return file


def _picture(content: bytes) -> str | None:
    """The type of a picture that models take, by its content."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for sign, kind in PICTURES.items() if content.startswith(sign)), None)


def _native(entry: Entry, kind: str, content: bytes) -> Entry:
    sort = "image" if kind in IMAGE_TYPES else "file"
    encoded = base64.b64encode(content).decode()
    return {"type": sort, "mimeType": kind, "fileName": told_name(entry["fileName"]), "content": encoded}


def _unread(entry: Entry, kind: str) -> str:
    if kind != "binary":
        return ""
    sort = str(entry["mimeType"]).partition("/")[0]
    words = {"video": "your agent cannot watch videos", "audio": str(entry.get("unheard") or "it was not transcribed")}
    return words.get(sort, "its kind is none that can be read as text")


def _note(found: Entry, path: Path) -> str:
    """What is missing of the text, and where all of it is."""
    parts = []
    pages = f" of {found['pages']} pages" if found.get("pages") else ""
    if found.get("broke"):
        parts.append(f"It could be read only in part: {found['broke']}.")
    elif found.get("whole") is False:
        parts.append(f"Only the first {found['length']} characters{pages} were read.")
    if found.get("beside"):
        parts.append(f"Here are the first {len(found['text'])} characters; {found['length']} are in {path}.txt.")
    return " ".join(parts)

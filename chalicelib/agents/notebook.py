"""The agent's memory files as the last snapshot has them, with the person's edits that wait: read and searched."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chalicelib.agents.manifest import Entries, Entry
from chalicelib.agents.notes import MAX_BYTES, Changes, Edit, Edits, is_note, note_name, note_text, version_of
from chalicelib.agents.workspace import NOT_THERE, Workspace
from chalicelib.platform.parallel import both
from chalicelib.wire.protocol import ProtocolError, storable

# What one search reads: files (the newest daily notes), and hits that are shown, of a file and in all.
SEARCHED, HITS_OF_FILE, HITS = 120, 5, 60
READERS = 8
MAX_QUERY, AROUND = 100, 80
# The files for every conversation come first, in this order.
FIRST = ("SOUL.md", "IDENTITY.md", "USER.md", "MEMORY.md", "AGENTS.md", "TOOLS.md", "HEARTBEAT.md")


class Notebook:
    """Raises ProtocolError. Nothing here starts a container."""

    def __init__(self, workspace: Workspace, edits: Edits, changes: Changes) -> None:
        self._workspace = workspace
        self._edits = edits
        self._changes = changes

    def listed(self, user_id: str) -> dict[str, Any]:
        (files, saved_at), (edits, changed) = both(
            lambda: self._files(user_id), lambda: (self._edits.of(user_id), self._changes.get(user_id))
        )
        names = sorted({*files, *(name for name in edits)}, key=_order)
        notes = [_about(name, files.get(name), edits.get(name)) for name in names]
        last = {"at": changed.at, "files": changed.files, "cut": changed.cut} if changed is not None else None
        return {"savedAt": saved_at, "notes": notes, "changed": last}

    def note(self, user_id: str, asked: object) -> dict[str, Any]:
        """One file: its text, the version to name with an edit of it, and the edit that waits.

        The edit is there even if the file cannot be shown; `problem` is then the code why.
        """
        name = note_name(asked)
        (files, saved_at), edits = both(lambda: self._files(user_id), lambda: self._edits.of(user_id))
        edit = edits.get(name)
        if name not in files and edit is None:
            raise ProtocolError("NOT_FOUND", NOT_THERE)
        try:
            text = self._text(user_id, files.get(name))
        except ProtocolError as error:
            if edit is None:
                raise
            hidden = {"name": name, "text": None, "version": "", "savedAt": saved_at, "problem": error.code}
            return hidden | {"edit": edit.whole()}
        if edit is not None and edit.open and edit.text == text:
            edit = None  # it is in the snapshot already
        found = {"name": name, "text": text, "version": version_of(text), "savedAt": saved_at}
        return found | {"edit": edit.whole() if edit is not None else None}

    def edit(self, user_id: str, body: dict[str, Any]) -> Edit:
        """Keep an edit. It is pending until the agent has it."""
        name, text, version = note_name(body.get("name")), note_text(body.get("text")), body.get("version")
        if not isinstance(version, str):
            raise ProtocolError("BAD_FIELD", "version must be the version of the text that was read")
        files, saved_at = self._files(user_id)
        if saved_at is None:
            raise ProtocolError("NOT_FOUND", "nothing is saved yet: talk to your agent first")
        current = version_of(self._text(user_id, files.get(name)))
        return self._edits.save(user_id, name, text, version, current)

    def discard(self, user_id: str, name: object, edit_id: object) -> None:
        self._edits.discard(user_id, note_name(name), edit_id)

    def search(self, user_id: str, asked: object) -> dict[str, Any]:
        """Lines that hold the words, whatever their case; of the last snapshot and of edits that wait."""
        if not isinstance(asked, str) or not 1 <= len(asked.strip()) <= MAX_QUERY:
            raise ProtocolError("BAD_FIELD", f"q must have 1 to {MAX_QUERY} characters")
        (files, _), edits = both(lambda: self._files(user_id), lambda: self._edits.of(user_id))
        names = sorted({*files, *edits}, key=_order)
        with ThreadPoolExecutor(READERS, "notes") as pool:
            texts = list(pool.map(lambda name: self._shown(user_id, files, edits, name), names[:SEARCHED]))
        by_file = [_hits(name, text or "", asked.strip()) for name, text in zip(names, texts, strict=False)]
        found = [hit for hits in by_file for hit in hits[:HITS_OF_FILE]]
        more = len(found) > HITS or any(len(hits) > HITS_OF_FILE for hits in by_file)
        return {"hits": found[:HITS], "truncated": more or len(names) > SEARCHED or None in texts}

    def _shown(self, user_id: str, files: Entries, edits: dict[str, Edit], name: str) -> str | None:
        """None for a file that is left out: too large, or no text."""
        edit = edits.get(name)
        if edit is not None and edit.open:
            return edit.text
        try:
            return self._text(user_id, files.get(name)) or ""
        except ProtocolError:
            return None

    def _files(self, user_id: str) -> tuple[Entries, int | None]:
        files, saved_at = self._workspace.files(user_id)
        return {name: entry for name, entry in files.items() if is_note(name) and storable(name) == name}, saved_at

    def _text(self, user_id: str, entry: Entry | None) -> str | None:
        if entry is None:
            return None
        if entry[3] > MAX_BYTES:
            raise ProtocolError("TOO_LARGE", "the file is too large to be shown here: save it from the Files tab")
        try:
            return self._workspace.read(user_id, entry).decode()
        except UnicodeDecodeError:
            raise ProtocolError("UNSUPPORTED_TYPE", "the file is not UTF-8 text") from None


def with_edits(files: dict[str, str], edits: dict[str, Edit], limit: int) -> dict[str, str]:
    """Texts of the snapshot as they will be at the next start; `limit` in bytes."""
    waiting = {name: edit.text for name, edit in edits.items() if edit.open and name in files}
    return files | {name: text.encode()[:limit].decode(errors="ignore") for name, text in waiting.items()}


def _order(name: str) -> tuple[int, str]:
    """The files for every conversation, then the daily notes, the newest first."""
    if name in FIRST:
        return FIRST.index(name), ""
    return len(FIRST), "".join(chr(0x10FFFF - ord(letter)) for letter in name)


def _about(name: str, entry: Entry | None, edit: Edit | None) -> dict[str, Any]:
    about: dict[str, Any] = {"name": name}
    if entry is not None:
        about |= {"sizeBytes": entry[3], "updatedAt": entry[2] // 1_000_000}
    return about | ({"edit": edit.public()} if edit is not None else {})


def _hits(name: str, text: str, words: str) -> list[dict[str, Any]]:
    """At most one more than are shown of a file."""
    found: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines(), 1):
        at = line.casefold().find(words.casefold())
        if at >= 0:
            start = max(at - AROUND, 0)
            found.append({"name": name, "line": number, "text": line[start : at + len(words) + AROUND].strip()})
    return found[: HITS_OF_FILE + 1]

"""Sends the files of an answer to its chat: pictures, sounds and films as such, several as an album.

One call is one parcel. As with texts (progress.py), a call with an unknown outcome is not repeated, and what Telegram
refuses is tried once as a document, then named in a text.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any

from chalicelib.messages.files import StoredFile
from chalicelib.platform import log
from chalicelib.telegram.api import BotApi, Rejected, TelegramError, Unknown
from chalicelib.telegram.progress import Progress

# The Bot API's limits for a bot: of a picture, of any other file (and, here, of all files of one call).
PHOTO_BYTES, FILE_BYTES = 10_000_000, 50_000_000
ALBUM = 10
PHOTO, VIDEO, AUDIO, VOICE, ANIMATION, DOCUMENT = "photo", "video", "audio", "voice", "animation", "document"
LINK = "link"  # it cannot be sent, only named
METHODS = {
    PHOTO: "sendPhoto",
    VIDEO: "sendVideo",
    AUDIO: "sendAudio",
    VOICE: "sendVoice",
    ANIMATION: "sendAnimation",
    DOCUMENT: "sendDocument",
}
# Kinds that may stand together in an album.
TOGETHER = {PHOTO: "seen", VIDEO: "seen", AUDIO: "heard", DOCUMENT: "saved"}
KINDS = {"image/gif": ANIMATION, "image/png": PHOTO, "image/jpeg": PHOTO, "image/webp": PHOTO, "video/mp4": VIDEO}
SOUNDS = ("audio/mpeg", "audio/mp4")
SPOKEN = ("audio/ogg", *SOUNDS)
Json = dict[str, Any]


@dataclass(frozen=True)
class Parcel:
    """The files of one call, all of one kind or of two that Telegram shows together."""

    kinds: tuple[str, ...]
    files: tuple[StoredFile, ...]


def kind_of(file: StoredFile) -> str:
    if not 0 < file.size <= FILE_BYTES:
        return LINK
    if file.voice and file.mime_type in SPOKEN:
        return VOICE
    if file.mime_type in SOUNDS:
        return AUDIO
    kind = KINDS.get(file.mime_type, DOCUMENT)
    return DOCUMENT if kind == PHOTO and file.size > PHOTO_BYTES else kind


def parcels(files: Iterable[StoredFile]) -> list[Parcel]:
    """The calls to make, in the order of the files. Neighbours that fit make an album."""
    made: list[Parcel] = []
    for file in files:
        kind = kind_of(file)
        last = made[-1] if made else None
        if last is not None and _fits(last, kind, file):
            made[-1] = Parcel((*last.kinds, kind), (*last.files, file))
        else:
            made.append(Parcel((kind,), (file,)))
    return made


def _fits(parcel: Parcel, kind: str, file: StoredFile) -> bool:
    same = kind in TOGETHER and TOGETHER.get(parcel.kinds[0]) == TOGETHER[kind]
    small = sum(one.size for one in parcel.files) + file.size <= FILE_BYTES
    return same and small and len(parcel.files) < ALBUM


class Media:
    """`target` names the chat; `content` opens a stored file, or returns None if it is gone."""

    def __init__(
        self, api: BotApi, target: Json, progress: Progress, content: Callable[[StoredFile], IO[bytes] | None]
    ) -> None:
        self._api = api
        self._target = target
        self._progress = progress
        self._content = content

    def left(self, files: Sequence[StoredFile]) -> list[Parcel]:
        return parcels(files)[self._progress.parcels :]

    def step(self, files: Sequence[StoredFile]) -> int:
        """Send the next parcel: the number of its files; 0: there is none. Raises TelegramError and what AWS raises."""
        left = self.left(files)
        if not left:
            return 0
        with ExitStack() as stack:
            opened = [self._opened(file, stack) for file in left[0].files]
            self._progress.sending_parcel()
            try:
                self._deliver(left[0], opened)
            except Unknown:
                log.event("telegram_file_unknown", count=len(opened))
            except TelegramError:
                self._progress.not_sent()
                raise
        self._progress.sent_parcel()
        return len(left[0].files)

    def _opened(self, file: StoredFile, stack: ExitStack) -> IO[bytes] | None:
        content = self._content(file) if kind_of(file) != LINK else None
        return stack.enter_context(content) if content is not None else None

    def _deliver(self, parcel: Parcel, opened: list[IO[bytes] | None]) -> None:
        """What takes effect is one call, so that a flood repeats nothing (but for the names of files that are gone)."""
        there = [one for one in zip(parcel.kinds, parcel.files, opened, strict=True) if one[2] is not None]
        self._name([file for file, content in zip(parcel.files, opened, strict=True) if content is None])
        for files in [there, [(DOCUMENT, file, content) for _, file, content in there]]:
            if not files or self._accepted(files):
                return
        self._name([file for _, file, _ in there])

    def _accepted(self, files: list[tuple[str, StoredFile, IO[bytes] | None]]) -> bool:
        """Whether Telegram took them. Raises what concerns more than these files."""
        try:
            self._send(files)
        except Rejected as error:
            if error.status not in (400, 413) or "chat not found" in error.description:
                raise
            log.event("telegram_file_rejected", status=error.status, count=len(files))
            return False
        return True

    def _send(self, files: list[tuple[str, StoredFile, IO[bytes] | None]]) -> None:
        for _, _, content in files:
            assert content is not None
            content.seek(0)
        if len(files) == 1:
            kind, file, content = files[0]
            self._api.call(METHODS[kind], {kind: (file.name, content)}, **self._target, caption=_caption(kind, file))
            return
        parts = {f"file{number}": (file.name, content) for number, (_, file, content) in enumerate(files)}
        media: list[Json] = []
        for number, (kind, file, _) in enumerate(files):
            caption = _caption(kind, file)
            media.append({"type": kind, "media": f"attach://file{number}"} | ({"caption": caption} if caption else {}))
        self._api.call("sendMediaGroup", parts, **self._target, media=media)

    def _name(self, files: Sequence[StoredFile]) -> None:
        """What cannot be sent here is on the web page."""
        if files:
            names = ", ".join(f"“{file.name}” ({size_of(file.size)})" for file in files)
            text = f"📎 {names}: cannot be sent in Telegram. Open the web page to save it."
            self._api.call("sendMessage", **self._target, text=text)


def _caption(kind: str, file: StoredFile) -> str | None:
    """Telegram shows the names of documents only."""
    return file.name if kind in (PHOTO, VIDEO, ANIMATION) else None


def size_of(size: int) -> str:
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{size / 1e3:.0f} KB"

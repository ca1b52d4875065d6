"""Files in the local Bot API: the real one's limits, and what a chat has of a file."""

from typing import Any, Protocol

Json = dict[str, Any]
CAPTION = 1024
PHOTO_BYTES, FILE_BYTES = 10_000_000, 50_000_000
ALBUM = (2, 10)
# What may be in one album.
TOGETHER = {"photo": "seen", "video": "seen", "audio": "heard", "document": "saved"}
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8")


class ApiError(Exception):
    """A refusal with the real API's text."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status = status
        self.body: Json = {"ok": False, "error_code": status, "description": description}
        if parameters:
            self.body["parameters"] = parameters


class Files(Protocol):
    """Where contents are kept, by file id."""

    files: dict[str, bytes]

    def number(self) -> int: ...


def taken(chats: Files, kind: str, fields: Json) -> Json:
    """Keep a file; what its message says of it. Raises ApiError as the real API refuses."""
    if not isinstance(fields.get(kind), tuple):
        raise ApiError(400, f"Bad Request: there is no {kind} in the request")
    return _kept(chats, kind, fields[kind], fields.get("caption"))


def group_of(chats: Files, fields: Json) -> list[Json]:
    """The same for the items of an album."""
    media = fields.get("media")
    if not isinstance(media, list) or not ALBUM[0] <= len(media) <= ALBUM[1]:
        raise ApiError(400, "Bad Request: wrong number of media in the album")
    kinds = [str(item.get("type")) for item in media]
    if len({TOGETHER.get(kind) for kind in kinds} - {None}) != 1 or not TOGETHER.keys() >= set(kinds):
        raise ApiError(400, "Bad Request: these types of media can't be mixed in an album")
    parts = [fields.get(str(item.get("media")).removeprefix("attach://")) for item in media]
    if not all(isinstance(part, tuple) for part in parts):
        raise ApiError(400, "Bad Request: a file of the album is missing")
    asked = zip(kinds, parts, media, strict=True)
    return [_kept(chats, kind, part, item.get("caption")) for kind, part, item in asked if part is not None]


def _kept(chats: Files, kind: str, part: tuple[str, bytes], caption: str | None) -> Json:
    name, content = part
    if not content:
        raise ApiError(400, "Bad Request: file must be non-empty")
    if len(content) > (PHOTO_BYTES if kind == "photo" else FILE_BYTES):
        raise ApiError(413, "Request Entity Too Large")
    if kind == "photo" and not content.startswith(PICTURES):
        raise ApiError(400, "Bad Request: IMAGE_PROCESS_FAILED")
    if len(str(caption or "")) > CAPTION:
        raise ApiError(400, "Bad Request: message caption is too long")
    file_id = f"file-{chats.number()}"
    chats.files[file_id] = content
    about: Json = {"file_id": file_id, "file_name": name, "file_size": len(content)}
    message: Json = {kind: [about] if kind == "photo" else about}
    return message | ({"caption": str(caption)} if caption else {})

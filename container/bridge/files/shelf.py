"""Puts the files of an answer into S3 before the answer is shown; what cannot be given is named."""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from bridge.files.announced import REMOTE, Announced, of_answer, with_paths
from bridge.files.fetching import Fetcher, Unavailable
from bridge.openclaw.gateway import Gateway
from bridge.openclaw.history import HISTORY_LIMIT
from chalicelib.messages.files import StoredFile, content_type, disposition, object_key, safe_name, tagging
from chalicelib.platform import aws, log
from chalicelib.wire.protocol import Frame

# Of one answer; what is beyond is named.
MAX_FILES = 30
# Rows that are read first: an answer's question is rarely further back.
FIRST_LOOK = 40
# OpenClaw adds the files to an answer's row after its end. After that time we read them by their paths.
SETTLE_SECONDS, LOOK_SECONDS = 6.0, 0.05
TRIES, PAUSE_SECONDS = 3, 1.0
UNSTORED = "it could not be stored"
HEAD_BYTES = 16


@dataclass(frozen=True)
class Kept:
    """`missing` names what could not be given, and why. `links` are files of other servers: they stay there.

    `rows` are the answer's own, where it was looked for.
    """

    files: tuple[Frame, ...] = ()
    missing: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()

    def text(self, said: str) -> str:
        """The answer's text, with what is missing."""
        lines = [*(f"🔗 {link}" for link in self.links), *(f"⚠️ {line}" for line in self.missing)]
        return "\n\n".join(part for part in [said, *lines] if part)


NOTHING = Kept()
UNKNOWN = Kept(missing=("If this answer has files, they could not be read. Ask your agent to send them again.",))


class Shelf:
    """Stores for one user. What is stored again takes the same place in S3.

    A turn that a lost container repeats has other rows in the transcript, and nothing names the copies of the first
    try, so that nobody could delete them. So a file of an answer is named after the message, its number and its label.
    """

    def __init__(self, user_id: str, bucket: str, fetcher: Fetcher, retention_days: Callable[[], int | None]) -> None:
        self._user_id = user_id
        self._bucket = bucket
        self.fetcher = fetcher
        self._retention_days = retention_days

    def of_answer(self, gateway: Gateway, session: str, message_id: str) -> Kept:
        """The files of the answer to a message; waits until OpenClaw has added them. Raises as the gateway does."""
        deadline = time.monotonic() + SETTLE_SECONDS
        limit = FIRST_LOOK
        while True:
            rows = gateway.request("sessions.get", {"key": session, "limit": limit}).get("messages") or []
            found = of_answer(rows, message_id)
            if found is None and limit < HISTORY_LIMIT and len(rows) >= limit:
                limit = HISTORY_LIMIT
            elif found is not None and found.pending and time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS)
            elif found is None and len(rows) >= HISTORY_LIMIT:
                log.event("files_out_of_sight", message_id=message_id)  # the question is further back
                return UNKNOWN
            elif found is None:
                return NOTHING
            else:
                return replace(self.keep(gateway, session, found.files, message_id), rows=found.rows)

    def keep(self, gateway: Gateway, session: str, found: Sequence[Announced], message_id: str = "") -> Kept:
        """Store announced files, those of an answer under its message. Raises GatewayError, GatewayClosed."""
        if not found:
            return NOTHING
        if any(one.artifact is None and one.path is None for one in found):
            reply = gateway.request("sessions.get", {"key": session, "limit": HISTORY_LIMIT})
            found = with_paths(found, reply.get("messages") or [])
        files: list[Frame] = []
        remote = [one for one in found if one.artifact is None and (one.path or "").startswith(REMOTE)]
        local = [one for one in found if one not in remote]
        missing = [_sentence(one.label, "too many files at once") for one in local[MAX_FILES:]]
        for number, one in enumerate(local[:MAX_FILES]):
            name = f"{message_id}\n{number}\n{one.label}" if message_id else f"{one.row}\n{one.number}"
            try:
                with self.fetcher.fetch(gateway, session, one) as content:
                    files.append(self.store(_id(name), one.label, content, one.voice).public())
            except Unavailable as error:
                missing.append(_sentence(one.label, str(error)))
        log.event("files_stored", count=len(files), missing=len(missing))
        return Kept(tuple(files), tuple(missing), tuple(str(one.path) for one in remote))

    def store(self, file_id: str, label: str, content: IO[bytes], voice: bool = False) -> StoredFile:
        """Put one file into the bucket. Raises Unavailable."""
        name = safe_name(label)
        size = content.seek(0, os.SEEK_END)
        content.seek(0)
        kind = content_type(name, content.read(HEAD_BYTES))
        for attempt in range(TRIES):
            content.seek(0)
            try:
                self._put(object_key(self._user_id, file_id), content, kind, name)
                return StoredFile(file_id, name, kind, size, voice)
            except (ClientError, BotoCoreError) as error:
                log.failure("file_unstored", error)
                time.sleep(PAUSE_SECONDS * attempt)
        raise Unavailable(UNSTORED)

    def _put(self, key: str, content: IO[bytes], kind: str, name: str) -> None:
        headers = {"ContentType": kind, "ContentDisposition": disposition(name)}
        if tags := tagging(self._retention_days()):
            headers["Tagging"] = tags
        aws.client("s3").put_object(Bucket=self._bucket, Key=key, Body=content, **headers)


def _id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _sentence(label: str, why: str) -> str:
    return f"The file “{safe_name(label)}” could not be sent: {why}."

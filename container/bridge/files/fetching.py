"""Fetches the bytes of a file: OpenClaw's own copy, or the agent's file."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import requests

from bridge.files import reading
from bridge.files.announced import Announced
from bridge.openclaw.gateway import Gateway, GatewayError
from bridge.shared.user import AgentUser
from chalicelib.messages.files import MAX_FILE_BYTES
from chalicelib.platform import log

# Between two pieces of OpenClaw's copy, and for all of the agent's file.
READ_SECONDS, HELPER_SECONDS = 30.0, 120.0
MEGABYTES = f"{MAX_FILE_BYTES // 1_000_000} MB"
GONE, UNREADABLE, TOO_LARGE = "it is not there", "it cannot be read", f"it is larger than {MEGABYTES}"
REASONS = {reading.MISSING: GONE, reading.TOO_LARGE: TOO_LARGE}


class Unavailable(Exception):
    """A file that cannot be given to the person; the text says why."""


class Fetcher:
    """`gateway_url`: OpenClaw's HTTP address. Files lie on the disk meanwhile, not in memory."""

    def __init__(self, gateway_url: str, workspace: Path, user: AgentUser) -> None:
        self._url = gateway_url
        self._workspace = workspace
        self._user = user

    def fetch(self, gateway: Gateway, session: str, one: Announced) -> IO[bytes]:
        """A temporary file with its content. Raises Unavailable, GatewayClosed."""
        if one.artifact is not None:
            try:
                return self._copy(gateway, session, one.artifact)
            except (GatewayError, requests.RequestException) as error:
                log.event("artifact_failed", reason=type(error).__name__)
        if one.path is None:
            raise Unavailable(UNREADABLE)
        return self.read(one.path)

    def _copy(self, gateway: Gateway, session: str, artifact: str) -> IO[bytes]:
        """OpenClaw's copy: what the file held when it was announced."""
        found = gateway.request("artifacts.download", {"sessionKey": session, "artifactId": artifact})
        url = str(found.get("url") or "")
        if not url.startswith("/"):
            raise requests.RequestException("not a file of this gateway")

        def save(file: IO[bytes]) -> None:
            with requests.get(self._url + url, stream=True, timeout=READ_SECONDS) as answer:
                answer.raise_for_status()
                for content in answer.iter_content(reading.BLOCK):
                    if file.tell() + len(content) > MAX_FILE_BYTES:
                        raise Unavailable(TOO_LARGE)
                    file.write(content)

        return _filled(save)

    def read(self, path: str) -> IO[bytes]:
        """The agent's file, read as the agent's user. Raises Unavailable."""
        arguments = [str(self._workspace), path, str(MAX_FILE_BYTES)]

        def save(file: IO[bytes]) -> None:
            try:
                process = self._user.start(self._user.python("bridge.files.reading", *arguments), stdout=file)
                code = self._user.finish(process, seconds=HELPER_SECONDS).returncode
            except (OSError, ValueError) as error:  # a name that no program can be given
                log.event("file_unreadable", reason=type(error).__name__)
                raise Unavailable(UNREADABLE) from None
            if code != 0:
                raise Unavailable(REASONS.get(code, UNREADABLE))

        return _filled(save)


def _filled(save: Callable[[IO[bytes]], None]) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    try:
        save(file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file

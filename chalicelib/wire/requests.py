"""What a page asks of the running agent outside any conversation: its memory's index, and skills of ClawHub.

The agent's container answers the tab by itself, so an answer may take longer than a function runs.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.wire.protocol import Frame, ProtocolError, message_id

MEMORY, SEARCH, DETAIL, INSTALL = "memory.search", "skills.search", "skills.detail", "skills.install"
MAX_QUERY = 100
# As OpenClaw takes it: `@owner/slug`, `skills-sh:owner/repo/slug`, or a bare slug.
_REFERENCE = re.compile(r"(@[A-Za-z0-9._-]+/|skills-sh:[A-Za-z0-9._-]+/[A-Za-z0-9._-]+/)?[a-z0-9][a-z0-9._-]*")
MAX_REFERENCE = 200
ASLEEP = "ASLEEP"


def parse(body: Mapping[str, Any]) -> Frame:
    """A tab's request, as the agent gets it. Raises ProtocolError BAD_FIELD, with the request's id if it has one."""
    name, method = message_id(body), body.get("method")
    try:
        if not isinstance(method, str) or method not in _SUBJECTS:
            raise ProtocolError("BAD_FIELD", "method must be one of " + ", ".join(_SUBJECTS))
        return {"type": "request", "id": name, "method": method, "subject": _SUBJECTS[method](body)}
    except ProtocolError as error:
        raise ProtocolError(error.code, error.message, name) from None


def refused(request_id: str, code: str, message: str) -> Frame:
    """A request without a result, as the page is told."""
    return {"type": "response", "id": request_id, "code": code, "message": message}


def _query(body: Mapping[str, Any]) -> str:
    words = body.get("subject")
    if not isinstance(words, str) or not 1 <= len(words.strip()) <= MAX_QUERY:
        raise ProtocolError("BAD_FIELD", f"subject must have 1 to {MAX_QUERY} characters")
    return words.strip()


def _reference(body: Mapping[str, Any]) -> str:
    name = body.get("subject")
    if not isinstance(name, str) or len(name) > MAX_REFERENCE or not _REFERENCE.fullmatch(name):
        raise ProtocolError("BAD_FIELD", "subject must name a skill of ClawHub, as the search gave it")
    return name


_SUBJECTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    MEMORY: _query,
    SEARCH: _query,
    DETAIL: _reference,
    INSTALL: _reference,
}

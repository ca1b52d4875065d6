"""OpenClaw's own Control UI talks to the gateway in the container through a tab's socket and the agent's.

A tunnel is one WebSocket of that page. Its messages are cut into pieces that fit a frame, and numbered from 1 in each
direction: API Gateway calls a function for each frame, and two such calls may overtake each other.
"""

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.wire.protocol import Frame, ProtocolError, whole_number

OPEN, DATA, CLOSE, USED = "open", "data", "close", "used"
KINDS = (OPEN, DATA, CLOSE, USED)
_TUNNEL = re.compile(r"^[A-Za-z0-9-]{8,64}$")
# A frame from a tab may have 32 KB, and Python counts characters: a tab sends at most 24,000 bytes.
MAX_PIECE = 28_000
MAX_SEQ = 10_000_000
# Close codes of WebSockets, as the page sees them.
ASLEEP, BROKEN, TOO_MANY = 4001, 4002, 4003


def parse(body: Mapping[str, Any]) -> Frame:
    """A tab's frame, as the agent gets it. Raises ProtocolError BAD_FIELD."""
    tunnel, kind, data = body.get("tunnel"), body.get("kind"), body.get("data", "")
    if not isinstance(tunnel, str) or not _TUNNEL.fullmatch(tunnel):
        raise ProtocolError("BAD_FIELD", "tunnel must have 8 to 64 letters, digits and dashes")
    if kind not in KINDS:
        raise ProtocolError("BAD_FIELD", "kind must be one of " + ", ".join(KINDS))
    if not isinstance(data, str) or len(data) > MAX_PIECE:
        raise ProtocolError("BAD_FIELD", f"data must be a text of at most {MAX_PIECE} characters")
    frame = {"type": "console", "tunnel": tunnel, "kind": kind}
    if kind != DATA:
        return frame
    return frame | {"data": data, "seq": whole_number(body, "seq", 0, 1, MAX_SEQ), "more": body.get("more") is True}


def closed(tunnel: str, code: int, reason: str) -> Frame:
    """The tunnel is gone, as the page is told."""
    return {"type": "console", "tunnel": tunnel, "kind": CLOSE, "code": code, "reason": reason}

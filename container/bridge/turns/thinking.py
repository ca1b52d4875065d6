"""What a model thought before it answered, where its provider shows that: from the answer's rows in the transcript.

Measured on 2026.9.1: a row has blocks of the type `thinking`, one for each thought. A thought that the provider
encrypts is a block with `redacted: true` and OpenClaw's own words in it; one that is not shown at all has no text.
"""

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
# Of UTF-8. A model may think for longer than it answers; this is what a person reads of it.
THINKING_BYTES = 16_000


def thinking_of(rows: Iterable[Json]) -> Json | None:
    """`text`, with `cut` if it is longer, and `hidden` if the provider showed only a part. None: nothing is shown."""
    blocks = [block for row in rows for block in _blocks(row) if block.get("type") == "thinking"]
    shown = [str(block.get("thinking") or "").strip() for block in blocks if not block.get("redacted")]
    text = "\n\n".join(part for part in shown if part)
    if not text:
        return None
    raw = text.encode(errors="replace")
    kept = raw[:THINKING_BYTES].decode(errors="ignore")
    more = {"cut": len(raw) > THINKING_BYTES, "hidden": any(block.get("redacted") for block in blocks)}
    return {"text": kept} | {name: True for name, true in more.items() if true}


def _blocks(row: Json) -> list[Json]:
    content = row.get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []

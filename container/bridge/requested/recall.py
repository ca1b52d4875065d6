"""A search in the agent's memory as the agent itself searches: OpenClaw's index of its notes, by words."""

import time
from typing import Any

from bridge.openclaw.gateway import Gateway
from chalicelib.agents.notes import is_note
from chalicelib.wire.protocol import storable

Json = dict[str, Any]
MOST, SHOWN = 20, 300
SECONDS = 20.0
# A search has OpenClaw read files that have changed, and does not wait for that.
LOOKS, PAUSE_SECONDS = 3, 1.0


def recall(gateway: Gateway, words: str) -> Json:
    """The best passages first. Raises GatewayError if there is no index."""
    found = _look(gateway, words)
    for _ in range(LOOKS - 1):
        if found["hits"]:
            break
        time.sleep(PAUSE_SECONDS)
        found = _look(gateway, words)
    return found


def _look(gateway: Gateway, words: str) -> Json:
    found = gateway.request("memory.search", {"query": words, "maxResults": MOST}, SECONDS)
    entries = [entry for entry in found.get("results") or [] if isinstance(entry, dict)]
    hits = [_hit(entry) for entry in entries if is_note(str(entry.get("path")))]
    return {"hits": hits, "kind": str(found.get("searchMode") or "")}


def _hit(entry: Json) -> Json:
    text = " ".join(storable(str(entry.get("snippet") or "")).split())
    return {"name": str(entry["path"]), "line": int(entry.get("startLine") or 1), "text": text[:SHOWN]}

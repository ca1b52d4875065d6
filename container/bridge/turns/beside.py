"""What stands beside an answer's text in its row and in the end of its stream, as far as it fits."""

import json
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
# Of text and parts together. A row has 400 KB, and it holds the steps and the files of the answer, too.
BESIDE_BYTES = 340_000


def beside(text: str, parts: Mapping[str, Json | None]) -> Json:
    """The parts that have room, in their order. Rows hold ASCII JSON, where a Korean letter takes six bytes."""
    room, kept = BESIDE_BYTES - len(text.encode()), {}
    for name, part in parts.items():
        size = len(json.dumps(part))
        if part and size <= room:
            kept[name] = part
            room -= size
    return kept

"""Writes the page's list of what works here: `PYTHONPATH=.:container python -m ops.abilities`.

The page has the list in its own files, so it can be read while the agent sleeps, and no function imports the Bridge.
"""

import json
from pathlib import Path

from bridge.openclaw.bundled import NOT_OFFERED, WORKS
from bridge.openclaw.tools import DECISIONS

FILE = Path(__file__).resolve().parent.parent / "frontend" / "src" / "ui" / "panels" / "abilities.json"


def abilities() -> str:
    """The tools and the bundled skills, each with what it does or why it is not offered."""
    tools = [(name, known.works, known.why) for name, known in DECISIONS.items()]
    skills = [(name, True, why) for name, why in WORKS.items()] + [(n, False, why) for n, why in NOT_OFFERED.items()]
    found = [("tool", *one) for one in sorted(tools)] + [("skill", *one) for one in sorted(skills)]
    rows = [json.dumps(dict(zip(("kind", "name", "works", "why"), one, strict=True))) for one in found]
    return "[\n" + ",\n".join(rows) + "\n]\n"


if __name__ == "__main__":
    FILE.write_text(abilities())

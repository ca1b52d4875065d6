"""The agent's progress card: what its tool `progress_card` said last in a run. Each call replaces the whole card.

OpenClaw keeps one for each session, and tells clients of it too (`progressCard.changed`). The events of the tool call
are enough here: they belong to a run, so the card stands at the answer that it is about.
"""

import re
from typing import Any

Json = dict[str, Any]
TOOL = "progress_card"
# OpenClaw allows 50 steps of 512 bytes and a note of 8 KB. In characters, what a person reads of them.
STEPS, STEP, NOTE, LABEL, LINE = 50, 200, 4_000, 100, 200
STATES = {"pending": "pending", "in_progress": "running", "completed": "done"}
# They turn the text around them, and a card's text stands in a line of ours.
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BAR = re.compile(r"<progress\b([^>]*)>(?:\s*</progress>)?", re.IGNORECASE)
_ATTRIBUTE = re.compile(r'([\w-]+)\s*=\s*"([^"]*)"')


class Card:
    """Takes the events of tool calls. `shown` is the card for tabs and rows, None if there is none."""

    def __init__(self) -> None:
        self._asked: dict[str, Any] = {}
        self.shown: Json | None = None

    def tool(self, data: Json) -> bool:
        """Take an event of the card's tool; whether the card has changed. A call that is refused changes nothing."""
        call = str(data.get("toolCallId"))
        if data.get("phase") == "start":
            self._asked[call] = data.get("args")
            return False
        asked = self._asked.pop(call, None)
        if not isinstance(asked, dict) or data.get("isError"):
            return False
        self.shown = _card(asked)
        return True

    def line(self) -> str:
        """For a chat: how far it is, and what it does now; empty without a card."""
        card = self.shown
        if card is None:
            return ""
        steps, bar = card.get("steps", []), card.get("bar")
        now = next((step["text"] for step in steps if step["state"] == "running"), "")
        first = next((line.strip(" #*_|>-") for line in card.get("note", "").splitlines() if line.strip(" #*_|>-")), "")
        done = sum(step["state"] == "done" for step in steps)
        parts = [f"{done}/{len(steps)}" if steps else "", now, (bar or {}).get("label", ""), "" if now else first]
        return f"⏳ {' · '.join(part for part in parts if part)}"[:LINE]


def _card(asked: Json) -> Json | None:
    plan = asked.get("plan")
    steps = [_step(step) for step in plan[:STEPS] if isinstance(step, dict)] if isinstance(plan, list) else []
    said = _clean(asked.get("markdown"))
    bars = [bar for bar in map(_bar, _BAR.findall(said)) if bar]
    note = _BAR.sub("", said).strip()
    note = note if len(note) <= NOTE else note[:NOTE] + " …"
    card = {"steps": steps, "note": note, "bar": bars[0] if bars else None}
    return {name: value for name, value in card.items() if value} or None


def _step(step: Json) -> Json:
    text = _clean(step.get("step"))
    return {"text": text[:STEP], "state": STATES.get(str(step.get("status")), "pending")}


def _bar(attributes: str) -> Json | None:
    found = dict(_ATTRIBUTE.findall(attributes))
    try:
        value, most = float(found.get("value", "")), float(found.get("max", "1"))
    except ValueError:
        return None
    if not 0 <= value <= most < 1e9 or most == 0:
        return None
    return {"label": found.get("aria-label", "")[:LABEL], "value": value, "max": most}


def _clean(text: Any) -> str:
    return _TURNING.sub("", text).encode(errors="replace").decode() if isinstance(text, str) else ""
